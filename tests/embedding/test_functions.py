"""The specification's embedding interface, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.embedding import functions as f
from pywasm_ref.embedding.engine import Engine, Store
from pywasm_ref.errors import Exhaustion, Invalid, Malformed, Trap, Unlinkable, WasmException
from pywasm_ref.syntax.types import (
    ANYREF,
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    V128,
    AbsHeapType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    RefType,
    TableType,
    TagType,
)

MODULE = """(module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1 3)
  (tag $oops (export "oops") (param i32))
  (func (export "four") (param i32) (result i32) (call $twice (call $twice (local.get 0))))
  (func (export "throw") (param i32) (throw $oops (local.get 0)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))"""


@pytest.fixture
def chosen(engine: str) -> Engine:
    return wasm.engine(engine)


@pytest.fixture
def store(chosen: Engine) -> Store:
    return f.store_init(chosen)


@pytest.fixture
def instance(store: Store, chosen: Engine) -> Any:
    module = f.module_parse(chosen, MODULE)
    f.module_validate(module)
    return f.module_instantiate(store, module, [f.func_alloc(store, f.functype((I32,), (I32,)), twice)])


def twice(args: Sequence[Any]) -> Sequence[Any]:
    return [args[0] * 2 & 0xFFFF_FFFF]


def test_a_module_that_cannot_be_read_is_malformed(chosen: Engine) -> None:
    with pytest.raises(Malformed, match="magic header not detected"):
        f.module_decode(chosen, b"\0wasm\1\0\0\0")
    with pytest.raises(Malformed):
        f.module_parse(chosen, "(module (func")


def test_a_module_that_is_read_may_still_be_invalid(chosen: Engine) -> None:
    module = f.module_parse(chosen, "(module (func (result i32)))")
    with pytest.raises(Invalid, match="type mismatch"):
        f.module_validate(module)


def test_imports_and_exports_have_closed_types_in_order(chosen: Engine) -> None:
    module = f.module_parse(chosen, MODULE)
    [(module_name, name, imported)] = f.module_imports(module)
    assert (module_name, name) == ("env", "twice")
    assert f.match_externtype(imported, FuncTypeUse(f.functype((I32,), (I32,))))
    exports = f.module_exports(module)
    assert [name for name, _ in exports] == ["memory", "oops", "four", "throw", "divide"]
    assert exports[0][1] == MemType(I32, Limits(1, 3))
    assert exports[1][1] == TagType(f.functype((I32,), ()))


def test_a_missing_or_wrong_extern_is_unlinkable(chosen: Engine, store: Store) -> None:
    module = f.module_parse(chosen, MODULE)
    with pytest.raises(Unlinkable):
        f.module_instantiate(store, module, [])
    with pytest.raises(Unlinkable, match="incompatible import type"):
        f.module_instantiate(store, module, [f.func_alloc(store, f.functype((I64,), (I32,)), twice)])


def test_an_export_is_found_by_its_name(instance: Any, store: Store) -> None:
    assert f.extern_type(store, f.instance_export(instance, "memory")) == MemType(I32, Limits(1, 3))
    with pytest.raises(Unlinkable, match="unknown export 'nothing'"):
        f.instance_export(instance, "nothing")


def test_a_function_is_invoked_with_bits(instance: Any, store: Store) -> None:
    four: Any = f.instance_export(instance, "four")
    assert f.expand(f.func_type(store, four)) == FuncType((I32,), (I32,))
    assert list(f.func_invoke(store, four, [0xC000_0001])) == [4]


@pytest.mark.parametrize("args", [[], [1, 2], [-1], [2**32], [1.0], ["1"], [None]])
def test_arguments_that_are_not_the_bits_of_their_type_are_refused(instance: Any, store: Store, args: list[Any]) -> None:
    four: Any = f.instance_export(instance, "four")
    with pytest.raises(TypeError):
        f.func_invoke(store, four, args)


def test_a_trap_and_an_exception_come_out_of_a_call(instance: Any, store: Store) -> None:
    divide: Any = f.instance_export(instance, "divide")
    throw: Any = f.instance_export(instance, "throw")
    with pytest.raises(Trap, match="integer divide by zero"):
        f.func_invoke(store, divide, [1, 0])
    with pytest.raises(WasmException) as caught:
        f.func_invoke(store, throw, [7])
    assert caught.value.tag is f.instance_export(instance, "oops")
    assert caught.value.values == (7,)


def test_a_table_is_read_written_and_grown(store: Store) -> None:
    table = f.table_alloc(store, TableType(I32, Limits(1, 3), EXTERNREF), None)
    one = store.host_alloc("one")
    f.table_write(store, table, 0, one)
    assert f.table_read(store, table, 0) is one
    f.table_grow(store, table, 2, None)
    assert (f.table_size(store, table), f.table_read(store, table, 2)) == (3, None)
    assert f.table_type(store, table) == TableType(I32, Limits(3, 3), EXTERNREF)
    with pytest.raises(Exhaustion):
        f.table_grow(store, table, 1, None)


@pytest.mark.parametrize("i", [1, 2**32, 2**64, -1])
def test_a_table_has_an_end(store: Store, i: int) -> None:
    table = f.table_alloc(store, TableType(I32, Limits(1), FUNCREF), None)
    with pytest.raises(Trap, match="out of bounds table access"):
        f.table_read(store, table, i)
    with pytest.raises(Trap, match="out of bounds table access"):
        f.table_write(store, table, i, None)


def test_a_table_takes_no_reference_of_another_type(store: Store) -> None:
    table = f.table_alloc(store, TableType(I32, Limits(1), FUNCREF), None)
    with pytest.raises(TypeError):
        f.table_write(store, table, 0, store.host_alloc("no function"))
    with pytest.raises(TypeError):
        f.table_alloc(store, TableType(I32, Limits(1), RefType(False, AbsHeapType.FUNC)), None)


def test_a_memory_is_read_written_and_grown(store: Store) -> None:
    memory = f.mem_alloc(store, MemType(I32, Limits(1, 2)))
    f.mem_write(store, memory, 65_535, 255)
    assert f.mem_read(store, memory, 65_535) == 255
    f.mem_grow(store, memory, 1)
    assert (f.mem_size(store, memory), f.mem_type(store, memory)) == (2, MemType(I32, Limits(2, 2)))
    with pytest.raises(Exhaustion):
        f.mem_grow(store, memory, 1)
    with pytest.raises(TypeError):
        f.mem_write(store, memory, 0, 256)


@pytest.mark.parametrize("i", [65_536, 2**32, 2**64, -1])
def test_a_memory_has_an_end(store: Store, i: int) -> None:
    memory = f.mem_alloc(store, MemType(I32, Limits(1)))
    with pytest.raises(Trap, match="out of bounds memory access"):
        f.mem_read(store, memory, i)
    with pytest.raises(Trap, match="out of bounds memory access"):
        f.mem_write(store, memory, i, 0)


def test_an_exception_has_a_tag_and_values(store: Store) -> None:
    tag = f.tag_alloc(store, TagType(f.functype((I32, F64), ())))
    assert f.tag_type(store, tag) == TagType(f.functype((I32, F64), ()))
    exn = f.exn_alloc(store, tag, [1, 2])
    assert f.exn_tag(store, exn) is tag
    assert list(f.exn_read(store, exn)) == [1, 2]
    with pytest.raises(TypeError):
        f.exn_alloc(store, tag, [1])


def test_a_global_is_read_and_written_where_it_is_mutable(store: Store) -> None:
    variable = f.global_alloc(store, GlobalType(True, I64), 2**64 - 1)
    f.global_write(store, variable, 5)
    assert (f.global_read(store, variable), f.global_type(store, variable)) == (5, GlobalType(True, I64))
    constant = f.global_alloc(store, GlobalType(False, I64), 1)
    with pytest.raises(TypeError, match="immutable global"):
        f.global_write(store, constant, 2)
    with pytest.raises(TypeError):
        f.global_write(store, variable, 2**64)


def test_a_reference_knows_its_type(store: Store) -> None:
    host = store.host_alloc("x")
    assert f.ref_type(store, host) == RefType(False, AbsHeapType.EXTERN)
    assert f.ref_type(store, store.extern_internalize(host)) == RefType(False, AbsHeapType.ANY)
    assert f.ref_type(store, store.i31_alloc(3)) == RefType(False, AbsHeapType.I31)
    deftype = f.functype((), ())
    assert f.ref_type(store, f.func_alloc(store, deftype, lambda _: ())) == RefType(False, deftype)
    assert f.ref_type(store, None) == RefType(True, AbsHeapType.NONE)
    exn = f.exn_alloc(store, f.tag_alloc(store, TagType(deftype)), [])
    assert f.ref_type(store, exn) == RefType(False, AbsHeapType.EXN)


def test_a_default_is_zero_or_null_or_none_there_is() -> None:
    assert [f.val_default(t) for t in (I32, I64, F32, F64, V128)] == [0] * 5
    assert f.val_default(FUNCREF) is None
    with pytest.raises(TypeError):
        f.val_default(RefType(False, AbsHeapType.FUNC))


def test_types_match_as_the_specification_says() -> None:
    assert f.match_valtype(I32, I32)
    assert not f.match_valtype(I32, I64)
    assert f.match_valtype(RefType(False, AbsHeapType.I31), ANYREF)
    assert not f.match_valtype(ANYREF, FUNCREF)
    assert f.match_externtype(MemType(I32, Limits(2, 3)), MemType(I32, Limits(1, 4)))
    assert not f.match_externtype(MemType(I32, Limits(1, 4)), MemType(I32, Limits(2, 3)))
