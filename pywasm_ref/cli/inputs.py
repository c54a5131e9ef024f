"""Reading what the command line names: modules in either format, scripts, standard input."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from pywasm_ref import binary, text
from pywasm_ref.cli.errors import STDOUT, Unusable, errors_in, naming
from pywasm_ref.embedding import functions, selection
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.embedding.engine import Module as EngineModule
from pywasm_ref.embedding.hints import add_hint
from pywasm_ref.embedding.sources import as_text, read
from pywasm_ref.errors import Malformed
from pywasm_ref.features import Features
from pywasm_ref.source import Source
from pywasm_ref.syntax.modules import Module

STDIN = "-"


def read_bytes(path: str) -> tuple[str, bytes]:
    """The name to show, and what the file holds."""
    if path == STDIN:
        if sys.stdin is None:  # as Python has it where the shell closed it
            raise Unusable("standard input is closed")
        with naming("standard input"):
            return "<stdin>", sys.stdin.buffer.read()
    with naming(path), open(path, "rb") as file:
        return path, file.read()


def read_text(path: str) -> Source:
    """A file in UTF-8.

    Fails   Malformed, pointing at the byte that is wrong
    """
    return as_text(*read_bytes(path))


def read_module(path: str) -> Source:
    """A module in either format.

    Fails   Malformed for a text that is not UTF-8
    """
    return read(*read_bytes(path))


@contextlib.contextmanager
def hints(source: Source, features: Features) -> Iterator[None]:
    """Errors say which feature would help."""
    try:
        yield
    except Malformed as error:
        if isinstance(source.data, bytes):
            add_hint(error, source.data, features)
        elif source.data.lstrip()[:1] not in ("(", ";", ""):
            error.message += "; a module in text begins with a parenthesis, a binary with \\0asm: is this one?"
        raise


def module_in(source: Source, features: Features) -> Module:
    """The module as data."""
    with errors_in(source), hints(source, features):
        if isinstance(source.data, bytes):
            return binary.decode(source.data, features)
        return text.parse(source, features)


def engine_module_in(source: Source, engine: Engine, features: Features) -> EngineModule:
    """The module as an engine has it, validated."""
    with errors_in(source), hints(source, features):
        if isinstance(source.data, bytes):
            module = functions.module_decode(engine, source.data, features)
        else:
            module = functions.module_parse(engine, source, features)
        functions.module_validate(module)
        return module


def engine_named(name: str) -> Engine:
    """The engine of that name.

    Fails   Unusable when this installation does not have it
    """
    try:
        return selection.engine(name)
    except (ImportError, ValueError) as error:
        raise Unusable(str(error)) from error


def write_bytes(path: str, data: bytes) -> None:
    with naming(STDOUT if path == STDIN else path):
        if path == STDIN:
            sys.stdout.buffer.write(data)
        else:
            Path(path).write_bytes(data)


def write_text(path: str, words: str) -> None:
    with naming(STDOUT if path == STDIN else path):
        if path == STDIN:
            sys.stdout.write(words)
        else:
            Path(path).write_text(words, encoding="utf-8")

