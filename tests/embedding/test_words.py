"""Types and objects in the words of messages."""

from __future__ import annotations

from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.embedding import words
from pywasm_ref.embedding.functions import functype
from pywasm_ref.syntax.types import (
    EXTERNREF,
    F32,
    FUNCREF,
    I8,
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    CompType,
    ExternType,
    FieldType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    RefType,
    StorageType,
    StructType,
    TableType,
    TagType,
)


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (I32, "i32"),
        (I8, "i8"),
        (FUNCREF, "funcref"),
        (RefType(True, AbsHeapType.NONE), "nullref"),
        (RefType(False, AbsHeapType.EXTERN), "(ref extern)"),
        (RefType(True, functype((), ())), "(ref null <func>)"),
    ],
)
def test_a_value_type_is_written_as_in_a_text(type: StorageType, expected: str) -> None:
    assert words.valtype(type) == expected


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (StructType((FieldType(True, I8), FieldType(False, EXTERNREF))), "struct {mut i8, externref}"),
        (ArrayType(FieldType(True, F32)), "array [mut f32]"),
    ],
)
def test_a_composite_type_shows_its_fields(type: CompType, expected: str) -> None:
    assert words.comptype(type) == expected


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (FuncTypeUse(functype((I32, I64), (F32,))), "function [i32 i64] -> [f32]"),
        (TagType(functype((I32,), ())), "tag [i32] -> []"),
        (GlobalType(True, I32), "mutable global i32"),
        (MemType(I64, Limits(1), page_bits=0), "64-bit memory of 1 page of 1 byte"),
        (TableType(I64, Limits(1, 2), FUNCREF), "64-bit table of 1 to 2 funcref entries"),
    ],
)
def test_an_extern_type_says_what_it_is(type: ExternType, expected: str) -> None:
    assert words.externtype(type) == expected


class Unspeakable(int):
    def __repr__(self) -> str:
        raise ValueError("not to be told")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (True, "bool True"),
        (-5, "int -5"),
        (1 << 20_000, "int of 20001 bits"),
        ("a" * 1000, f"str '{'a' * 60}'"),
        (b"\0", "bytes b'\\x00'"),
        (print, "builtin_function_or_method print"),
        (wasm.Store, "type Store"),
        ([1], "list"),
        (Unspeakable(3), "Unspeakable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_object_is_told_safely_and_briefly(value: Any, expected: str) -> None:
    assert words.given(value) == expected


def test_a_near_name_is_suggested_and_a_far_one_is_not() -> None:
    assert words.suggestion("fd_raed", ["fd_read", "fd_write"]) == "; did you mean 'fd_read'?"
    assert words.suggestion("x", ["fd_read"]) == ""
    assert words.suggestion("a" * 100_000, ["b" * 100_000] * 5) == ""
