"""The C interface: calls that raise, values, and references that may be null.

Fails   ImportError, on import, where the package `wasmtime` is not installed
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from ctypes import byref
from dataclasses import dataclass
from typing import Any

from pywasm_ref.embedding.functions import expand
from pywasm_ref.errors import Exhaustion, Trap, TrapReason, WasmError
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType, DefType, FuncType, RefType, ValType

try:
    c: Any = importlib.import_module("wasmtime._bindings")  # what ctypes gives has no types worth the name
    TrapCode: Any = importlib.import_module("wasmtime").TrapCode
except ModuleNotFoundError as error:
    raise ImportError("the engine wasmtime is not installed: pip install 'pywasm-ref[diff]'", name="wasmtime") from error

I32_KIND, I64_KIND, F32_KIND, F64_KIND, V128_KIND, FUNC_KIND, EXTERN_KIND, ANY_KIND, EXN_KIND = range(9)
NUMBERS: dict[ValType, int] = {I32: I32_KIND, I64: I64_KIND, F32: F32_KIND, F64: F64_KIND, V128: V128_KIND}
BITS = {I32_KIND: ("i32", 0xFFFF_FFFF), F32_KIND: ("i32", 0xFFFF_FFFF), I64_KIND: ("i64", 2**64 - 1), F64_KIND: ("i64", 2**64 - 1)}
"""Floats are read and written as the integers that stand at the same place, so that no bit of a NaN is lost."""

MEMBERS = {FUNC_KIND: "funcref", EXTERN_KIND: "externref", ANY_KIND: "anyref", EXN_KIND: "exnref"}
R = TrapReason
REASONS = {
    "STACK_OVERFLOW": None,
    "MEMORY_OUT_OF_BOUNDS": R.OUT_OF_BOUNDS_MEMORY,
    "HEAP_MISALIGNED": R.UNALIGNED_ATOMIC,
    "TABLE_OUT_OF_BOUNDS": R.OUT_OF_BOUNDS_TABLE,
    "INDIRECT_CALL_TO_NULL": R.UNINITIALIZED_ELEMENT,
    "BAD_SIGNATURE": R.INDIRECT_CALL_TYPE_MISMATCH,
    "INTEGER_OVERFLOW": R.INTEGER_OVERFLOW,
    "INTEGER_DIVISION_BY_ZERO": R.INTEGER_DIVIDE_BY_ZERO,
    "BAD_CONVERSION_TO_INTEGER": R.INVALID_CONVERSION,
    "UNREACHABLE": R.UNREACHABLE,
    "ATOMIC_WAIT_NON_SHARED_MEMORY": R.EXPECTED_SHARED_MEMORY,
    "NULL_REFERENCE": R.NULL_REFERENCE,
    "ARRAY_OUT_OF_BOUNDS": R.OUT_OF_BOUNDS_ARRAY,
    "CAST_FAILURE": R.CAST_FAILURE,
}
"""Reasons by the name of wasmtime's code; the others, and None, are limits of the host."""


@dataclass(frozen=True, slots=True, eq=False)
class Ref:
    """A reference that is not null, rooted as long as its store lives."""

    kind: int
    value: Any


def message(error: Any) -> str:
    """The words of an error, which is freed."""
    words = c.wasm_byte_vec_t()
    c.wasmtime_error_message(error, byref(words))
    text = ctypes.string_at(words.data, words.size).decode("utf-8", "replace")
    c.wasm_byte_vec_delete(byref(words))
    c.wasmtime_error_delete(error)
    return text


def check(error: Any, kind: Callable[[str], WasmError] = Exhaustion) -> None:
    """Raise what a call gave as its error."""
    if error:
        raise kind(message(error))


def trap_error(trap: Any) -> WasmError:
    """What a trap means; it is freed."""
    code = ctypes.c_uint8(0)
    known = c.wasmtime_trap_code(trap, byref(code))
    words = c.wasm_byte_vec_t()
    c.wasm_trap_message(trap, byref(words))
    text = ctypes.string_at(words.data, words.size).decode("utf-8", "replace").rstrip("\x00")
    c.wasm_byte_vec_delete(byref(words))
    c.wasm_trap_delete(trap)
    reason = REASONS.get(TrapCode(code.value).name) if known else None
    return Trap(reason) if reason is not None else Exhaustion(text)


# Values


def kind_of(t: ValType) -> int:
    """How a value of the type is tagged."""
    if not isinstance(t, RefType):
        return NUMBERS[t]
    if isinstance(t.heap, AbsHeapType):
        return HEAPS[t.heap]
    return FUNC_KIND if isinstance(t.heap, DefType) and isinstance(expand(t.heap), FuncType) else ANY_KIND


H = AbsHeapType
HEAPS: dict[AbsHeapType, int] = {
    **dict.fromkeys((H.ANY, H.EQ, H.I31, H.STRUCT, H.ARRAY, H.NONE), ANY_KIND),
    **dict.fromkeys((H.FUNC, H.NOFUNC), FUNC_KIND),
    **dict.fromkeys((H.EXTERN, H.NOEXTERN), EXTERN_KIND),
    **dict.fromkeys((H.EXN, H.NOEXN), EXN_KIND),
}


def to_val(context: Any, t: ValType, value: Any) -> Any:
    """A value as the C interface has it, owned by whoever asked."""
    val = c.wasmtime_val_t(kind=kind_of(t))
    if isinstance(value, Ref):
        own = c.wasmtime_val_t(kind=value.kind)
        setattr(own.of, MEMBERS[value.kind], value.value)
        c.wasmtime_val_clone(byref(own), byref(val))
    elif value is None:
        ctypes.memset(byref(val.of), 0, ctypes.sizeof(val.of))
    elif val.kind == V128_KIND:
        ctypes.memmove(byref(val.of), value.to_bytes(16, "little"), 16)
    else:
        member, _ = BITS[val.kind]
        setattr(val.of, member, value)  # the fields of ctypes wrap
    return val


def from_val(val: Any) -> Any:
    """The same back; a reference stays rooted for its store's life."""
    if val.kind == V128_KIND:
        return int.from_bytes(ctypes.string_at(byref(val.of), 16), "little")
    if val.kind in BITS:
        member, mask = BITS[val.kind]
        return getattr(val.of, member) & mask
    found = getattr(val.of, MEMBERS[val.kind])
    if found.store_id == 0:
        return None
    return Ref(val.kind, type(found).from_buffer_copy(found))


def vals(context: Any, types: Any, values: Any) -> Any:
    array = (c.wasmtime_val_t * max(1, len(values)))()
    for i, (t, value) in enumerate(zip(types, values, strict=True)):
        array[i] = to_val(context, t, value)
    return array


def valtype(t: ValType) -> Any:
    """A type for functions of the host: numbers, and references to anything of the host or any function."""
    if t is V128:
        return c.wasmtime_wasm_valtype_v128()
    if isinstance(t, RefType):
        return c.wasm_valtype_new(129 if kind_of(t) == FUNC_KIND else 128)
    return c.wasm_valtype_new(NUMBERS[t])


def functype(params: Any, results: Any) -> Any:
    """A function type, which the caller deletes."""
    return c.wasm_functype_new(byref(_valtypes(params)), byref(_valtypes(results)))


def _valtypes(types: Any) -> Any:
    vec = c.wasm_valtype_vec_t()
    c.wasm_valtype_vec_new_uninitialized(byref(vec), len(types))
    for i, t in enumerate(types):
        vec.data[i] = valtype(t)
    return vec


nothing = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
"""A finalizer with nothing to do."""
