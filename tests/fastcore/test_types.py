"""Types are shared by all modules of a process, and go with the last that has them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.syntax.types import DefType
from pywasm_ref.text import parse
from tests.binary.builder import leb

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)
census = pytest.importorskip("pywasm_ref._fastcore.types").census

IDLE = 0x20000
"""So many bytes of types that nobody refers to may be left."""


def types(*groups: bytes) -> bytes:
    """A module of nothing but types."""
    content = leb(len(groups)) + b"".join(groups)
    return b"\0asm\1\0\0\0\1" + leb(len(content)) + content


def heap(index: int) -> bytes:
    """An index as a heap type, which is a number with a sign."""
    return bytes(index >> 7 * k & 0x7F | 0x80 for k in range(4)) + b"\0"


def own_types(number: int, n: int = 200) -> bytes:
    """Function types that no other number has."""
    return types(*(b"\x60" + leb(20) + bytes(0x7C + ((number * n + i) >> 2 * k & 3) for k in range(20)) + b"\0" for i in range(n)))


@pytest.fixture(autouse=True)
def flushed() -> Iterator[None]:
    """No test depends on what another left behind."""
    flush()
    yield
    flush()


def flush() -> None:
    gc.collect()
    for number in range(8):
        objects.Module(own_types(1_000_000 + number))
    gc.collect()


def test_types_go_with_the_last_module_that_has_them() -> None:
    before, numbers, _ = census()
    for number in range(300):
        objects.Module(own_types(number))
    groups, most, idle = census()
    assert idle <= IDLE
    assert groups - before < 1000
    assert most - numbers < 1000


def test_modules_that_are_alive_keep_their_types() -> None:
    kept = [objects.Module(own_types(number)) for number in range(20)]
    again = [objects.Module(own_types(number)) for number in range(20)]
    groups, _, _ = census()
    assert groups >= 4000
    del kept
    assert census()[0] == groups
    del again
    flush()
    assert census()[0] < groups - 3000


def test_a_long_chain_of_types_goes_without_recursion() -> None:
    n = 100_000
    chain = types(b"\x5f\0", *(b"\x5f\1\x64" + heap(i) + b"\0" for i in range(n)))
    before = census()[0]
    module = objects.Module(chain)
    assert census()[0] > before + n
    del module
    flush()
    assert census()[0] < before + n // 2


def test_groups_of_all_sizes_use_the_same_numbers_again() -> None:
    _, numbers, _ = census()
    for n in range(1, 400):
        objects.Module(types(b"\x4e" + leb(n) + b"\x5f\0" * n))
    assert census()[1] - numbers < 2000


def test_recursive_groups_and_blocks_of_their_types_go_too() -> None:
    def source(i: int) -> bytes:
        return binary.encode(parse(f"""(module
          (rec (type $f (func (result (ref null $f)))) (type $s (sub (struct (field (ref null $f)) (field (mut (ref null $s))) {"(field i32)" * i}))))
          (type $t (sub $s (struct (field (ref null $f)) (field (mut (ref null $s))) {"(field i32)" * i} (field f32))))
          (elem declare func $g) (func $g (type $f) (block (result (ref null $f)) (ref.func $g)))
          (func (export "new") (result (ref $t)) (struct.new_default $t)))"""))

    before = census()[0]
    for i in range(600):
        objects.Module(source(i))
    flush()
    assert census()[0] - before < 900


STRUCT = """(module (type $p (struct (field $x (mut i32)) (field $other (mut (ref null $p)))))
  (type $q (sub (struct (field i64))))
  (func (export "make") (param i32 (ref null $p)) (result (ref $p)) (struct.new $p (local.get 0) (local.get 1)))
  (func (export "x") (param anyref) (result i32) (struct.get $p $x (ref.cast (ref $p) (local.get 0))))
  (func (export "is") (param anyref) (result i32) (ref.test (ref $p) (local.get 0)))
  (func (export "garbage") (param i32)
    (loop (drop (struct.new $q (i64.const 7))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def churn() -> None:
    """Types come and go, so that what was freed is used for others."""
    gc.collect()
    for number in range(40):
        objects.Module(own_types(2_000_000 + number))


def test_an_object_outlives_the_modules_that_have_its_type() -> None:
    store = wasm.Store("fast")
    instance: Any = wasm.instantiate(wasm.Module(STRUCT, engine="fast"), store=store)
    inner = instance.exports.make(5, None)
    outer = instance.exports.make(6, inner)
    del instance
    churn()
    other: Any = wasm.instantiate(wasm.Module(STRUCT, engine="fast"), store=store)
    other.exports.garbage(200_000)
    assert other.exports.x(outer) == 6
    assert [outer[0], outer[1][0]] == [6, 5]
    del inner, other
    churn()
    assert outer[1][0] == 5
    outer[0] = 9
    again: Any = wasm.instantiate(wasm.Module(STRUCT, engine="fast"), store=store)
    assert again.exports["is"](outer) == 1
    assert again.exports.x(outer) == 9


def test_a_store_lets_go_of_types_at_its_end() -> None:
    before = census()[0]
    for i in range(300):
        text = STRUCT.replace("(field i64)", "(field i64)" + "(field f32)" * i).replace("(i64.const 7)", "(i64.const 7)" + "(f32.const 0)" * i)
        store = wasm.Store("fast")
        instance: Any = wasm.instantiate(wasm.Module(text, engine="fast"), store=store)
        kept = instance.exports.make(5, None)
        del instance
        assert kept[0] == 5
    del store, kept
    flush()
    assert census()[0] - before < 300


LENT = """(module (import "env" "f" (func $f (param i32 i64 f32 f64 i32 i64) (result i64 i32)))
  (tag $e (export "e") (param i64 i64 i64 f32 f32 i32)) (export "f" (func $f))
  (table (export "t") 4 (ref null $r)) (type $r (func (param i64 f64 i64 f64 i64 f64)))
  (func (export "call") (result i64 i32) (call $f (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5) (i64.const 6))))"""


def test_functions_tags_and_tables_outlive_their_modules() -> None:
    store = wasm.Store("fast")
    instance: Any = wasm.instantiate(wasm.Module(LENT, engine="fast"), {"env": {"f": lambda *given: (given[5], given[0])}}, store=store)
    exports = instance.exports
    f, tag, table = exports.f, exports.e, exports.t
    expected = [str(one.type) for one in (f, tag, table)]
    assert exports.call() == (6, 1)
    del instance, exports
    churn()
    assert [str(one.type) for one in (f, tag, table)] == expected
    assert f(1, 2, 3, 4, 5, 6) == (6, 1)
    with pytest.raises(wasm.WasmException) as caught:
        raise wasm.WasmException(tag, (1, 2, 3, 4.0, 5.0, 6))
    assert caught.value.tag is tag


def test_a_type_that_python_kept_can_be_used_when_its_module_is_gone() -> None:
    module = objects.Module(binary.encode(parse(LENT)))
    kept: DefType = module.imports[0][2].type
    comp = kept.rectype.subtypes[kept.index].comp
    del module
    churn()
    store = objects.Store()
    func = store.func_alloc(kept, lambda given: [given[1], given[0]])
    churn()
    assert store.func_invoke(func, [1, 2, 3, 4, 5, 6]) == [2, 1]
    found = store.func_type(func)
    assert found.rectype.subtypes[found.index].comp == comp
    again = objects.Module(binary.encode(parse(LENT)))
    assert again.imports[0][2].type is found
    made = objects.Instance(again, [func], store)
    assert made.exports["call"]() == (2, 1)


def test_types_that_the_host_made_go_with_their_store() -> None:
    before = census()[0]
    for number in range(100):
        module = objects.Module(own_types(number, 20) + leb(2) + leb(len(imports := imported(20))) + imports)
        wanted = [entry[2].type for entry in module.imports]
        del module
        store = objects.Store()
        assert [store.func_type(store.func_alloc(type, list)) is type for type in wanted] == [True] * 20
    del store
    flush()
    assert census()[0] - before < 900


def imported(n: int) -> bytes:
    """The import section's content for a function of each type."""
    return leb(n) + b"".join(b"\1m" + leb(2) + b"%02d" % i + b"\0" + leb(i) for i in range(n))


def test_threads_make_and_let_go_of_the_same_types() -> None:
    wrong: list[object] = []

    def work(turn: int) -> None:
        for i in range(120):
            number = (i * 7 + turn) % 11
            module = objects.Module(own_types(number, 300) + b"\2" + leb(len(imports := imported(20))) + imports)
            if [len(entry[2].type.rectype.subtypes[0].comp.params) for entry in module.imports] != [20] * 20:
                wrong.append((turn, i))

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert census()[2] <= IDLE
