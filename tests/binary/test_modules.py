"""Whole modules: the order of sections, what must agree between them, and how they are written."""

from dataclasses import replace

import pytest

from pywasm_ref.binary import Section, decode, encode, section_at, sections
from pywasm_ref.errors import Malformed
from pywasm_ref.features import WASM_1, WASM_2, WASM_3, Feature, Features
from pywasm_ref.isa import op
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr
from pywasm_ref.syntax.modules import Active, Custom, Data, Elem, Func, Mode, Module, Table
from pywasm_ref.syntax.types import FUNCREF, I32, I64, AbsHeapType, FuncType, Limits, RecType, RefType, SubType, TableType
from pywasm_ref.text import parse
from tests.binary.builder import HEADER, ONE_TYPE, function, module

FUNCS = RefType(False, AbsHeapType.FUNC)
ZERO = Expr((form.Const(op("i32.const"), 0),))
UNIT = RecType((SubType(True, (), FuncType((), ())),))


def ref_func(index: int) -> Expr:
    return Expr((form.RefFunc(op("ref.func"), index),))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "unexpected end"),
        (b"\0as", "unexpected end"),
        (b"wasm\1\0\0\0", "magic header not detected"),
        (b"\0asm\2\0\0\0", "unknown binary version"),
        (module((14, b"")), "malformed section id"),
        (HEADER + b"\x80\0", "malformed section id"),
        (module((2, b"\0"), (1, b"\0")), "unexpected content after last section"),
        (module((1, b"\0"), (1, b"\0")), "unexpected content after last section"),
        (module((1, b"\0\0")), "section size mismatch"),
        (module((1, ONE_TYPE), (3, b"\1\0")), "function and code section have inconsistent lengths"),
        (module((12, b"\1")), "data count and data section have inconsistent lengths"),
        (module((12, b"\0"), (11, b"\1\1\0")), "data count and data section have inconsistent lengths"),
        (function(bytes.fromhex("fc0900")), "data count section required"),
        (function(b"", b"\2\xff\xff\xff\xff\x0f\x7f\1\x7f"), "too many locals"),
        (module((7, b"\1\0\5\0")), "malformed export kind"),
        (module((9, b"\1\x08")), "malformed elements segment kind"),
        (module((9, b"\1\1\1\0")), "malformed element kind"),
        (module((11, b"\1\3\0")), "malformed data segment kind"),
        (module((0, b"\2a")), "unexpected end"),
        (HEADER + b"\0\1\3abc", "unexpected end"),
    ],
)
def test_what_is_no_module(data: bytes, message: str) -> None:
    with pytest.raises(Malformed) as error:
        decode(data)
    assert error.value.message.startswith(message)


@pytest.mark.parametrize(
    ("data", "features"),
    [
        (module((13, b"\0")), WASM_2),
        (module((12, b"\0")), WASM_1),
        (module((9, b"\1\1\0\0")), WASM_1),
        (module((11, b"\1\1\0")), WASM_1),
        (module((7, b"\1\0\4\0")), WASM_2),
        (module((4, b"\1\x40\0\x70\0\0\xd0\x70\x0b")), WASM_2),
    ],
)
def test_what_came_with_a_feature_is_malformed_without_it(data: bytes, features: Features) -> None:
    decode(data)
    with pytest.raises(Malformed):
        decode(data, features)


@pytest.mark.parametrize(
    ("elem", "content"),
    [
        (Elem(FUNCS, (ref_func(3),), Active(0, ZERO)), "00 41000b 01 03"),
        (Elem(FUNCS, (ref_func(3),), Mode.PASSIVE), "01 00 01 03"),
        (Elem(FUNCS, (ref_func(3),), Active(1, ZERO)), "02 01 41000b 00 01 03"),
        (Elem(FUNCS, (), Mode.DECLARE), "03 00 00"),
        (Elem(FUNCREF, (ref_func(3),), Active(0, ZERO)), "04 41000b 01 d2030b"),
        (Elem(FUNCREF, (ref_func(3),), Mode.PASSIVE), "05 70 01 d2030b"),
        (Elem(FUNCREF, (), Active(1, ZERO)), "06 01 41000b 70 00"),
        (Elem(RefType(True, AbsHeapType.ANY), (), Active(0, ZERO)), "06 00 41000b 6e 00"),
        (Elem(FUNCS, (Expr((*ref_func(3).body, *ZERO.body)),), Active(0, ZERO)), "06 00 41000b 6470 01 d20341000b"),
        (Elem(FUNCREF, (), Mode.DECLARE), "07 70 00"),
    ],
)
def test_an_element_segment_is_written_in_the_shortest_form(elem: Elem, content: str) -> None:
    data = module((9, b"\1" + bytes.fromhex(content)))
    assert encode(Module(elems=(elem,))) == data
    assert decode(data).elems == (elem,)


