"""What a module imports and exports, read without its code, which is most of it."""

from __future__ import annotations

from pywasm_ref.binary import sections
from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.binary.sections import CODE, CUSTOM, HEADER_SIZE
from pywasm_ref.embedding import functions, selection
from pywasm_ref.embedding.engine import Module
from pywasm_ref.features import Features

TRAPS = b"\x03\x00\x00\x0b"
"""A function that has no locals and is `unreachable`, behind its size: valid whatever its type."""


def outline(data: bytes, features: Features) -> Module:
    """The module with functions that do nothing, as the reference engine sees it.

    Fails   Malformed, Invalid
    """
    return functions.module_decode(selection.engine("reference"), without_code(data), features)


def without_code(data: bytes) -> bytes:
    """The same sections, but no custom ones, and every function a trap."""
    parts = [data[:HEADER_SIZE]]
    for section in sections(data):
        content = data[section.start : section.start + section.size]
        if section.id == CODE:
            content = traps(Reader(content).length())
        if section.id != CUSTOM:
            parts.append(framed(section.id, content))
    return b"".join(parts)


def traps(count: int) -> bytes:
    w = Writer()
    w.length(count)
    return bytes(w.data) + TRAPS * count


def framed(number: int, content: bytes) -> bytes:
    w = Writer()
    w.byte(number)
    w.length(len(content))
    return bytes(w.data) + content
