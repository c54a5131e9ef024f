"""Every module of the official suites: parse, encode, decode, print, parse and encode again give the same bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import suites

from pywasm_ref import binary, text
from pywasm_ref.errors import WasmError
from pywasm_ref.features import WASM_3, Features
from pywasm_ref.script import commands as cmd
from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.parse import parse
from pywasm_ref.source import Source
from pywasm_ref.syntax.modules import Module
from pywasm_ref.text.lexer import source_text
from pywasm_ref.text.modules import read_module_fields

_, SUITES = suites.pins()


def scripts() -> list[str]:
    """All scripts of all suites; empty where the suites are not on this machine."""
    try:
        root = suites.find()
    except suites.SuiteMissing:
        return []
    return sorted(path.relative_to(root).as_posix() for suite in SUITES for path in (root / suite.folder).rglob("*.wast"))


def definitions(source: Source) -> Iterator[cmd.Definition]:
    """The modules of a script, those of assertions included."""
    for command in parse(source):
        match command:
            case (
                cmd.DefineModule(module=subject)
                | cmd.AssertTrap(subject=subject)
                | cmd.AssertInvalid(module=subject)
                | cmd.AssertUnlinkable(module=subject)
                | cmd.AssertMalformed(module=subject)
            ):
                if isinstance(subject, cmd.Definition):
                    yield subject


def read(definition: cmd.Definition, features: Features) -> Module | None:
    """The module, valid or not; None where the suite wants it malformed."""
    try:
        match definition:
            case cmd.Encoded(data):
                return binary.decode(data, features)
            case cmd.Quoted(quoted):
                return text.parse(source_text(quoted), features)
            case cmd.Textual(tokens, i, _, name):
                tokens.i = i
                return read_module_fields(tokens, features, name)
    except WasmError:
        return None


@pytest.mark.parametrize("script", scripts() or [pytest.param("", id="none-found")])
def test_every_module_of_the_script_comes_back(script: str, spec_suite: Path) -> None:
    path = spec_suite / script
    features = features_for(path)
    written = features | WASM_3  # the encoder writes the forms of the current release
    for definition in definitions(Source(script, path.read_text(encoding="utf-8"))):
        module = read(definition, features)
        if module is None:
            continue
        data = binary.encode(module)
        decoded = binary.decode(data, written)
        assert decoded == module
        assert binary.encode(decoded) == data
        assert binary.encode(text.parse(text.print_module(decoded), written)) == data
        assert binary.encode(text.parse(text.print_module(module), written)) == data
        assert binary.encode(binary.decode(binary.encode(module, names=True), written), names=True) == binary.encode(module, names=True)
