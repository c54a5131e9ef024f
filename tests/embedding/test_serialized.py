"""Modules as bytes: what is kept comes back, and nothing else is taken for it."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.embedding import serialized

KEY = b"sixteen bytes or more"
KEYS = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "keyed"])

KINDS = {
    "empty": "(module)",
    "memory and data": """(module $named (memory (export "m") 1 2) (data (i32.const 3) "abc") (data $later "xyz")
      (func (export "f") (result i32) (memory.init $later (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $later) (i32.load (i32.const 0))))""",
    "memory64": """(module (memory i64 1) (memory $other 2)
      (func (export "f") (result i32) (i64.store (i64.const 8) (i64.const 77)) (i32.store $other (i32.const 8) (i32.const 1))
        (i32.add (i32.load (i64.const 8)) (i32.load $other (i32.const 8)))))""",
    "tables": """(module (type $t (func (result i32))) (table $t 4 funcref) (table $i64 i64 1 externref) (elem (i32.const 1) $a $b) (elem declare func $a)
      (func $a (result i32) (i32.const 4)) (func $b (result i32) (i32.const 5))
      (func (export "f") (result i32) (i32.add (call_indirect $t (type $t) (i32.const 2)) (call_ref $t (ref.func $a)))))""",
    "start": """(module (global $g (mut i32) (i32.const 1)) (global (export "v") v128 (v128.const i64x2 1 2)) (start $s)
      (func $s (global.set $g (i32.const 9))) (func (export "f") (result i32) (global.get $g)))""",
    "control": """(module (func $f (param i32) (result i32)
        (block $a (block $b (block $c (br_table $a $b $c (local.get 0))) (return (i32.const 30))) (return (i32.const 20))) (i32.const 10))
      (func $down (param i32 i32) (result i32)
        (if (result i32) (local.get 0) (then (return_call $down (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 2)))) (else (local.get 1))))
      (func (export "f") (result i32) (i32.add (i32.add (call $f (i32.const 0)) (call $f (i32.const 1))) (call $down (i32.const 100) (i32.const 0)))))""",
    "structures": """(module (rec (type $list (sub (struct (field $head i32) (field $tail (ref null $list))))) (type $more (sub $list (struct (field i32) (field (ref null $list)) (field f64)))))
      (type $bytes (array (mut i8))) (global $empty (ref $list) (struct.new $list (i32.const 1) (ref.null $list)))
      (func (export "f") (result i32) (local $x (ref null $list))
        (local.set $x (struct.new $more (i32.const 7) (global.get $empty) (f64.const 1)))
        (i32.add (i32.add (struct.get $list $head (struct.get $list $tail (local.get $x))) (ref.test (ref $more) (local.get $x)))
          (i32.add (array.len (array.new $bytes (i32.const 1) (i32.const 30))) (i31.get_s (ref.cast (ref i31) (ref.i31 (i32.const 5))))))))""",
    "exceptions": """(module (tag $e (param i32)) (func $throw (param i32) (throw $e (local.get 0)))
      (func (export "f") (result i32) (block $h (result i32) (try_table (catch $e $h) (call $throw (i32.const 41))) (i32.const 0))))""",
    "vectors": """(module (func (export "f") (result i32) (i32x4.extract_lane 1 (i32x4.add (v128.const i32x4 1 2 3 4)
      (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 5 6 7 8) (v128.const i32x4 0 0 0 0)))))
      (func (export "d") (result f64) (f64.mul (f64.const 0.1) (f64.const 3e100))))""",
}  # fmt: skip


def told(module: wasm.Module) -> Any:
    """What a module says of itself, and does."""
    exports = wasm.instantiate(module).exports
    results = [exports[name]() for name in ("f", "d") if name in exports]
    return module.name, module.imports, module.exports, module.raw.names, module.features, results


@KEYS
@pytest.mark.parametrize("kind", KINDS)
def test_a_module_comes_back(engine: str, kind: str, key: bytes | None) -> None:
    module = wasm.Module(KINDS[kind], engine)
    data = module.serialize(key)
    again = wasm.Module.deserialize(data, engine, key)
    assert told(again) == told(module)
    assert again.serialize(key) == data
    assert again.engine is module.engine


@KEYS
def test_fuel_and_places_are_the_same_afterwards(engine: str, key: bytes | None) -> None:
    binary = wasm.Module('(module (func $deep (unreachable)) (func (export "f") (call $deep)))', engine).raw.binary
    found = []
    for module in (wasm.Module(binary, engine), wasm.Module.deserialize(wasm.Module(binary, engine).serialize(key), engine, key)):
        store = wasm.Store(engine, wasm.Limits(fuel=100))
        with pytest.raises(wasm.Trap) as trap:
            wasm.instantiate(module, store=store).exports.f()
        found.append((trap.value.at, trap.value.frames, store.fuel))
    assert found[0] == found[1]


@KEYS
def test_features_come_along(engine: str, key: bytes | None) -> None:
    text = "(module (memory 1 1 shared) (func (atomic.fence)))"
    module = wasm.Module(text, engine, ["3.0", "threads"])
    assert wasm.Module.deserialize(module.serialize(key), engine, key).features == module.features


@KEYS
def test_bytes_that_are_changed_anywhere_are_refused(engine: str, key: bytes | None) -> None:
    data = wasm.Module(KINDS["control"], engine).serialize(key)
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        with pytest.raises(wasm.Malformed, match="serialized"):
            wasm.Module.deserialize(damaged, engine, key)


@KEYS
def test_bytes_that_end_too_early_or_too_late_are_refused(engine: str, key: bytes | None) -> None:
    data = wasm.Module(KINDS["vectors"], engine).serialize(key)
    for n in range(len(data)):
        with pytest.raises(wasm.Malformed, match="serialized"):
            wasm.Module.deserialize(data[:n], engine, key)
    with pytest.raises(wasm.Malformed, match="damaged"):
        wasm.Module.deserialize(data + b"\0", engine, key)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0asm\1\0\0\0", b"\0pywasm", bytes(1000), b"(module)"])
def test_foreign_bytes_are_refused(engine: str, data: bytes) -> None:
    for key in (None, KEY):
        with pytest.raises(wasm.Malformed, match=r"not a serialized module|another version"):
            wasm.Module.deserialize(data, engine, key)


def test_a_key_is_asked_for_and_has_to_be_the_right_one(engine: str) -> None:
    module = wasm.Module("(module)", engine)
    with pytest.raises(wasm.Malformed, match="give the key"):
        wasm.Module.deserialize(module.serialize(KEY), engine)
    with pytest.raises(wasm.Malformed, match="without a key"):
        wasm.Module.deserialize(module.serialize(), engine, KEY)
    with pytest.raises(wasm.Malformed, match="another key"):
        wasm.Module.deserialize(module.serialize(KEY), engine, b"another key, just as long")
    calls: tuple[Any, ...] = (module.serialize, lambda key: wasm.Module.deserialize(module.serialize(KEY), engine, key))
    for call in calls:
        with pytest.raises(ValueError, match="16 bytes"):
            call(b"short")
        with pytest.raises(TypeError, match="a key is bytes"):
            call("not bytes at all")
    with pytest.raises(TypeError, match="a serialized module is bytes, not str"):
        wasm.Module.deserialize("text", engine)  # type: ignore[arg-type]


def resealed(data: bytes, fields: dict[int, bytes], key: bytes | None = KEY) -> bytes:
    """The same bytes with other fields, by somebody who has the key."""
    parts = [bytes(field) for field in serialized._fields(memoryview(data)[serialized.HEAD :])]
    for i, part in fields.items():
        parts[i] = part
    body = data[len(serialized.MAGIC) : len(serialized.MAGIC) + 1] + b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    digest = hashlib.sha256(body).digest() if key is None else hmac.digest(key, body, "sha256")
    return serialized.MAGIC + body[:1] + digest + body[1:]


def test_what_others_made_is_refused_by_name(engine: str) -> None:
    data = wasm.Module(KINDS["control"], engine).serialize(KEY)
    assert resealed(data, {}) == data
    with pytest.raises(wasm.Malformed, match="another version"):
        wasm.Module.deserialize(data.replace(serialized.MAGIC, serialized.MAGIC[:-1] + b"\2", 1), engine, KEY)
    for fields, words in (
        ({0: b"other"}, f"for the engine other, not {engine}"),
        ({0: engine.encode(), 1: b"other"}, f"another build of the engine {engine}"),
        ({2: b"GC TELEPATHY"}, "features that are not known: TELEPATHY"),
    ):
        with pytest.raises(wasm.Malformed, match=words):
            wasm.Module.deserialize(resealed(data, fields), engine, KEY)


def test_without_a_key_nothing_is_believed(engine: str) -> None:
    data = wasm.Module("(module)", engine).serialize()
    invalid = b"\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3\2\1\0\x0a\4\1\2\0\x0b"
    with pytest.raises(wasm.Invalid, match="type mismatch"):
        wasm.Module.deserialize(resealed(data, {3: invalid}, None), engine)
    with pytest.raises(wasm.Malformed, match="code that nobody vouches for"):
        wasm.Module.deserialize(resealed(data, {0: engine.encode(), 4: b"code"}, None), engine)


def test_a_file_of_one_engine_suits_the_others_if_it_holds_no_code(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(wasm.Module(KINDS["control"], engine).serialize())
    assert told(wasm.Module.deserialize(path.read_bytes(), "reference"))[-1] == [230]
