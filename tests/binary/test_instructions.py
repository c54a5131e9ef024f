"""Every row of the table is written and read back; nesting, delimiters, places."""

from array import array

import pytest

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.binary.immediates import NESTED, READ, WRITE
from pywasm_ref.binary.instructions import read_expr, write_expr
from pywasm_ref.errors import Malformed
from pywasm_ref.features import ALL, WASM_1, WASM_2, WASM_3, Feature, Features
from pywasm_ref.isa import OPS, op
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, Instr, LegacyCatch, Op
from tests.samples import instances


def again(expr: Expr, features: Features = ALL) -> Expr:
    w = Writer()
    write_expr(w, expr)
    s = Reader(bytes(w.data), features)
    result = read_expr(s)
    assert s.at_end()
    return result


@pytest.mark.parametrize("row", OPS, ids=[f"{row.mnemonic}-{row.code}" for row in OPS])
def test_every_row_comes_back(row: Op) -> None:
    body = tuple(instances(row))
    assert again(Expr(body + body)).body == body + body


def test_the_two_tables_of_immediates_have_the_same_kinds() -> None:
    kinds = {kind for row in OPS for kind in row.immediates if kind not in NESTED}
    assert set(READ) == set(WRITE) == kinds


@pytest.mark.parametrize("row", [row for row in OPS if row.feature is not Feature.MVP], ids=lambda row: row.mnemonic)
def test_an_instruction_whose_feature_is_off_is_illegal(row: Op) -> None:
    w = Writer()
    write_expr(w, Expr((instances(row)[0],)))
    with pytest.raises(Malformed, match=r"^@0x0: illegal opcode"):
        read_expr(Reader(bytes(w.data), ALL - {row.feature}))


NOP, CONST = form.Nop(op("nop")), form.Const(op("i32.const"), 1)


def test_places_count_each_opcode_else_and_end_included() -> None:
    data = bytes.fromhex("0240 01 0b 4101 0440 01 05 01 0b 0b")
    expr = read_expr(Reader(data))
    assert expr.body == (form.Block(op("block"), None, (NOP,)), CONST, form.If(op("if"), None, (NOP,), (NOP,)))
    assert expr.places == array("I", [0, 2, 3, 4, 6, 8, 9, 10, 11, 12])


def test_an_else_with_nothing_after_it_is_as_good_as_none() -> None:
    with_else, without = read_expr(Reader(bytes.fromhex("0440 05 0b 0b"))), read_expr(Reader(bytes.fromhex("0440 0b 0b")))
    assert with_else == without
    assert with_else.places == array("I", [0, 3, 4])


def test_equal_instructions_are_one_object_within_a_module() -> None:
    first, second, third = read_expr(Reader(bytes.fromhex("2000 2000 208000 0b"))).body
    assert first is second
    assert first is third


LEGACY = WASM_3 | {Feature.LEGACY_EXCEPTIONS}
TRY = op("try")


@pytest.mark.parametrize(
    ("code", "instr"),
    [
        ("0640 01 0b", form.Try(TRY, None, (NOP,), (), None)),
        ("0640 01 1801", form.Try(TRY, None, (NOP,), (), 1)),
        (
            "0640 0702 01 0703 19 01 01 0b",
            form.Try(TRY, None, (), (LegacyCatch(2, (NOP,)), LegacyCatch(3, ()), LegacyCatch(None, (NOP, NOP))), None),
        ),
    ],
)
def test_a_legacy_try(code: str, instr: Instr) -> None:
    assert read_expr(Reader(bytes.fromhex(code + "0b"), LEGACY)).body == (instr,)
    assert again(Expr((instr,))).body == (instr,)


@pytest.mark.parametrize(
    "code", ["05", "0440 05 05 0b", "0240 05 0b", "0700", "0640 19 19 0b", "0640 19 0700 0b", "0640 19 1800", "1800", "19"]
)
def test_a_delimiter_in_the_wrong_place(code: str) -> None:
    with pytest.raises(Malformed, match="END opcode expected"):
        read_expr(Reader(bytes.fromhex(code + "0b"), LEGACY))


@pytest.mark.parametrize(
    ("code", "features", "message"),
    [
        ("ff", WASM_3, "illegal opcode ff"),
        ("fd9a01", WASM_3, "illegal opcode fd 9a"),
        ("fbffffffff0f", WASM_3, "illegal opcode fb ffffffff"),
        ("07", WASM_3, "illegal opcode 07"),
        ("288001 00", WASM_3, "malformed memop flags"),
        ("2840 00 00", WASM_2, "malformed memop flags"),
        ("3f01", WASM_2, "zero byte expected"),
        ("110001", WASM_1, "zero byte expected"),
        ("0200", WASM_1, "malformed block type"),
        ("02ff7f", WASM_3, "malformed block type"),
        ("1f40 0104", WASM_3, "malformed catch clause"),
        ("fb18 04 00 00 00", WASM_3, "malformed br_on_cast flags"),
        ("d07f", WASM_3, "malformed heap type"),
        ("4180808080800000", WASM_3, "integer representation too long"),
        ("41ffffffff0f", WASM_3, "integer too large"),
        ("41808080808080", WASM_3, "integer representation too long"),
        ("4180", WASM_3, "unexpected end of section or function"),
        ("43000000", WASM_3, "unexpected end of section or function"),
        ("02", WASM_3, "unexpected end of section or function"),
        ("fe0301", ALL, "zero byte expected"),
    ],
)
def test_what_is_no_instruction(code: str, features: Features, message: str) -> None:
    with pytest.raises(Malformed) as error:
        read_expr(Reader(bytes.fromhex(code), features))
    assert error.value.message == message
