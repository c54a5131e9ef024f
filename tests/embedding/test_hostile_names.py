"""The names that a module has may hold anything: no message of ours commands the terminal with them, or is as long as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import wasi

EVIL = "\x1b[31mred\r\n\u202e"
SPELLED = "".join(f"\\{byte:02x}" for byte in EVIL.encode())
SHOWN = r"\x1b[31mred\r\n\u202e"
LONG = "long" * 1000
MOST = 400


def module(engine: str, name: str) -> wasm.Module:
    text = """(module $"{0}" (type $s (struct (field $"{0}" i32)))
      (import "{0}" "{0}" (func $take (result i32)))
      (func (export "{0}") (param i32))
      (func (export "call") (result i32) (call $take))
      (func (export "made") (result (ref $s)) (struct.new_default $s)))"""
    return wasm.Module(text.replace("{0}", SPELLED if name == EVIL else name), engine)


def instance(engine: str, name: str, function: Callable[..., object] = lambda: 1) -> wasm.Instance:
    return wasm.instantiate(module(engine, name), {name: {name: function}})


PLACES: list[tuple[type[Exception] | None, Callable[[str, str], Any]]] = [
    (wasm.Unlinkable, lambda engine, name: wasm.instantiate(module(engine, name))),
    (wasm.Unlinkable, lambda engine, name: wasm.instantiate(module(engine, name), {name: {}})),
    (wasm.Unlinkable, lambda engine, name: wasm.instantiate(module(engine, name), {name: {name + "!": print}})),
    (wasm.Unlinkable, lambda engine, name: wasm.instantiate(module(engine, name), {name: {name: 3}})),
    (wasm.Unlinkable, lambda engine, name: wasi.run(module(engine, name))),
    (TypeError, lambda engine, name: wasm.instantiate(module(engine, name), {name: 5})),
    (TypeError, lambda engine, name: instance(engine, name).exports[name]()),
    (TypeError, lambda engine, name: instance(engine, name).exports[name]("x")),
    (OverflowError, lambda engine, name: instance(engine, name).exports[name](2**40)),
    (TypeError, lambda engine, name: instance(engine, name, lambda: "x").exports.call()),
    (AttributeError, lambda engine, name: getattr(instance(engine, name).exports, name + "!")),
    (wasm.Invalid, lambda engine, name: wasm.Module(f'(module (func (export "{SPELLED}")) (func (export "{SPELLED}")))', engine)),
    (None, lambda engine, name: repr(module(engine, name))),
    (None, lambda engine, name: repr(instance(engine, name))),
    (None, lambda engine, name: repr(instance(engine, name).exports)),
    (None, lambda engine, name: repr(instance(engine, name).exports[name])),
    (None, lambda engine, name: repr(instance(engine, name).exports.made())),
    (None, lambda engine, name: "".join(map(str, (*module(engine, name).exports, *module(engine, name).imports)))),
]


def said(kind: type[Exception] | None, place: Callable[[str, str], Any], engine: str, name: str) -> str:
    if kind is None:
        words: str = place(engine, name)
        return words
    with pytest.raises(kind) as caught:
        place(engine, name)
    return str(caught.value)


@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_a_name_cannot_command_the_terminal(engine: str, kind: type[Exception] | None, place: Callable[[str, str], Any]) -> None:
    words = said(kind, place, engine, EVIL)
    assert words.isprintable()
    assert SHOWN in words or "\N{REPLACEMENT CHARACTER}[31mred" in words


@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_a_long_name_is_cut(engine: str, kind: type[Exception] | None, place: Callable[[str, str], Any]) -> None:
    assert len(said(kind, place, engine, LONG)) < MOST