@pytest.mark.parametrize(
    ("segment", "content"),
    [
        (Data(b"ab", Active(0, ZERO)), "00 41000b 02 6162"),
        (Data(b"", Mode.PASSIVE), "01 00"),
        (Data(b"", Active(1, ZERO)), "02 01 41000b 00"),
    ],
)
def test_a_data_segment_is_written_in_the_shortest_form(segment: Data, content: str) -> None:
    data = module((11, b"\1" + bytes.fromhex(content)))
    assert encode(Module(datas=(segment,))) == data
    assert decode(data).datas == (segment,)


def test_a_table_may_have_an_initial_value() -> None:
    null = Expr((form.RefNull(op("ref.null"), AbsHeapType.FUNC),))
    tables = (Table(TableType(I64, Limits(1, 2), FUNCREF), null), Table(TableType(I32, Limits(0), FUNCREF)))
    data = encode(Module(tables=tables))
    assert data == module((4, bytes.fromhex("02 4000 70 05 01 02 d0700b 70 00 00")))
    assert decode(data).tables == tables


def test_code_that_names_a_data_segment_brings_a_data_count_section() -> None:
    drop = Func(0, (), Expr((form.DataDrop(op("data.drop"), 0),)))
    data = encode(Module(types=(UNIT,), funcs=(drop,), datas=(Data(b"", Mode.PASSIVE),)))
    assert [section.name for section in sections(data)] == ["type", "function", "data count", "code", "data"]
    assert decode(data).has_data_count


def test_a_data_count_section_that_was_there_stays() -> None:
    data = module((12, b"\0"))
    assert encode(decode(data)) == data


def test_neighbouring_runs_of_locals_of_one_type_are_one_run() -> None:
    decoded = decode(function(b"", bytes.fromhex("04 017f 007e 027f 017e")))
    assert decoded.funcs[0].locals == ((3, I32), (1, I64))


def test_four_billion_locals_are_one_run() -> None:
    data = function(b"", b"\1\xff\xff\xff\xff\x0f\x7f")
    assert decode(data).funcs[0].locals == ((2**32 - 1, I32),)
    assert encode(decode(data)) == data


def test_custom_sections_come_back_at_their_place() -> None:
    data = module((0, b"\1afirst"), (1, ONE_TYPE), (0, b"\1bone"), (0, b"\1btwo"), (5, b"\1\0\0"), (0, b"\1alast"))
    decoded = decode(data)
    assert decoded.customs == (Custom("a", b"first"), Custom("b", b"one", 1), Custom("b", b"two", 1), Custom("a", b"last", 5))
    assert encode(decoded) == data


def test_a_custom_section_after_a_section_that_is_not_there_stands_where_that_would_be() -> None:
    data = encode(Module(types=(UNIT,), customs=(Custom("z", b"", 11), Custom("a", b"", 4)), exports=()))
    assert data == module((1, ONE_TYPE), (0, b"\1a"), (0, b"\1z"))


def test_a_custom_section_after_no_known_section_cannot_be_written() -> None:
    with pytest.raises(Malformed, match="malformed section id"):
        encode(Module(customs=(Custom("a", b"", 99),)))


def test_places_say_where_things_stand() -> None:
    data = function(b"\1\1")
    decoded = decode(data)
    assert decoded.places.of("types", 0) == data.index(ONE_TYPE) + 1
    start = decoded.places.of("funcs", 0)
    assert start is not None
    assert list(decoded.funcs[0].body.places) == [start + 1, start + 2, start + 3]
    assert decoded.places.of("imports", 0) is None


def test_encoding_is_the_same_for_equal_modules() -> None:
    decoded = decode(function(b"\1\1"))
    assert encode(replace(decoded)) == encode(decoded) == function(b"\1\1")


def test_the_sections_of_given_bytes() -> None:
    data = module((0, b"\4nameX"), (1, ONE_TYPE), (10, b"\0"))
    assert sections(data) == [Section(0, 'custom "name"', 10, 6), Section(1, "type", 18, 4), Section(10, "code", 24, 1)]
    found = [section_at(data, offset) for offset in (0, 7, 8, 15, 16, 21, 22, 25, 99)]
    assert found == [None, None, 'custom "name"', 'custom "name"', "type", "type", "code", "code", None]


def test_sections_end_where_none_can_be_made_out() -> None:
    assert sections(module((1, ONE_TYPE)) + b"\x63\x05abc") == [Section(1, "type", 10, 4)]
    assert sections(HEADER + b"\1\xff\xff\xff\xff\x0f\0") == [Section(1, "type", 14, 1)]
    assert sections(HEADER + b"\1\x80") == []
    assert sections(b"") == []


def test_threads_are_a_feature_on_top() -> None:
    data = module((5, b"\1\3\1\2"))
    assert decode(data, WASM_3 | {Feature.THREADS}).mems[0].type.shared
    with pytest.raises(Malformed, match="malformed limits flags"):
        decode(data)


def test_what_the_first_release_could_say_is_written_in_its_format() -> None:
    said = parse('(module (table funcref (elem 0 0)) (func) (memory (data "a")))', WASM_1)
    assert decode(encode(said), WASM_1) == said
