"""Modules as Python objects: where they come from, and what they tell of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary, text
from pywasm_ref.features import WASM_1, WASM_2, WASM_3, Features

TEXT = """(module $answers
  (import "env" "log" (func (param i32)))
  (import "env" "limit" (global (mut i64)))
  (memory (export "memory") 1 2)
  (table (export "table") 3 funcref)
  (func (export "answer") (result i32) (i32.const 42)))"""


@pytest.fixture
def encoded() -> bytes:
    return binary.encode(text.parse('(module (func (export "f") (result i32) (i32.const 42)))'))


def answer(module: wasm.Module) -> int:
    result: int = wasm.instantiate(module).exports.f()
    return result


def test_a_module_comes_from_text_bytes_or_a_file(engine: str, encoded: bytes, tmp_path: Path) -> None:
    source = '(module (func (export "f") (result i32) (i32.const 42)))'
    (tmp_path / "m.wasm").write_bytes(encoded)
    (tmp_path / "m.wat").write_text(source)
    sources: list[Any] = [
        *(source, source.encode(), encoded, bytearray(encoded), memoryview(encoded)),
        *(tmp_path / "m.wasm", str(tmp_path / "m.wasm"), tmp_path / "m.wat", str(tmp_path / "m.wat")),
    ]
    assert [answer(wasm.Module(each, engine=engine)) for each in sources] == [42] * len(sources)


def test_a_text_without_module_is_a_text_still(engine: str) -> None:
    assert wasm.Module('(func (export "f") (result i32) (i32.const 42))', engine=engine).exports[0].name == "f"
    assert wasm.Module("(module)", engine=engine).exports == ()
    assert wasm.Module("\n", engine=engine).exports == ()


def test_a_str_that_does_not_look_like_a_text_is_a_path(engine: str, tmp_path: Path) -> None:
    (tmp_path / "m (copy).wat").write_text("(module)")
    assert wasm.Module(str(tmp_path / "m (copy).wat"), engine=engine).exports == ()
    assert wasm.Module(" (func)", engine=engine).exports == ()
    assert wasm.Module("(;;)(module)", engine=engine).exports == ()
    with pytest.raises(FileNotFoundError):
        wasm.Module("module", engine=engine)
    with pytest.raises(OSError, match="directory"):
        wasm.Module("", engine=engine)


@pytest.mark.parametrize("source", [None, 3, 1.5, ["(module)"]])
def test_anything_else_is_no_module(engine: str, source: Any) -> None:
    with pytest.raises(TypeError, match="a module is a path, a text or bytes"):
        wasm.Module(source, engine=engine)


def test_an_error_names_the_file_and_the_place(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.wat"
    path.write_text("(module\n  (func (result i32)\n    (i64.const 1)))")
    with pytest.raises(wasm.Invalid, match=r"broken\.wat:\d+:\d+: type mismatch"):
        wasm.Module(path, engine=engine)
    path.write_bytes(b"(module \xff)")
    with pytest.raises(wasm.Malformed, match="malformed UTF-8 encoding"):
        wasm.Module(path, engine=engine)
    with pytest.raises(wasm.Malformed, match="magic header not detected"):
        wasm.Module(b"\xfe\xed\xfa\xce", engine=engine)


@pytest.mark.parametrize("source", ["(module \ud800)", '(module (func (export "\ud800")))', "(\0"])
def test_a_text_that_no_file_can_hold_is_malformed(engine: str, source: str) -> None:
    with pytest.raises(wasm.Malformed):
        wasm.Module(source, engine=engine)


def test_a_module_tells_what_it_imports_and_exports(engine: str) -> None:
    module = wasm.Module(TEXT, engine=engine)
    assert module.name == "answers"
    assert [str(entry) for entry in module.imports] == ["env.log (func (param i32))", "env.limit (global (mut i64))"]
    assert [str(entry) for entry in module.exports] == [
        "memory (memory 1 2)",
        "table (table 3 funcref)",
        "answer (func (result i32))",
    ]


@pytest.mark.parametrize(
    "type",
    [
        "(func)",
        "(func (param i32 i64) (result f32 f64))",
        "(func (param externref (ref extern) nullref exnref) (result (ref i31)))",
        "(tag (param v128))",
        "(tag)",
        "(global i32)",
        "(global (mut anyref))",
        "(memory 0)",
        "(memory i64 1 3 shared (pagesize 1))",
        "(table i64 1 2 structref)",
        "(table 0 (ref func))",
    ],
)
def test_a_type_is_written_as_in_a_text(engine: str, type: str) -> None:
    (entry,) = wasm.Module(f'(module (import "a" "b" {type}))', engine=engine, features="all").imports
    assert (str(entry.type), str(entry)) == (type, f"a.b {type}")


def test_a_type_that_a_module_defines_is_written_by_its_kind(engine: str) -> None:
    text = """(module (rec (type $s (struct (field (ref null $s)))) (type $f (func (param (ref $f) (ref null $s)) (result (ref $a)))) (type $a (array i8)))
      (type $g (func (param (ref $s) i32)))
      (import "m" "f" (func (type $f))) (import "m" "g" (func (type $g))) (import "m" "h" (global (ref $a))))"""
    assert [str(entry.type) for entry in wasm.Module(text, engine=engine).imports] == [
        "(func (param (ref <func>) (ref null <struct>)) (result (ref <array>)))",
        "(func (param (ref <struct>) i32))",
        "(global (ref <array>))",
    ]


def test_what_is_exported_writes_its_type_as_in_a_text(engine: str) -> None:
    text = """(module (type $p (struct (field (mut i8)) (field f64))) (type $v (array (mut i64)))
      (func (export "f") (param i32) (result f64) unreachable)
      (func (export "p") (result (ref $p)) (struct.new_default $p))
      (func (export "v") (result (ref $v)) (array.new_default $v (i32.const 1)))
      (memory (export "m") 1) (global (export "g") f32 (f32.const 1)) (table (export "t") 2 funcref) (tag (export "e") (param i32)))"""
    exports = wasm.instantiate(text, engine=engine).exports
    assert [str(exports[name].type) for name in "fmgt"] == ["(func (param i32) (result f64))", "(memory 1)", "(global f32)", "(table 2 funcref)"]
    assert str(exports.e.type) == "(func (param i32))"
    assert [str(exports[name]().type) for name in "pv"] == ["(struct (field (mut i8)) (field f64))", "(array (mut i64))"]
    assert [str(t) for t in (wasm.i32, wasm.v128, wasm.i31ref, wasm.functype([wasm.funcref]))] == ["i32", "v128", "i31ref", "(func (param funcref))"]
    assert repr(exports.p.type) == "FuncType(params=(), results=((ref <deftype struct 0 of 1>),))"


def test_custom_sections_are_found_by_name(engine: str) -> None:
    data = b"\0asm\1\0\0\0" + b"\0\4\1a\1\2" + b"\0\3\1b\3" + b"\0\3\1a\4"
    module = wasm.Module(data, engine=engine)
    assert module.custom_sections("a") == [b"\1\2", b"\4"]
    assert module.custom_sections("c") == []


THREADS, SIMD = wasm.Feature.THREADS, wasm.Feature.SIMD


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        *zip((None, [], (), set(), frozenset(), {}), [WASM_3] * 6, strict=True),
        *zip(("threads", " threads ,", ["threads"], ("threads",), {"threads"}, THREADS, [THREADS]), [WASM_3 | {THREADS}] * 7, strict=True),
        ("1.0", WASM_1),
        ("1.0,simd, threads", WASM_1 | {SIMD, THREADS}),
        (["1.0", SIMD], WASM_1 | {SIMD}),
        ({"1.0", SIMD}, WASM_1 | {SIMD}),
        (["1.0", "2.0"], WASM_2),
        ({"simd", THREADS}, WASM_3 | {THREADS}),
        (WASM_1, WASM_1),
        (set(WASM_1), WASM_1),
        ({wasm.Feature.MVP}, frozenset({wasm.Feature.MVP})),
        ({SIMD}, frozenset({wasm.Feature.MVP, SIMD})),
        (set(WASM_3), WASM_3),
        (WASM_1 | {THREADS}, WASM_1 | {THREADS}),
    ],
)
def test_features_are_added_to_a_release_and_a_set_of_them_is_what_it_holds(engine: str, choice: Any, expected: Features) -> None:
    module = wasm.Module("(module (func))", engine=engine, features=choice)
    assert module.features == expected
    assert isinstance(module.features, frozenset)
    assert wasm.Module("(module (func))", engine=engine, features=module.features).features == expected
    assert wasm.instantiate("(module (func))", engine=engine, features=choice).module.features == expected


def test_a_feature_that_is_added_can_be_used(engine: str) -> None:
    shared = "(module (memory 1 1 shared))"
    with pytest.raises(wasm.WasmError):
        wasm.Module(shared, engine=engine)
    wasm.Module(shared, engine=engine, features=THREADS)


@pytest.mark.parametrize(
    ("choice", "kind", "message"),
    [
        ("flying", ValueError, "unknown feature 'flying'; known are 1.0, "),
        (["threads", "flying"], ValueError, "unknown feature 'flying'; known are 1.0, "),
        (" , ", ValueError, "no feature is named"),
        ([3], TypeError, "a feature is a name or a member of Feature, not int"),
        (5, TypeError, "a feature is a name or a member of Feature, not int"),
        (b"simd", TypeError, "a feature is a name or a member of Feature, not bytes"),
    ],
)
def test_what_is_no_feature_is_named(engine: str, choice: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        wasm.Module("(module)", engine=engine, features=choice)


def test_a_module_is_instantiated_often(engine: str) -> None:
    module = wasm.Module(
        '(module (global $g (mut i32) (i32.const 0)) (func (export "next") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))',
        engine=engine,
    )
    one, two = wasm.instantiate(module), wasm.instantiate(module)
    assert [one.exports.next(), one.exports.next(), two.exports.next()] == [1, 2, 1]


def test_exports_are_attributes_items_and_an_iteration(engine: str) -> None:
    exports = wasm.instantiate(
        '(module (func (export "f")) (func (export "odd name")) (memory (export "") 1) (func (export "__len__")))', engine=engine
    ).exports
    assert list(exports) == ["f", "odd name", "", "__len__"]
    assert len(exports) == 4
    assert exports.f is exports["f"]
    assert isinstance(exports["odd name"], wasm.Func)
    assert isinstance(exports[""], wasm.Memory)
    assert "f" in exports
    assert "g" not in exports
    assert 3 not in exports
    assert "odd name" in dir(exports)
    assert "f: <Func f [] -> []>" in repr(exports)


def test_a_missing_export_is_an_error_of_the_kind_that_was_asked(engine: str) -> None:
    exports = wasm.instantiate('(module (func (export "fibonacci")))', engine=engine).exports
    with pytest.raises(AttributeError, match="no export 'fibonaci'; did you mean 'fibonacci'"):
        _ = exports.fibonaci
    with pytest.raises(KeyError, match="nothing"):
        exports["nothing"]


def test_a_store_and_limits_do_not_go_together(engine: str) -> None:
    with pytest.raises(TypeError, match="give either"):
        wasm.instantiate("(module)", store=wasm.Store(engine), limits=wasm.Limits())


FLAGS = b"\0asm\1\0\0\0\5\4\1"
BODY = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a"


@pytest.mark.parametrize(
    ("source", "features", "words"),
    [
        ("(module (memory 1 1 shared))", "3.0", "unknown operator shared (needs the feature threads: --features threads)"),
        ("(module (memory 1 1 (pagesize 1)))", "3.0", "pagesize (needs the feature custom-page-sizes: --features custom-page-sizes)"),
        ("(module (func (try (do))))", "3.0", "unknown operator try (needs the feature legacy-exceptions: --features legacy-exceptions)"),
        ("(module (func (i64.add128)))", "3.0", "i64.add128 (needs the feature wide-arithmetic: --features wide-arithmetic)"),
        ("(module (type (array i8)))", "1.0", "unknown operator array (needs the feature gc: --features gc)"),
        (FLAGS + b"\3\1\1", "3.0", "malformed limits flags (needs the feature threads: --features threads)"),
        (FLAGS + b"\x0b\1\1", "3.0", "limits flags (needs the features threads and custom-page-sizes: --features threads,custom-page-sizes)"),
        (BODY + b"\6\1\4\0\6\x40\x0b", "3.0", "illegal opcode 06 (needs the feature legacy-exceptions: --features legacy-exceptions)"),
        (BODY + b"\6\1\4\0\xfc\x13\x0b", "3.0", "illegal opcode fc 13 (needs the feature wide-arithmetic: --features wide-arithmetic)"),
    ],
)
def test_a_feature_that_is_off_is_named(engine: str, source: str | bytes, features: str, words: str) -> None:
    with pytest.raises(wasm.Malformed) as caught:
        wasm.Module(source, engine, features)
    assert caught.value.message.endswith(words)


@pytest.mark.parametrize("data", [FLAGS + b"\x70\1\1", BODY + b"\6\1\4\0\x27\0\x0b"])
def test_what_no_feature_brings_is_only_refused(engine: str, data: bytes) -> None:
    with pytest.raises(wasm.Malformed) as caught:
        wasm.Module(data, engine)
    assert "feature" not in caught.value.message


def test_instantiate_takes_features(engine: str) -> None:
    shared = '(module (memory (export "m") 1 1 shared))'
    assert wasm.instantiate(shared, engine=engine, features="threads").exports.m.type.shared
    with pytest.raises(TypeError, match="features belong to a Module"):
        wasm.instantiate(wasm.Module(shared, engine, "threads"), features="threads")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "unexpected end: the file is empty"),
        (b"\0asm\x0d\0\1\0", "unknown binary version: this is a component, and only core modules can be read"),
    ],
)
def test_what_is_no_module_at_all_is_called_what_it_is(engine: str, data: bytes, message: str) -> None:
    with pytest.raises(wasm.Malformed) as caught:
        wasm.Module(data, engine)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module (func (i32.ad)))", "unknown operator i32.ad; did you mean i32.add?"),
        ("(module (func (call $fooo)) (func $foo))", "unknown function $fooo; did you mean $foo?"),
        ("(module (func (call $fooo)) (func $bar))", "unknown function $fooo"),
        (f"(module (func ({'i' * 100_000})))", f"unknown operator {'i' * 100_000}"),
    ],
)
def test_a_word_that_is_nearly_right_is_told(engine: str, text: str, message: str) -> None:
    with pytest.raises(wasm.Malformed) as caught:
        wasm.Module(text, engine)
    assert caught.value.message == message


def test_a_text_that_is_not_utf8_is_told_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "a.wat"
    file.write_bytes("(module\n  ;; ä".encode() + b"\xff)")
    with pytest.raises(wasm.Malformed, match=r"a\.wat:2:7: malformed UTF-8"):
        wasm.Module(file)


def test_the_suffix_of_a_binary_may_be_in_capitals(tmp_path: Path) -> None:
    file = tmp_path / "A.WASM"
    file.write_bytes(b"(module)")
    with pytest.raises(wasm.Malformed, match="magic header not detected"):
        wasm.Module(file)


def test_no_path_is_no_folder() -> None:
    with pytest.raises(FileNotFoundError):
        wasm.Module("")
