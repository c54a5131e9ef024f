"""Aggregate instructions: i31, structures, arrays, and the passage between internal and external references.

A packed field holds its narrow value; it is cut to size when written, and extended when read.

Spec    exec/instructions.html#aggregate-instructions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.allocation import allocarray, share
from pywasm_ref.execution.instructions import bulk, memory, table
from pywasm_ref.execution.instructions.memory import UNPACK
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import I31, ArrayInst, ExternRef, StructInst, Value
from pywasm_ref.numerics import I32
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax import types
from pywasm_ref.syntax.types import DefType, FieldType, PackType, StorageType
from pywasm_ref.validation.types import expand

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

WIDTHS: dict[StorageType, int] = {types.I8: 1, types.I16: 2, types.I32: 4, types.F32: 4, types.I64: 8, types.F64: 8, types.V128: 16}
"""Units   bytes"""

PACKED: dict[StorageType, int] = {types.I8: 0xFF, types.I16: 0xFFFF}
EXTEND: dict[StorageType, Callable[[int], int]] = {types.I8: I32.extend8_s, types.I16: I32.extend16_s}


# Storage


def fieldtypes(type: DefType) -> tuple[FieldType, ...]:
    """The fields of a structure type."""
    comp: Any = expand(type)
    fields: tuple[FieldType, ...] = comp.fields
    return fields


def element(type: DefType) -> StorageType:
    """What the elements of an array are stored as."""
    comp: Any = expand(type)
    storage: StorageType = comp.field.storage
    return storage


def pack(storage: StorageType, value: Value) -> Value:
    """Spec    exec/runtime.html#aux-packfield"""
    return value & PACKED[storage] if isinstance(storage, PackType) else value


def unpack(storage: StorageType, value: Value) -> Value:
    """The value of a packed field, its sign extended.

    Spec    exec/runtime.html#aux-unpackfield
    """
    return EXTEND[storage](value)


def default(storage: StorageType) -> Value:
    """Spec    exec/runtime.html#aux-default"""
    return None if isinstance(storage, types.RefType) else 0


def struct_of(ref: Any) -> StructInst:
    """Traps   "null structure reference" """
    if ref is None:
        raise Trap(TrapReason.NULL_STRUCTURE_REFERENCE)
    struct: StructInst = ref
    return struct


def array_of(ref: Any) -> ArrayInst:
    """Traps   "null array reference" """
    if ref is None:
        raise Trap(TrapReason.NULL_ARRAY_REFERENCE)
    array: ArrayInst = ref
    return array


def check_bounds(array: ArrayInst, start: int, n: int) -> None:
    """Traps   "out of bounds array access"  when the range is not inside"""
    if start + n > len(array.fields):
        raise Trap(TrapReason.OUT_OF_BOUNDS_ARRAY)


# i31


@reduces(form.RefI31, "Step_pure/ref.i31")
def ref_i31(z: Machine, i: form.RefI31) -> None:
    """Spec    exec/instructions.html#exec-ref-i31"""
    z.values[-1] = I31(z.values[-1] & 0x7FFF_FFFF)


@reduces(form.I31Get, "Step_pure/i31.get-null", "Step_pure/i31.get-num", case=lambda z, i: z.values[-1] is not None)
def i31_get(z: Machine, i: form.I31Get) -> None:
    """Traps   "null i31 reference"

    Spec    exec/instructions.html#exec-i31-get
    """
    ref = z.values[-1]
    if ref is None:
        raise Trap(TrapReason.NULL_I31_REFERENCE)
    value = ref.value
    z.values[-1] = value | 0x8000_0000 if i.op.sx and value & 0x4000_0000 else value


# Structures


@reduces(form.StructNew, "Step/struct.new")
def struct_new(z: Machine, i: form.StructNew) -> None:
    """Spec    exec/instructions.html#exec-struct-new"""
    type = z.module.types[i.type]
    declared = fieldtypes(type)
    height = len(z.values) - len(declared)
    fields = [pack(field.storage, value) for field, value in zip(declared, z.values[height:], strict=True)]
    del z.values[height:]
    z.values.append(StructInst(type, fields, share(z.store, len(fields))))


