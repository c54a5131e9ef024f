"""What is refused, in which words, and where the error points."""

from __future__ import annotations

import pytest

from pywasm_ref.errors import Malformed
from pywasm_ref.source import Source
from pywasm_ref.text import parse

CASES = [
    # The mark ⟂ stands where the error has to point.
    ("(func ⟂i32.foo)", "unknown operator i32.foo"),
    ("(func $x ⟂$y)", "unexpected token"),
    ("(func ⟂a\"b\")", "unknown operator"),
    ("(⟂fun)", "unknown operator fun"),
    ("(module (func)⟂", "unexpected token"),
    ("(module) ⟂(func)", "unexpected token"),
    ("(func)⟂)", "unexpected token"),
    ("(func (nop)⟂", "unexpected token"),
    ("(func (nop ⟂nop))", "unexpected token"),
    ("(func ⟂end)", "unexpected token"),
    ("(func block ⟂)", "unexpected token"),
    ("(func (block ⟂end))", "unexpected token"),
    ("(func (⟂then))", "unexpected token"),
    ("(func (if (i32.const 1)⟂))", "unexpected token"),
    ("(func (if (then) (⟂then)))", "unexpected token"),
    ("(func (if (then) (else) (⟂else)))", "unexpected token"),
    ("(func if else ⟂else end)", "unexpected token"),
    ("(func (param i32) (result i32) (⟂param i32))", "unexpected token"),
    ("(func block (param ⟂$x i32) end)", "unexpected token"),
    ("(func block $a end ⟂$b)", "mismatching label"),
    ("(func block end ⟂$a)", "mismatching label"),
    ("(func if $a else ⟂$b end)", "mismatching label"),
    ("(func br ⟂$l)", "unknown label $l"),
    ("(func (block $l) br ⟂$l)", "unknown label $l"),
    ("(func call ⟂$f)", "unknown function $f"),
    ("(func local.get ⟂$f)", "unknown local $f"),
    ("(func global.get ⟂$g)", "unknown global $g"),
    ("(func i32.load ⟂$m)", "unknown memory $m"),
    ("(func table.get ⟂$t)", "unknown table $t"),
    ("(func throw ⟂$t)", "unknown tag $t"),
    ("(func data.drop ⟂$d)", "unknown data segment $d"),
    ("(func elem.drop ⟂$e)", "unknown elem segment $e"),
    ("(func (type ⟂$t))", "unknown type $t"),
    ("(type $s (struct)) (func struct.get $s ⟂$f)", "unknown field $f"),
    ("(func $f) (func ⟂$f)", "duplicate function $f"),
    ("(func $f) (import \"\" \"\" (func ⟂$f))", "duplicate function $f"),
    ("(func (param $x i32) (local ⟂$x i32))", "duplicate local $x"),
    ("(type $t (func)) (rec (type ⟂$t (func)))", "duplicate type $t"),
    ("(type (struct (field $a i32) (field ⟂$a i32)))", "duplicate field $a"),
    ("(func) ⟂(import \"\" \"\" (func))", "import after function definition"),
    ("(memory 1) ⟂(func (import \"\" \"\"))", "import after memory definition"),
    ("(start 0) ⟂(start 0)", "multiple start sections"),
    ("(type $t (func (param i32))) (func (type ⟂$t) (result i32))", "inline function type does not match explicit type"),
    ("(type $t (struct)) (func (type ⟂$t) (result i32))", "non-function type 0"),
    ("(func i32.const ⟂4294967296)", "constant out of range"),
    ("(func i32.const ⟂1.5)", "constant out of range"),
    ("(func i32.const ⟂nop)", "unexpected token"),
    ("(func i32.const ⟂0x)", "unknown operator 0x"),
    ("(func f32.const ⟂1e39)", "constant out of range"),
    ("(func call ⟂4294967296)", "i32 constant out of range"),
    ("(memory ⟂18446744073709551616)", "i64 constant out of range"),
    ("(func i32.load ⟂align=3)", "alignment must be a power of two"),
    ("(func i32.load ⟂align=0)", "alignment must be a power of two"),
    ("(func i32.load ⟂offset=-1)", "unknown operator offset=-1"),
    ("(func i32.load align=1 ⟂offset=1)", "unexpected token"),
    ("(func i8x16.extract_lane_s ⟂256)", "i8 constant out of range"),
    ("(func i8x16.shuffle ⟂1 2)", "invalid lane length"),
    ("(func v128.const i32x4 ⟂1 2 3)", "wrong number of lane literals"),
    ("(func v128.const ⟂i32 1 2 3)", "unexpected token"),
    ("(func table.copy 0⟂)", "unexpected token"),
    (r'(export ⟂"\ff" (func 0))', "malformed UTF-8 encoding"),
    ("(memory f32 1)", "malformed address type"),
    ("(memory 1 (⟂pagesize 1))", "unknown operator pagesize"),
    ("(func ⟂try end)", "unknown operator try"),
    ("(func) ⟂(; (;", "unclosed comment"),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "message"), CASES, ids=[marked for marked, _ in CASES])
def test_an_error_says_what_and_where(marked: str, message: str) -> None:
    text = marked.replace("⟂", "")
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.message.startswith(message)
    if "⟂" in marked:
        assert caught.value.at == marked.index("⟂")


def test_an_error_knows_its_source() -> None:
    with pytest.raises(Malformed, match=r"^a\.wat:2:7: unknown operator foo"):
        parse(Source("a.wat", "(module\n(func foo))"))
    with pytest.raises(Malformed, match=r"^<text>:1:7: unexpected token"):
        parse("(func 1)")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("(module (func (export 3)))", "a string"),
        ("(module (func (param 3)))", "a type"),
        ("(module (func (i32.const)))", "a number"),
        ("(module (func (local.get)))", "an index"),
        ("(module) 3", "the end of the text"),
        ('(module (import "a" "b" (func i32)))', "`)`"),
        ("(module (func (v128.const 3)))", "a shape of lanes"),
        ("(module (memory.size))", "a field of a module"),
        ('(module (export "a" (param 3)))', "func, table, memory, global or tag"),
    ],
)
def test_a_token_that_must_not_stand_here_is_told_with_what_must(source: str, wanted: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(source)
    assert caught.value.message == f"unexpected token; {wanted} is expected"
