"""Superinstructions: handlers that do several operations in a row behave as those operations one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pywasm_ref as wasm
from _fastcore.generate.joined import joined
from _fastcore.generate.model import Operation, Variant
from pywasm_ref.binary import encode
from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.text import parse

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)
listing = pytest.importorskip("pywasm_ref._fastcore.listing").listing

PAGE = 65536
COPY = """(module (memory (export "m") 1)
  (data (i32.const 16) "abcdefghijkl")
  (func (export "f") (param $from i32) (param $to i32)
    (i32.store (i32.add (local.get $to) (i32.const 0)) (i32.load (i32.add (local.get $from) (i32.const 0))))
    (i32.store offset=4 (local.get $to) (i32.load offset=4 (local.get $from)))
    (i32.store offset=8 (local.get $to) (i32.load offset=8 (local.get $from)))))"""
LOOP = """(module (func (export "f") (param $n i32) (result i32) (local $i i32) (local $s i32)
    (loop $again
      (local.set $s (i32.add (local.get $s) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.ne (local.get $i) (local.get $n))))
    (local.get $s)))"""


def module(source: str) -> Any:
    return objects.Module(encode(parse(source)))


def trap_of(source: str, *arguments: int) -> tuple[Any, Trap]:
    instance = objects.Instance(module(source), ())
    with pytest.raises(Trap) as caught:
        instance.exports["f"](*arguments)
    return instance, caught.value


@pytest.mark.parametrize("source", [COPY, LOOP])
def test_common_rows_are_joined(source: str) -> None:
    assert any("__" in name for _, name, _ in listing(module(source))[0])


def test_a_loop_of_joined_operations_counts_right() -> None:
    instance = objects.Instance(module(LOOP), ())
    assert instance.exports["f"](1000) == 499500


@pytest.mark.parametrize("words", [0, 1, 2])
def test_a_trap_comes_after_all_effects_before_it(words: int) -> None:
    """So many words fit, the next one does not."""
    edge = PAGE - 4 * words
    instance, trap = trap_of(COPY, 16, edge)
    assert trap.reason is TrapReason.OUT_OF_BOUNDS_MEMORY
    assert bytes(memoryview(instance.exports["m"])[edge:]) == b"abcdefghijkl"[: 4 * words]


def test_each_operation_of_a_row_has_its_own_place() -> None:
    """The one that the reference engine names."""
    places = set()
    reference = wasm.instantiate(encode(parse(COPY)), engine="reference").exports.f
    for edge in (PAGE, PAGE - 4, PAGE - 8):
        for arguments in ((edge, 0), (0, edge)):
            with pytest.raises(Trap) as caught:
                reference(*arguments)
            places.add(caught.value.at)
            assert trap_of(COPY, *arguments)[1].at == caught.value.at
    assert len(places) == 6


def test_a_list_with_what_cannot_be_joined_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = [Variant(i, Operation(name, "raw", "", "", body, ()), "", False)
             for i, (name, body) in enumerate((("leave", "RETURN 0\n"), ("move", "fp[0] = fp[1]\n")), 1)]  # fmt: skip
    monkeypatch.setattr("_fastcore.generate.joined.LIST", tmp_path / "list")
    for line in ("leave move", "move", "move move\nmove move"):
        (tmp_path / "list").write_text(line)
        with pytest.raises(ValueError, match="cannot be joined"):
            joined(found)
    (tmp_path / "list").write_text("# a comment\n\nmove leave\n")
    assert [row.name for row in joined(found)] == ["move__leave"]