@reduces(form.StructNewDefault, "Step_read/struct.new_default", case=lambda z, i: ("Step_read/struct.new_default", "Step/struct.new"))
def struct_new_default(z: Machine, i: form.StructNewDefault) -> None:
    """Spec    exec/instructions.html#exec-struct-new-default"""
    type = z.module.types[i.type]
    fields = [default(field.storage) for field in fieldtypes(type)]
    z.values.append(StructInst(type, fields, share(z.store, len(fields))))


@reduces(form.StructGet, "Step_read/struct.get-null", "Step_read/struct.get-struct", case=lambda z, i: z.values[-1] is not None)
def struct_get(z: Machine, i: form.StructGet) -> None:
    """Traps   "null structure reference"

    Spec    exec/instructions.html#exec-struct-get
    """
    struct = struct_of(z.values[-1])
    value = struct.fields[i.field]
    z.values[-1] = unpack(fieldtypes(z.module.types[i.type])[i.field].storage, value) if i.op.sx else value


@reduces(form.StructSet, "Step/struct.set-null", "Step/struct.set-struct", case=lambda z, i: z.values[-2] is not None)
def struct_set(z: Machine, i: form.StructSet) -> None:
    """Traps   "null structure reference"

    Spec    exec/instructions.html#exec-struct-set
    """
    value, struct = z.values.pop(), struct_of(z.values.pop())
    struct.fields[i.field] = pack(fieldtypes(z.module.types[i.type])[i.field].storage, value)


# Arrays


@reduces(form.ArrayNew, "Step_pure/array.new", case=lambda z, i: ("Step_pure/array.new", "Step/array.new_fixed"))
def array_new(z: Machine, i: form.ArrayNew) -> None:
    """Spec    exec/instructions.html#exec-array-new"""
    type = z.module.types[i.type]
    n, value = z.values.pop(), z.values[-1]
    value = pack(element(type), value)
    z.values[-1] = allocarray(z.store, type, n, lambda: [value] * n)


@reduces(form.ArrayNewDefault, "Step_read/array.new_default", case=lambda z, i: ("Step_read/array.new_default", "Step/array.new_fixed"))
def array_new_default(z: Machine, i: form.ArrayNewDefault) -> None:
    """Spec    exec/instructions.html#exec-array-new-default"""
    type = z.module.types[i.type]
    value, n = default(element(type)), z.values[-1]
    z.values[-1] = allocarray(z.store, type, n, lambda: [value] * n)


@reduces(form.ArrayNewFixed, "Step/array.new_fixed")
def array_new_fixed(z: Machine, i: form.ArrayNewFixed) -> None:
    """Spec    exec/instructions.html#exec-array-new-fixed"""
    type = z.module.types[i.type]
    height = len(z.values) - i.count
    storage = element(type)
    fields = [pack(storage, value) for value in z.values[height:]]
    del z.values[height:]
    z.values.append(ArrayInst(type, fields, share(z.store, len(fields))))


def numbers(data: bytes, start: int, storage: StorageType, first: int, end: int) -> list[int]:
    """Some of the numbers that lie in a data segment, one behind the other."""
    width = WIDTHS[storage]
    read = UNPACK[width]
    return [read(data, at)[0] for at in range(start + first * width, start + end * width, width)]


def _new_data_case(z: Machine, i: form.ArrayNewData) -> bool:
    start, n = z.values[-2:]
    return bool(start + n * WIDTHS[element(z.module.types[i.type])] <= len(z.module.datas[i.data].data))


@reduces(form.ArrayNewData, "Step_read/array.new_data-oob", "Step_read/array.new_data-num", case=_new_data_case)
def array_new_data(z: Machine, i: form.ArrayNewData) -> None:
    """Traps   "out of bounds memory access"

    Spec    exec/instructions.html#exec-array-new-data
    """
    type = z.module.types[i.type]
    n, start = z.values.pop(), z.values.pop()
    data, storage = z.module.datas[i.data], element(type)
    memory.check_bounds(data.data, start, n * WIDTHS[storage])
    read = partial(numbers, data.data, start, storage)
    z.values.append(allocarray(z.store, type, n, lambda: bulk.gathered(z, n, read)))


