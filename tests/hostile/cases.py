"""Inputs made to break an implementation: each is small to write down and huge in what it claims.

A case says what must come of it: the beginning of the error, or None where the input is fine and must simply work.
`python -m tests.hostile.cases ENGINE NAME` runs one of them alone, so that its time and memory can be bounded from outside.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pywasm_ref as wasm
from pywasm_ref.errors import WasmError

HEADER = b"\0asm\1\0\0\0"
SECONDS = 10  # after which a guest is stopped that no fuel stops


def u(number: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + u(len(content)) + content


def one_function(locals_and_code: bytes) -> bytes:
    """A module with one exported function `f` without parameters and results, and this body."""
    return (
        HEADER
        + section(1, b"\1\x60\0\0")
        + section(3, b"\1\0")
        + section(7, b"\1\1f\0\0")
        + section(10, b"\1" + u(len(locals_and_code)) + locals_and_code)
    )


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    source: Callable[[], bytes | str]
    error: str | None
    call: str | None = None


def _count(section_number: int, claimed: int = 100_000_000) -> Callable[[], bytes]:
    return lambda: HEADER + section(section_number, u(claimed) + b"\0" * 16)


def _chain(count: int) -> Iterator[str]:
    yield "(module (type $t0 (struct))"
    for i in range(1, count):
        yield f"(type $t{i} (struct (field (ref null $t{i - 1}))))"
    yield ")"


def _supers(count: int) -> Iterator[str]:
    yield "(module (type $t0 (sub (struct)))"
    for i in range(1, count):
        yield f"(type $t{i} (sub $t{i - 1} (struct)))"
    yield ")"


LINKED = """(module (type $n (struct (field (ref null $n))))
  (func (export "f") (local $i i32) (local $n (ref null $n))
    (loop $l (local.set $n (struct.new $n (local.get $n))) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))))"""

CASES = (
    Case("a vector of a hundred million types", _count(1), "length out of bounds"),
    Case("a vector of a hundred million imports", _count(2), "length out of bounds"),
    Case("a vector of a hundred million exports", _count(7), "length out of bounds"),
    Case("a vector of a hundred million data segments", _count(11), "length out of bounds"),
    Case("four billion locals, declared", lambda: one_function(b"\1" + u(2**32 - 1) + b"\x7f\x0b"), None),
    Case("four billion locals, called", lambda: one_function(b"\1" + u(2**32 - 1) + b"\x7f\x0b"), "", "f"),
    Case("more locals than can be counted", lambda: one_function(b"\2" + (u(2**32 - 1) + b"\x7f") * 2 + b"\x0b"), "too many locals"),
    Case("a branch table of a hundred million labels", lambda: one_function(b"\0\x41\0\x0e" + u(10**8) + b"\0\x0b"), ""),
    Case("ten thousand nested blocks", lambda: one_function(b"\0" + b"\2\x40" * 10_000 + b"\x0b" * 10_001), None, "f"),
    Case("a quarter of a million nested blocks", lambda: one_function(b"\0" + b"\2\x40" * 250_000 + b"\x0b" * 250_001), None),
    Case("a quarter of a million blocks never closed", lambda: one_function(b"\0" + b"\2\x40" * 250_000), ""),
    Case("ten thousand nested blocks in text", lambda: "(module (func (export \"f\") " + "block " * 10_000 + "end " * 10_000 + "))", None, "f"),
    Case("ten thousand folded blocks", lambda: "(module (func (export \"f\") " + "(block " * 10_000 + ")" * 10_000 + "))", None, "f"),
    Case("fifty thousand parentheses", lambda: "(" * 50_000, ""),
    Case("fifty thousand parentheses in a function", lambda: "(module (func " + "(" * 50_000, ""),
    Case("fifty thousand balanced parentheses", lambda: "(module " + "(" * 50_000 + ")" * 50_001, ""),
    Case("fifty thousand nested comments", lambda: "(;" * 50_000 + ";)" * 50_000 + "(module)", None),
    Case("fifty thousand nested annotations", lambda: "(module " + "(@a " * 50_000 + ")" * 50_001, None),
    Case("fifty thousand nested operands", lambda: "(module (func (drop " + "(i32.eqz " * 50_000 + "(i32.const 0)" + ")" * 50_003, None),
    Case("an unclosed comment", lambda: "(module) (;" * 10_000, ""),
    Case("a recursive group of a quarter of a million", lambda: HEADER + section(1, b"\1\x4e" + u(250_000) + b"\x5f\0" * 250_000), None),
    Case("a chain of thirty thousand types", lambda: "\n".join(_chain(30_000)), None),
    Case("a hundred supertypes", lambda: "\n".join(_supers(100)), None),
    Case("a data segment past memory", lambda: '(module (memory 1) (data (i32.const 65535) "ab"))', "out of bounds memory access"),
    Case("an element segment past its table", lambda: "(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))", "out of bounds table access"),
    Case("a name that is no UTF-8", lambda: HEADER + section(7, b"\1\1\xff\0\0"), "malformed UTF-8 encoding"),
    Case("an over-long LEB128", lambda: HEADER + b"\1" + b"\x80" * 10_000 + b"\0", "integer representation too long"),
    Case("a section longer than the file", lambda: HEADER + b"\1" + u(2**32 - 1), "length out of bounds"),
    Case("an integer of a million digits", lambda: f"(module (func (drop (i64.const {'9' * 10**6}))))", "constant out of range"),
    Case("a hexadecimal integer of a million digits", lambda: f"(module (func (drop (i64.const 0x{'f' * 10**6}))))", "constant out of range"),
    Case("a float with a huge exponent", lambda: "(module (func (drop (f64.const 1e999999999))))", "constant out of range"),
    Case("a float with a hugely negative exponent", lambda: "(module (func (drop (f64.const 1e-999999999))))", None),
    Case("a hexadecimal float with a huge exponent", lambda: "(module (func (drop (f64.const 0x1p-99999999999999))))", None),
    Case("a float of a hundred thousand digits", lambda: f"(module (func (drop (f64.const 0.{'1' * 100_000}))))", None),
    Case("an alignment that is no exponent", lambda: one_function(b"\0\x41\0\x28\x3f\0\x1a\x0b"), ""),
    Case("all of memory at once", lambda: "(module (memory 65536))", ""),
    Case("more memory than there are addresses", lambda: "(module (memory i64 0x1000000000000))", ""),
    Case("a table of four billion entries", lambda: "(module (table 4294967295 funcref))", ""),
    Case(
        "an array of four billion elements",
        lambda: '(module (type $a (array i64)) (func (export "f") (drop (array.new_default $a (i32.const -1)))))',
        "",
        "f",
    ),
    Case("recursion without end", lambda: '(module (func $f (export "f") (call $f)))', "call stack exhausted", "f"),
    Case("a loop without end", lambda: '(module (func (export "f") (loop (br 0))))', "fuel", "f"),
    Case("a start function without end", lambda: "(module (func $f (loop (br 0))) (start $f))", "fuel"),
    Case("a linked list of a hundred thousand cells", lambda: LINKED, None, "f"),
    Case("a custom section that is nothing but name", lambda: HEADER + section(0, u(2**31) + b"x"), ""),
    Case("an empty file", lambda: b"", "unexpected end"),
    Case("an empty text", lambda: "(", ""),
    Case("a lone surrogate", lambda: '(module (export "\udc80" (func 0)))', ""),
    Case("a function of half a million instructions", lambda: one_function(b"\0" + b"\x41\0\x1a" * 250_000 + b"\x0b"), None, "f"),
    Case("a function with 700 locals of alternating type", lambda: one_function(u(700) + b"\1\x7f\1\x7e" * 350 + b"\x0b"), None, "f"),
    Case("thirty thousand data segments", lambda: '(module (memory 1) ' + '(data (i32.const 0) "x")' * 30_000 + ")", None),
    Case("thirty thousand exports", lambda: "(module (func $f) " + " ".join(f'(export "{i}" (func $f))' for i in range(30_000)) + ")", None),
    Case("thirty-one thousand globals", lambda: "(module " + "(global i32 (i32.const 1))" * 31_000 + ")", None),
)  # fmt: skip

BY_NAME = {case.name: case for case in CASES}


def run(case: Case, engine: str) -> None:
    """Read, validate and start the module, and call what the case says, all within limits."""
    module = wasm.Module(case.source(), engine=engine)
    store = limited(module)
    timer = threading.Timer(SECONDS, store.interrupt)
    timer.start()
    try:
        instance = wasm.instantiate(module, store=store)
        if case.call:
            instance.exports[case.call]()
    finally:
        timer.cancel()


def limited(module: wasm.Module) -> wasm.Store:
    """A store whose guests come to an end."""
    return wasm.Store(module.engine, limits=wasm.Limits(fuel=3_000_000, memory_pages=1024))


def main() -> None:
    engine, name = sys.argv[1:]
    try:
        run(BY_NAME[name], engine)
    except WasmError as error:
        print(f"{type(error).__name__}: {error.message}")
    else:
        print("works")


if __name__ == "__main__":
    main()
