"""A few bytes that ask for a lot: answered at once, or simply done; never more memory than the input is worth."""

import contextlib
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pywasm_ref.binary import decode, encode, sections
from pywasm_ref.errors import Malformed, WasmError
from pywasm_ref.features import ALL
from tests.binary.builder import ONE_TYPE, function, leb, module

MEGABYTE = 1_000_000
HUGE = leb(100_000_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (module((1, HUGE)), "length out of bounds"),
        (module((2, b"\1" + HUGE)), "length out of bounds"),
        (module((11, b"\1\1" + HUGE)), "length out of bounds"),
        (module((1, b"\1\x4e" + HUGE)), "length out of bounds"),
        (function(b"\x0e" + HUGE), "length out of bounds"),
        (function(b"", b"\2" + leb(2**32 - 1) + b"\x7f" + leb(2**32 - 1) + b"\x7e"), "too many locals"),
        (module((1, b"\x80" * MEGABYTE)), "integer representation too long"),
        (function(b"\x41" + b"\x80" * MEGABYTE), "integer representation too long"),
        (function(b"\x02\x40" * 1000), "unexpected end of section or function"),
    ],
)
def test_a_claim_is_refused(data: bytes, message: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(Malformed) as error:
        decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.value.message == message
    assert peak < 4 * len(data) + 5 * MEGABYTE
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: function(b"\x02\x40" * 10_000 + b"\x0b" * 10_000),
        lambda: function(b"\x41\0\x04\x40" * 10_000 + b"\x05\x01\x0b" * 10_000),
        lambda: function(b"\x06\x40" * 10_000 + b"\x19\x01\x0b" * 10_000),
        lambda: module((1, b"\1\x4e" + leb(100_000) + b"\x60\0\0" * 100_000)),
        lambda: module((5, b"\1\0\1"), (11, leb(100_000) + b"\0\x41\0\x0b\1a" * 100_000)),
        lambda: module((1, ONE_TYPE), (3, b"\1\0"), (7, leb(80_000) + b"\2ab\0\0" * 80_000), (10, b"\1\2\0\x0b")),
        lambda: module((6, leb(31_000) + b"\x7f\1\x41\0\x0b" * 31_000)),
        lambda: function(b"\1" * (2 * MEGABYTE)),
        lambda: function(b"", leb(700) + b"\1\x7f\1\x7e" * 350),
    ],
    ids=["blocks", "ifs", "tries", "types", "datas", "exports", "globals", "body", "locals"],
)
def test_a_large_module_comes_back(make: Callable[[], bytes]) -> None:
    data = make()
    started = time.process_time()
    assert encode(decode(data, ALL)) == data
    assert time.process_time() - started < 20


SEEDS = [
    module((1, b"\2\x60\1\x7f\1\x7e\x5f\1\x78\1"), (2, b"\1\1a\1b\0\0"), (4, b"\1\x70\1\1\2"), (5, b"\1\1\1\2"), (13, b"\1\0\0")),
    module((1, b"\1\x4e\2\x50\0\x5e\x77\0\x4f\1\0\x5e\x77\0"), (6, b"\1\x63\0\0\xd0\0\x0b"), (9, b"\1\6\0\x41\0\x0b\x70\1\xd2\0\x0b")),
    function(
        bytes.fromhex("0240 41c000 0440 410c 1a 05 2000 1a 0b 1f40 0101 0000 0b fd0c 00112233445566778899aabbccddeeff 1a 0b"), b"\1\2\x7f"
    ),
    function(bytes.fromhex("0640 0700 0b 0e 020001 00 fe1f 03 00 2842 01 02 44 0000000000000040 fb1803 00 6e6d d070")),
    module((0, bytes.fromhex("046e616d65 00 02 016d 02 06 01 00 01 00 0161"))),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255), st.sampled_from("sid")), min_size=1, max_size=4)
)
def test_mutated_bytes_give_a_module_or_the_projects_own_error(seed: bytes, edits: list[tuple[int, int, str]]) -> None:
    data = bytearray(seed)
    for at, byte, kind in edits:
        at = 8 + at % max(1, len(data) - 8)
        data[at : at + (kind != "i")] = b"" if kind == "d" else bytes([byte])
    sections(bytes(data))
    try:
        decoded = decode(bytes(data), ALL)
    except WasmError:
        return
    assert decode(encode(decoded), ALL) == decoded


@given(st.binary(max_size=60))
def test_any_bytes_behind_the_header_give_a_module_or_the_projects_own_error(content: bytes) -> None:
    with contextlib.suppress(WasmError):
        decode(module() + content, ALL)
