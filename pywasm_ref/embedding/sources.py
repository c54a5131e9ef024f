"""Where modules come from: paths, texts, bytes; and whether a file is a binary or a text."""

from __future__ import annotations

from os import PathLike, fspath

from pywasm_ref.embedding import words
from pywasm_ref.errors import Malformed
from pywasm_ref.source import Source

ModuleSource = str | PathLike[str] | bytes | bytearray | memoryview
"""A path, a text, or the bytes of either; see `load`."""

BINARY_SUFFIX, TEXT_SUFFIX = ".wasm", ".wat"
TEXT_MARKS = ("\n", "\r", "(module")


def load(source: ModuleSource) -> Source:
    """The bytes or characters that a source stands for, under the name for messages.

    A str that begins with a parenthesis or holds a line break or `(module` is a text, any other a path.

    Fails   Malformed, OSError; TypeError for what is no source at all
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return read("<bytes>", bytes(source))
    if isinstance(source, str) and (source.lstrip().startswith("(") or any(mark in source for mark in TEXT_MARKS)):
        return Source("<text>", source)
    if not isinstance(source, str | PathLike):
        raise TypeError(f"a module is a path, a text or bytes, not {words.given(source)}")
    path = fspath(source)
    with open(path, "rb") as file:  # `Path("")` would be the current folder
        return read(path, file.read())


def read(name: str, data: bytes) -> Source:
    """A binary if it is called .wasm, is empty, or begins with the zero byte that no text begins with; else a text.

    What is neither called .wat nor UTF-8 is a binary with a wrong beginning.

    Fails   Malformed for a .wat that is not UTF-8
    """
    if name.lower().endswith(BINARY_SUFFIX) or data[:1] in (b"", b"\0"):
        return Source(name, data)
    try:
        return as_text(name, data)
    except Malformed:
        if name.lower().endswith(TEXT_SUFFIX):
            raise
        return Source(name, data)


def as_text(name: str, data: bytes) -> Source:
    """The characters of a file in UTF-8.

    Fails   Malformed, pointing at the character that is wrong
    """
    try:
        return Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8"))
        raise Malformed("malformed UTF-8 encoding", at, Source(name, data.decode("utf-8", "replace"))) from error
