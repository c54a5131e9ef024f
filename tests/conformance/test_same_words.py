"""Every module of the official suites, valid or not, under many sets of features: the engines say the same, to the word and the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pywasm_ref import binary
from pywasm_ref.embedding import functions, selection
from pywasm_ref.errors import WasmError
from pywasm_ref.features import ALL, RELEASES, WASM_1, Feature, Features
from pywasm_ref.script import commands as cmd
from pywasm_ref.source import Source
from pywasm_ref.text.lexer import source_text
from pywasm_ref.text.modules import read_module_fields
from tests.conformance.test_round_trip import definitions, scripts
from tests.engines import needs_native

SWITCHED: dict[str, Features] = {
    **{f"all but {feature.value}": ALL - {feature} for feature in Feature if feature is not Feature.MVP},
    **{f"1.0 and {feature.value}": WASM_1 | {feature} for feature in Feature if feature not in WASM_1},
}
TURNS = 12
"""Each module meets a part of these sets, the next one another part: of the suite's modules, all sets meet some hundred."""


def sets(number: int) -> dict[str, Features]:
    """The sets of features of the module of that number."""
    return {**RELEASES, **dict(list(SWITCHED.items())[number % TURNS :: TURNS])}


def verdict(engine: str, source: Source, features: Features) -> Any:
    """What an engine says of a binary: what is wrong and where, or what it imports and exports."""
    try:
        module = functions.module_decode(selection.engine(engine), source, features)
        functions.module_validate(module)
    except WasmError as error:
        return type(error), str(error), error.at
    return [(*names, str(type)) for *names, type in module.imports], [(name, str(type)) for name, type in module.exports]


def verdict_on_text(engine: str, definition: cmd.Quoted | cmd.Textual) -> Any:
    """The same of a text. One that stands in the script itself counts places in the script."""
    try:
        match definition:
            case cmd.Quoted(quoted):
                module = functions.module_parse(selection.engine(engine), source_text(quoted), ALL)
            case cmd.Textual(tokens, i, _, name):
                tokens.i = i
                module = selection.engine(engine).adopt(read_module_fields(tokens, ALL, name), ALL)
        functions.module_validate(module)
    except WasmError as error:
        return type(error), str(error), error.at
    return None


def binary_of(definition: cmd.Definition) -> bytes | None:
    """What a module is in the binary format; None for a text that is none, or whose bytes say nothing else than another's."""
    match definition:
        case cmd.Encoded(data):
            return data
        case cmd.Textual(tokens, i, _, name):
            tokens.i = i
            try:
                return binary.encode(read_module_fields(tokens, ALL, name), names=True)
            except WasmError:
                return None
    return None


@needs_native
@pytest.mark.parametrize("script", scripts() or [pytest.param("", id="none-found")])
def test_the_engines_say_the_same_of_every_module(script: str, spec_suite: Path) -> None:
    source = Source(script, (spec_suite / script).read_text(encoding="utf-8"))
    seen: set[bytes] = set()
    for definition in definitions(source):
        if not isinstance(definition, cmd.Encoded):
            assert verdict_on_text("fast", definition) == verdict_on_text("reference", definition)
        data = binary_of(definition)
        if data is None or data in seen:
            continue
        seen.add(data)
        read = Source("module", data)
        for name, features in sets(len(seen)).items():
            assert verdict("fast", read, features) == verdict("reference", read, features), (name, data.hex())
