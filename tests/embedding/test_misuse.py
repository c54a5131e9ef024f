"""What a program gives in the wrong place is named, and what belongs there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pywasm_ref as wasm


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda store: wasm.Trap("msg"), "the reason of a trap is a TrapReason, such as TrapReason.UNREACHABLE, not str"),  # type: ignore[arg-type]
        (lambda store: wasm.Memory("s", 1), "a Store is expected, not str 's'"),  # type: ignore[arg-type]
        (lambda store: wasm.Table(None, wasm.funcref, 1), "a Store is expected, not None"),  # type: ignore[arg-type]
        (lambda store: wasm.Global(1, wasm.i32), "a Store is expected, not int 1"),  # type: ignore[arg-type]
        (lambda store: wasm.Tag([]), "a Store is expected, not list"),  # type: ignore[arg-type]
        (lambda store: wasm.Func(print, print), "a Store is expected, not builtin_function_or_method print"),  # type: ignore[arg-type]
        (lambda store: wasm.Linker(None), "a Store is expected, not None"),  # type: ignore[arg-type]
        (lambda store: wasm.instantiate("(module)", store=True), "a Store is expected, not bool True"),  # type: ignore[arg-type]
        (lambda store: wasm.Instance(store, "(module)"), r"a Module is expected, not str '\(module\)'; instantiate\(\) takes"),  # type: ignore[arg-type]
        (lambda store: wasm.Func(store, max, ([wasm.i32], [wasm.i32])), r"is what functype\(\[…\], \[…\]\) makes, not tuple"),  # type: ignore[arg-type]
        (lambda store: wasm.functype(wasm.i32), r"the parameters are a sequence of types, such as \[i32\], not the type i32"),  # type: ignore[arg-type]
        (lambda store: wasm.functype([], wasm.externref), r"the results are a sequence of types, such as \[i32\], not the type externref"),
        (lambda store: wasm.functype([], None), r"the results are a sequence of types, such as \[i32\], not None"),  # type: ignore[arg-type]
        (lambda store: wasm.functype("i32"), r"the parameters are a sequence of types, such as \[i32\], not str 'i32'"),
        (lambda store: wasm.functype(int), r"the parameters are a sequence of types, such as \[i32\], not type int"),  # type: ignore[arg-type]
        (lambda store: wasm.Tag(store, wasm.i32), r"the values of a tag are a sequence of types, such as \[i32\], not the type i32"),  # type: ignore[arg-type]
        (lambda store: wasm.WasmException(wasm.Tag(store, [wasm.i32]), 5), r"the values of an exception are a tuple, such as \(5,\), not int"),  # type: ignore[arg-type]
        (lambda store: wasm.WasmException(wasm.Tag(store), "5"), r"the values of an exception are a tuple, such as \(5,\), not str"),  # type: ignore[arg-type]
        (lambda store: wasm.Table(store, wasm.funcref, 1, init=print), r"print is no funcref; Func\(store, …\) makes one of it"),
        (lambda store: wasm.Table(store, wasm.funcref, 1, init=5), "int 5 is no funcref$"),
        (lambda store: wasm.I31(1.5), "'float' object cannot be interpreted as an integer"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_argument_is_a_type_error_that_says_what_is_expected(engine: str, call: Callable[[wasm.Store], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(wasm.Store(engine))


ONE_IMPORT = '(module (import "env" "f" (func)))'


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda linker: linker.define(3, "f", 1), "the name of a module is a str, not int 3"),
        (lambda linker: linker.define("m", 4, 1), "a name in module 'm' is a str, not int 4"),
        (lambda linker: linker.define_module(b"m", {}), "the name of a module is a str, not bytes b'm'"),
        (lambda linker: linker.define_module("m", {"f": print, 5: print}), "a name in module 'm' is a str, not int 5"),
        (lambda linker: linker.instantiate("(module)", 6), "the name of a module is a str, not int 6"),
        (lambda linker: wasm.instantiate("(module)", {3: 3}, store=linker.store), "the name of a module that is provided is a str, not int 3"),  # type: ignore[dict-item]
        (lambda linker: wasm.instantiate(ONE_IMPORT, {None: {}}, store=linker.store), "the name of a module that is provided is a str, not None"),  # type: ignore[dict-item]
        (lambda linker: wasm.instantiate(ONE_IMPORT, {"env": {7: print}}, store=linker.store), "a name in module 'env' is a str, not int 7"),
    ],
)
def test_a_name_that_is_no_str_is_named_at_once(engine: str, call: Callable[[wasm.Linker], Any], message: str) -> None:
    linker = wasm.Linker(wasm.Store(engine))
    with pytest.raises(TypeError, match=message):
        call(linker)
    linker.instantiate("(module)", "other")


def test_a_name_may_be_of_a_class_below_str(engine: str) -> None:
    class Name(str): ...

    wasm.instantiate(ONE_IMPORT, {Name("env"): {Name("f"): lambda: None}}, engine=engine)


HUGE = 1 << 20_000
"""More digits than Python is willing to print."""


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda memory, table: memory[HUGE], IndexError, r"1 byte at about 2\*\*20000 are not inside a memory"),
        (lambda memory, table: memory.read(0, HUGE), IndexError, r"about 2\*\*20000 bytes at 0 are not inside a memory"),
        (lambda memory, table: memory[-HUGE:0], IndexError, r"the range about -2\*\*20000:0 is not inside"),
        (lambda memory, table: memory.grow(HUGE), wasm.Exhaustion, "memory of 1 pages"),
        (lambda memory, table: table.grow(HUGE), wasm.Exhaustion, "table of 2 entries"),
        (lambda memory, table: table[HUGE], IndexError, r"index about 2\*\*20000 is outside the table"),
        (lambda memory, table: wasm.Memory(memory.owner, -HUGE), ValueError, r"is not negative: about -2\*\*20000"),
        (lambda memory, table: wasm.Memory(memory.owner, HUGE + 1, HUGE), ValueError, r"the maximum of about 2\*\*20000 pages is less"),
        (lambda memory, table: wasm.Limits(heap=-HUGE), ValueError, r"limit heap is negative: about -2\*\*20000"),
    ],
)
def test_a_number_that_cannot_be_printed_is_told_by_its_size(
    engine: str, call: Callable[[wasm.Memory, wasm.Table], Any], kind: type[Exception], message: str
) -> None:
    store = wasm.Store(engine)
    with pytest.raises(kind, match=message):
        call(wasm.Memory(store, 1), wasm.Table(store, wasm.funcref, 2))


def test_a_field_that_is_called_like_something_else_has_to_be_asked_for(engine: str) -> None:
    text = """(module (type $s (struct (field $owner (mut i32)) (field $x (mut i32))))
      (func (export "f") (result (ref $s)) (struct.new_default $s)))"""
    s = wasm.instantiate(text, engine=engine).exports.f()
    with pytest.raises(AttributeError, match=r"'owner' is no field but what every Struct has; a field of that name is s\['owner'\]"):
        s.owner = 5
    s["owner"] = 5
    s.x = 6
    assert (s["owner"], s.x) == (5, 6)


@pytest.mark.parametrize("name", ["get", "items", "keys", "values"])
def test_exports_are_no_mapping_and_say_how_to_make_one(engine: str, name: str) -> None:
    exports = wasm.instantiate('(module (func (export "f")))', engine=engine).exports
    with pytest.raises(AttributeError, match=r"no export '\w+'; for all of them, write \{name: exports\[name\] for name in exports\}"):
        getattr(exports, name)