@reduces(
    form.ArrayNewElem,
    "Step_read/array.new_elem-oob",
    "Step_read/array.new_elem-alloc",
    case=lambda z, i: z.values[-2] + z.values[-1] <= len(z.module.elems[i.elem].refs),
)
def array_new_elem(z: Machine, i: form.ArrayNewElem) -> None:
    """Traps   "out of bounds table access"

    Spec    exec/instructions.html#exec-array-new-elem
    """
    n, start = z.values.pop(), z.values.pop()
    refs = z.module.elems[i.elem].refs
    table.check_bounds(refs, start, n)
    z.values.append(allocarray(z.store, z.module.types[i.type], n, lambda: refs[start : start + n]))


def _access_case(array: Any, index: int) -> int:
    return 0 if array is None else 1 if index >= len(array.fields) else 2


@reduces(
    form.ArrayGet,
    "Step_read/array.get-null", "Step_read/array.get-oob", "Step_read/array.get-array",
    case=lambda z, i: _access_case(*z.values[-2:]),
)  # fmt: skip
def array_get(z: Machine, i: form.ArrayGet) -> None:
    """Traps   "null array reference", "out of bounds array access"

    Spec    exec/instructions.html#exec-array-get
    """
    index = z.values.pop()
    fields = array_of(z.values[-1]).fields
    if index >= len(fields):
        raise Trap(TrapReason.OUT_OF_BOUNDS_ARRAY)
    z.values[-1] = unpack(element(z.module.types[i.type]), fields[index]) if i.op.sx else fields[index]


@reduces(
    form.ArraySet,
    "Step/array.set-null", "Step/array.set-oob", "Step/array.set-array",
    case=lambda z, i: _access_case(*z.values[-3:-1]),
)  # fmt: skip
def array_set(z: Machine, i: form.ArraySet) -> None:
    """Traps   "null array reference", "out of bounds array access"

    Spec    exec/instructions.html#exec-array-set
    """
    value, index, array = z.values.pop(), z.values.pop(), array_of(z.values.pop())
    if index >= len(array.fields):
        raise Trap(TrapReason.OUT_OF_BOUNDS_ARRAY)
    array.fields[index] = pack(element(z.module.types[i.type]), value)


@reduces(form.ArrayLen, "Step_read/array.len-null", "Step_read/array.len-array", case=lambda z, i: z.values[-1] is not None)
def array_len(z: Machine, i: form.ArrayLen) -> None:
    """Traps   "null array reference"

    Spec    exec/instructions.html#exec-array-len
    """
    z.values[-1] = len(array_of(z.values[-1]).fields)


# Arrays, many elements at once: all steps of the rule in one


def _fill_case(z: Machine, i: form.ArrayFill) -> int:
    array, start, _, n = z.values[-4:]
    return 0 if array is None else 1 if start + n > len(array.fields) else 3 if n else 2


@reduces(
    form.ArrayFill,
    "Step_read/array.fill-null", "Step_read/array.fill-oob", "Step_read/array.fill-zero", "Step_read/array.fill-succ",
    case=_fill_case,
)  # fmt: skip
def array_fill(z: Machine, i: form.ArrayFill) -> None:
    """Traps   "null array reference", "out of bounds array access"

    Spec    exec/instructions.html#exec-array-fill
    """
    n, value, start, array = z.values.pop(), z.values.pop(), z.values.pop(), array_of(z.values.pop())
    check_bounds(array, start, n)
    bulk.fill(z, array.fields, start, [pack(element(z.module.types[i.type]), value)], n)


def _copy_case(z: Machine, i: form.ArrayCopy) -> int:
    target, to, source, start, n = z.values[-5:]
    if target is None or source is None:
        return 0 if target is None else 1
    if to + n > len(target.fields):
        return 2
    if start + n > len(source.fields):
        return 3
    return 4 if n == 0 else 5 if to <= start else 6


