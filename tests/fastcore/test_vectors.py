"""Vectors, relaxed vectors and wide arithmetic in the native engine: every instruction against the reference engine's numbers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Any

import pytest

from pywasm_ref.binary import encode
from pywasm_ref.errors import Invalid, Malformed, Trap
from pywasm_ref.features import WASM_3, Feature
from pywasm_ref.isa import OPS
from pywasm_ref.numerics import I8X16
from pywasm_ref.syntax.instructions import Op
from pywasm_ref.text import parse
from tests.numerics.operands import scalar_rows, vector_rows

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)

ALL = WASM_3 | {Feature.WIDE_ARITHMETIC}
PREFIX = 0xFD
LETTERS = "abcd"


def instance(source: str, *imports: Any) -> Any:
    return objects.Instance(objects.Module(encode(parse(source, ALL)), ALL), imports)


def bits(function: Any, args: Any) -> Any:
    """The results of a call, exact to the bit."""
    return objects.Store().func_invoke(function, args)


def lane_types(op: Op) -> tuple[list[str], list[str]]:
    left, right = op.type.split("->")
    return left.split(), right.split()


def shape_of(op: Op) -> str:
    """The shape whose special values are worth trying: what it reads, where the name tells."""
    shape, name = op.mnemonic.split(".")
    return next((part for part in name.split("_") if part in ("f32x4", "f64x2", "i32x4", "i16x8", "i8x16")), shape)


PURE = [op for op in OPS if isinstance(op.code, tuple) and op.code[0] == PREFIX and not op.immediates]
LANE = [op for op in OPS if op.immediates == ("laneidx",)]
WIDE = [op for op in OPS if op.feature is Feature.WIDE_ARITHMETIC]


@pytest.mark.parametrize("op", PURE, ids=lambda op: op.mnemonic)
def test_an_instruction_gives_what_the_reference_gives(op: Op) -> None:
    left, right = lane_types(op)
    gets = " ".join(f"(local.get {i})" for i in range(len(left)))
    params = f"(param {' '.join(left)}) (result {right[0]})"
    # Operands come from locals and from the stack, from memory and from accumulators: `h` has them all computed before.
    computed = " ".join(f"(call ${t} (local.get {i}))" for i, t in enumerate(left))
    same = " ".join(f"(func ${t} (param {t}) (result {t}) (local.get 0))" for t in {*left})
    made = instance(
        f'(module {same} (func (export "f") {params} ({op.mnemonic} {gets})) (func (export "g") {params} (local {right[0]})'
        f" (local.set {len(left)} ({op.mnemonic} {computed})) (local.get {len(left)})))"
    )
    function = op.primitive
    assert function is not None
    f, g = made.exports["f"], made.exports["g"]
    for row in vector_rows(left, shape_of(op), op.mnemonic):
        assert bits(f, row) == bits(g, row) == [function(*row)], row


@pytest.mark.parametrize("op", LANE, ids=lambda op: op.mnemonic)
def test_every_lane_is_read_and_written(op: Op) -> None:
    left, right = lane_types(op)
    shape = op.mnemonic.split(".")[0]
    gets = " ".join(f"(local.get {i})" for i in range(len(left)))
    count = int(shape[shape.index("x") + 1 :])
    functions = (f'(func (export "{k}") (param {" ".join(left)}) (result {right[0]}) ({op.mnemonic} {k} {gets}))' for k in range(count))
    made = instance(f"(module {' '.join(functions)})").exports
    function = op.primitive
    assert function is not None
    for k in range(count):
        for v, *x in vector_rows(left, shape, op.mnemonic, 8):
            assert bits(made[str(k)], [v, *x]) == [function(v, k, *x)]


@pytest.mark.parametrize("op", WIDE, ids=lambda op: op.mnemonic)
def test_wide_arithmetic_gives_what_the_reference_gives(op: Op) -> None:
    left, _ = lane_types(op)
    gets = " ".join(f"(local.get {i})" for i in range(len(left)))
    f = instance(f'(module (func (export "f") (param {" ".join(left)}) (result i64 i64) ({op.mnemonic} {gets})))').exports["f"]
    function = op.primitive
    assert function is not None
    for row in scalar_rows(left, op.mnemonic, 200)[-400:]:
        assert tuple(bits(f, row)) == function(*row), row


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_shuffles_of_bytes_and_of_groups_of_them(size: int) -> None:
    dice = random.Random(size)
    for _ in range(40):
        groups = [dice.randrange(32 // size) for _ in range(16 // size)]
        lanes = [group * size + k for group in groups for k in range(size)]
        v, w = dice.getrandbits(128), dice.getrandbits(128)
        source = f'(module (func (export "f") (param v128 v128) (result v128) (i8x16.shuffle {" ".join(map(str, lanes))} (local.get 0) (local.get 1))))'
        assert bits(instance(source).exports["f"], [v, w]) == [I8X16.shuffle(lanes, v, w)]


MEMORY = """(module (memory (export "m") 1) (data (i32.const 0) "\\00\\81\\02\\83\\04\\85\\06\\87\\08\\89\\0a\\8b\\0c\\8d\\0e\\8f\\10")
  (func (export "f") (param i32 v128) (result v128) {body}))"""
LOADS = [op for op in OPS if op.mnemonic.startswith("v128.load") and len(op.immediates) == 1]


@pytest.mark.parametrize("op", LOADS, ids=lambda op: op.mnemonic)
def test_a_load_is_what_its_name_says_and_traps_at_the_end(op: Op) -> None:
    made = instance(MEMORY.format(body=f"({op.mnemonic} offset=1 (local.get 0))")).exports["f"]
    computed = instance(MEMORY.format(body=f"({op.mnemonic} offset=1 (i32.add (local.get 0) (i32.const 0)))")).exports["f"]
    read = int.from_bytes(bytes([i | 0x80 if i % 2 else i for i in range(1, 17)])[: op.access], "little")
    expected = op.primitive(read) if op.primitive is not None else read
    assert bits(made, (0, 0)) == bits(computed, (0, 0)) == [expected]
    assert bits(made, (65535 - op.access, 0)) == [0]
    for address in (65536 - op.access, 0xFFFF_FFFF):
        with pytest.raises(Trap, match="out of bounds memory access"):
            bits(made, (address, 0))
        with pytest.raises(Trap, match="out of bounds memory access"):
            bits(computed, (address, 0))


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_one_lane_is_loaded_and_stored(width: int) -> None:
    v = int.from_bytes(bytes(range(0x20, 0x30)), "little")
    for k in range(128 // width):
        load = f"(v128.load{width}_lane offset=1 {k} (local.get 0) (local.get 1))"
        store = f"(v128.store{width}_lane offset=3 {k} (local.get 0) (local.get 1)) (v128.load offset=3 (local.get 0))"
        loaded = bits(instance(MEMORY.format(body=load)).exports["f"], (0, v))[0].to_bytes(16, "little")
        at = k * width // 8
        assert loaded[at : at + width // 8] == bytes([i | 0x80 if i % 2 else i for i in range(1, 17)])[: width // 8]
        assert loaded[:at] + loaded[at + width // 8 :] == (b := v.to_bytes(16, "little"))[:at] + b[at + width // 8 :]
        stored = bits(instance(MEMORY.format(body=store)).exports["f"], (32, v))[0].to_bytes(16, "little")
        assert stored == b[at : at + width // 8] + bytes(16 - width // 8)
        for body in (load, store):
            with pytest.raises(Trap, match="out of bounds memory access"):
                bits(instance(MEMORY.format(body=body)).exports["f"], (65536 - width // 8, v))


def test_a_store_writes_all_lanes_or_traps() -> None:
    body = "(v128.store offset=16 (local.get 0) (local.get 1)) (v128.load (i32.const 24))"
    f = instance(MEMORY.format(body=body)).exports["f"]
    v = int.from_bytes(bytes(range(1, 17)), "little")
    assert bits(f, (8, v)) == [v]
    with pytest.raises(Trap, match="out of bounds memory access"):
        bits(f, (65536 - 31, v))
    with pytest.raises(Trap, match="out of bounds memory access"):
        bits(f, (0xFFFF_FFFF, v))


@pytest.mark.parametrize(
    ("memories", "memory", "address"),
    [("(memory i64 1)", "", "i64"), ("(memory 0) (memory 1)", "1", "i32"), ("(memory 2) (memory i64 1)", "1", "i64")],
)
def test_other_memories_than_the_first_with_32_bits(memories: str, memory: str, address: str) -> None:
    made = instance(f"""(module {memories}
      (func (export "whole") (param {address} v128) (result v128)
        (v128.store {memory} offset=3 (local.get 0) (local.get 1)) (v128.load {memory} offset=3 (local.get 0)))
      (func (export "lane") (param {address} v128) (result v128)
        (v128.store32_lane {memory} offset=1 2 (local.get 0) (v128.not (local.get 1)))
        (v128.load32_lane {memory} offset=1 1 (local.get 0) (local.get 1)))
      (func (export "splat") (param {address} v128) (result v128) (v128.load16_splat {memory} (local.get 0))))""").exports
    v = int.from_bytes(bytes(range(1, 17)), "little")
    assert bits(made["whole"], (40, v)) == [v]
    assert bits(made["lane"], (100, v)) == [v & ~(0xFFFFFFFF << 32) | (~(v >> 64) & 0xFFFFFFFF) << 32]
    assert bits(made["splat"], (47, v)) == [0x0605_0605_0605_0605_0605_0605_0605_0605]
    for name, end in (("whole", 65536 - 18), ("lane", 65536 - 4), ("splat", 65535)):
        with pytest.raises(Trap, match="out of bounds memory access"):
            bits(made[name], (end, v))
        with pytest.raises(Trap, match="out of bounds memory access"):
            bits(made[name], ((1 << int(address[1:])) - 1, v))


ONE, TWO = (1 << 127) | 1, (2 << 100) | 2
PLUMBING = {
    "a vector and scalars change places": (
        '(func (export "f") (param i32 v128 i64 v128 f32) (result v128 i64 v128) (local v128) (local.set 5 (local.get 1)) '
        "(local.get 3) (local.get 2) (local.get 5))",
        (7, ONE, 9, TWO, 0x3FC00000),
        (TWO, 9, ONE),
    ),
    "a block with vectors as parameters and results": (
        '(func (export "f") (param v128 v128) (result v128 v128) (i32.const 5) (local.get 0) (local.get 1) '
        "(block (param v128 v128) (result v128 i32 v128) (local.set 0) (i32.const 3) (local.get 0) (br 0)) "
        "(local.set 1) (drop) (local.set 0) (drop) (local.get 1) (local.get 0))",
        (ONE, TWO),
        (TWO, ONE),
    ),
    "a branch moves vectors down past what is dropped": (
        '(func (export "f") (param v128 i32) (result v128 i32) (block (result v128 i32) (i64.const 1) (i64.const 2) (local.get 0) (local.get 1) '
        "(br_if 0 (i32.const 1)) (drop) (drop) (drop) (drop) (v128.const i64x2 0 0) (i32.const 0)))",
        (ONE, 5),
        (ONE, 5),
    ),
    "a branch table moves vectors": (
        '(func (export "f") (param v128 i32) (result v128) (block (result v128) (i32.const 8) '
        "(block (result v128) (i32.const 9) (local.get 0) (br_table 0 1 (local.get 1))) (local.set 0) (drop) (v128.not (local.get 0))))",
        (ONE, 1),
        (ONE,),
    ),
    "a loop carries a vector": (
        '(func (export "f") (param v128 i32) (result v128) (local.get 0) (loop (param v128) (result v128) (i32x4.add (v128.const i32x4 1 0 0 1)) '
        "(local.set 1 (i32.sub (local.get 1) (i32.const 1))) (br_if 0 (local.get 1))))",
        (0, 5),
        (5 | 5 << 96,),
    ),
    "select keeps both halves": (
        '(func (export "f") (param v128 v128 i32) (result v128 v128) (select (local.get 0) (local.get 1) (local.get 2)) '
        "(select (result v128) (local.get 0) (local.get 1) (i32.eqz (local.get 2))))",
        (ONE, TWO, 1),
        (ONE, TWO),
    ),
    "a tee that waits on the stack is not overwritten": (
        '(func (export "f") (param v128 v128) (result v128 v128) (local.get 0) (local.tee 0 (local.get 1)) (v128.xor (local.get 0)) (drop) (local.get 0))',
        (ONE, TWO),
        (ONE, TWO),
    ),
    "a result goes to a local that is still to be read": (
        '(func (export "f") (param v128 v128) (result v128 v128) (local.get 0) (local.set 0 (v128.or (local.get 0) (local.get 1))) (local.get 0))',
        (ONE, TWO),
        (ONE, ONE | TWO),
    ),
    "calls pass and return vectors between scalars": (
        "(func $g (param i32 v128 i32 v128) (result v128 i32 v128) (local.get 3) (i32.add (local.get 0) (local.get 2)) (local.get 1)) "
        '(func (export "f") (param v128 v128) (result v128 i32 v128) (i64.const 1) (call $g (i32.const 2) (local.get 0) (i32.const 3) (local.get 1)) '
        "(local.set 0) (i32.add (i32.const 1)) (local.get 0) (return))",
        (ONE, TWO),
        (TWO, 6, ONE),
    ),
    "an accumulator that equals a slot is forgotten when a vector comes over it": (
        '(func (export "f") (param v128 i64) (result i64) (local i64) (local.get 1) (i64.add (i64.const 1)) (local.set 2) (local.get 0) (drop) '
        "(i64x2.extract_lane 1 (i64x2.add (local.get 0) (v128.const i64x2 1 1))) (i64.add (local.get 2)))",
        (5 << 64, 10),
        (17,),
    ),
    "an address below a vector is overwritten by the lane that is loaded": (
        '(memory 1) (func (export "f") (param v128) (result v128) (i32.add (i32.const 8) (i32.const 8)) (v128.not (v128.not (local.get 0))) '
        "(v128.load32_lane 3))",
        (TWO,),
        (TWO & ((1 << 96) - 1),),
    ),
    "globals hold vectors beside scalars": (
        "(global $a i32 (i32.const 3)) (global $v (mut v128) (v128.const i64x2 1 2)) (global $w v128 (v128.const i64x2 7 8)) (global $b (mut i64) (i64.const 4)) "
        '(func (export "f") (param v128) (result i32 v128 v128 i64) (global.get $a) (global.get $v) (global.set $v (local.get 0)) (global.get $v) '
        "(global.set $b (i64.add (global.get $b) (i64.const 1))) (global.get $b))",
        (ONE,),
        (3, 1 | 2 << 64, ONE, 5),
    ),
    "more constants than one": (
        '(func (export "f") (result v128) (i32x4.sub (i32x4.mul (v128.const i32x4 2 3 4 5) (v128.const i32x4 6 7 8 9)) (v128.const i32x4 1 1 1 1)))',
        (),
        (11 | 20 << 32 | 31 << 64 | 44 << 96,),
    ),
}


@pytest.mark.parametrize("name", PLUMBING)
def test_two_slots_stay_together(name: str) -> None:
    body, args, results = PLUMBING[name]
    assert tuple(bits(instance(f"(module {body})").exports["f"], args)) == results


def test_the_host_gives_and_takes_16_bytes() -> None:
    def host(i: int, v: bytes, j: int) -> tuple[bytes, int]:
        return v[::-1], i + j

    source = """(module (import "m" "h" (func $h (param i32 v128 i32) (result v128 i32)))
      (func (export "f") (param v128) (result i32 v128) (local i32) (call $h (i32.const 1) (local.get 0) (i32.const 2)) (local.set 1) (local.set 0)
        (local.get 1) (local.get 0)))"""
    f = instance(source, host).exports["f"]
    v = bytes(range(16))
    assert f(v) == f(bytearray(v)) == (3, v[::-1])
    with pytest.raises(ValueError, match="16 bytes are expected for v128, not 15"):
        f(v[1:])
    with pytest.raises(TypeError, match="16 bytes are expected for v128, not int"):
        f(5)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xfd\x0c" + bytes(16) + b"\xfd\x15\x10\x1a", "invalid lane index 16: there are 16 lanes"),
        (
            b"\xfd\x0c" + bytes(16) + b"\xfd\x0c" + bytes(16) + b"\xfd\x0d" + bytes(15) + b"\x20\x1a",
            "invalid lane index 32: there are 32 lanes",
        ),
        (b"\x41\x00\xfd\x00\x05\x00\x1a", "alignment must not be larger than natural"),
        (b"\xfd\x6e\x1a", "type mismatch"),
    ],
)
def test_what_is_no_vector_instruction_is_invalid(body: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        objects.Module(encode_body(body))


@pytest.mark.parametrize("body", [b"\xfd\x9a\x01", b"\xfd\x94\x02", b"\xfd\xff\xff\xff\xff\x0f", b"\xfd\x0c" + bytes(9)])
def test_what_is_no_instruction_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        objects.Module(encode_body(body))


@pytest.mark.parametrize(
    ("body", "without", "words"),
    [
        ("(drop (v128.any_true (v128.const i32x4 1 2 3 4)))", Feature.SIMD, "illegal opcode fd 0c"),
        ("(drop (v128.any_true (i16x8.relaxed_q15mulr_s (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))))",
         Feature.RELAXED_SIMD, "illegal opcode fd 111"),
        ("(i64.mul_wide_u (i64.const 1) (i64.const 2)) drop drop", Feature.WIDE_ARITHMETIC, "illegal opcode fc 16"),
    ],
)  # fmt: skip
def test_an_instruction_needs_its_feature(body: str, without: Feature, words: str) -> None:
    data = encode(parse(f"(module (func {body}))", ALL))
    objects.Module(data, ALL)
    with pytest.raises(Malformed, match=words):
        objects.Module(data, ALL - {without})


def encode_body(body: bytes) -> bytes:
    """A module with a memory and a function that has this body."""
    code = bytes([len(body) + 2, 0]) + body + b"\x0b"
    return b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\1\x0a" + bytes([len(code) + 1, 1]) + code


@pytest.mark.skipif("PYWASM_FASTCORE_DISPATCH" in os.environ, reason="it was said which backend to test")
def test_the_portable_loop_has_the_same_vectors() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "not portable"]
    done = subprocess.run(command, env=os.environ | {"PYWASM_FASTCORE_DISPATCH": "loop"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