@reduces(
    form.ArrayCopy,
    "Step_read/array.copy-null1", "Step_read/array.copy-null2", "Step_read/array.copy-oob1", "Step_read/array.copy-oob2",
    "Step_read/array.copy-zero", "Step_read/array.copy-le", "Step_read/array.copy-gt",
    case=_copy_case,
)  # fmt: skip
def array_copy(z: Machine, i: form.ArrayCopy) -> None:
    """The ranges may overlap.

    Traps   "null array reference", "out of bounds array access"
    Spec    exec/instructions.html#exec-array-copy
    """
    values = z.values
    n, start, second, to, first = values.pop(), values.pop(), values.pop(), values.pop(), values.pop()
    target, source = array_of(first), array_of(second)
    check_bounds(target, to, n)
    check_bounds(source, start, n)
    bulk.copy(z, target.fields, to, source.fields, start, n)


def _init_case(z: Machine, size: int, width: int) -> int:
    """Which rule initialises an array from a segment of that size, each element being so wide there."""
    array, to, start, n = z.values[-4:]
    if array is None or to + n > len(array.fields):
        return 0 if array is None else 1
    return 2 if start + n * width > size else 4 if n else 3


def _init_data_case(z: Machine, i: form.ArrayInitData) -> int:
    return _init_case(z, len(z.module.datas[i.data].data), WIDTHS[element(z.module.types[i.type])])


@reduces(
    form.ArrayInitData,
    "Step_read/array.init_data-null", "Step_read/array.init_data-oob1", "Step_read/array.init_data-oob2",
    "Step_read/array.init_data-zero", "Step_read/array.init_data-num",
    case=_init_data_case,
)  # fmt: skip
def array_init_data(z: Machine, i: form.ArrayInitData) -> None:
    """Traps   "null array reference", "out of bounds array access", "out of bounds memory access"

    Spec    exec/instructions.html#exec-array-init-data
    """
    n, start, to, array = z.values.pop(), z.values.pop(), z.values.pop(), array_of(z.values.pop())
    data, storage = z.module.datas[i.data], element(z.module.types[i.type])
    check_bounds(array, to, n)
    memory.check_bounds(data.data, start, n * WIDTHS[storage])
    for at, end in bulk.pieces(z, n):
        array.fields[to + at : to + end] = numbers(data.data, start, storage, at, end)


@reduces(
    form.ArrayInitElem,
    "Step_read/array.init_elem-null", "Step_read/array.init_elem-oob1", "Step_read/array.init_elem-oob2",
    "Step_read/array.init_elem-zero", "Step_read/array.init_elem-succ",
    case=lambda z, i: _init_case(z, len(z.module.elems[i.elem].refs), 1),
)  # fmt: skip
def array_init_elem(z: Machine, i: form.ArrayInitElem) -> None:
    """Traps   "null array reference", "out of bounds array access", "out of bounds table access"

    Spec    exec/instructions.html#exec-array-init-elem
    """
    n, start, to, array = z.values.pop(), z.values.pop(), z.values.pop(), array_of(z.values.pop())
    refs = z.module.elems[i.elem].refs
    check_bounds(array, to, n)
    table.check_bounds(refs, start, n)
    bulk.copy(z, array.fields, to, refs, start, n)


# Internal and external references


@reduces(
    form.ExternConvertAny,
    "Step_pure/extern.convert_any-null", "Step_pure/extern.convert_any-addr",
    case=lambda z, i: z.values[-1] is not None,
)  # fmt: skip
def extern_convert_any(z: Machine, i: form.ExternConvertAny) -> None:
    """Spec    exec/instructions.html#exec-extern-convert-any"""
    if z.values[-1] is not None:
        z.values[-1] = ExternRef(z.values[-1])


@reduces(
    form.AnyConvertExtern,
    "Step_pure/any.convert_extern-null", "Step_pure/any.convert_extern-addr",
    case=lambda z, i: z.values[-1] is not None,
)  # fmt: skip
def any_convert_extern(z: Machine, i: form.AnyConvertExtern) -> None:
    """Spec    exec/instructions.html#exec-any-convert-extern"""
    if z.values[-1] is not None:
        z.values[-1] = z.values[-1].ref
