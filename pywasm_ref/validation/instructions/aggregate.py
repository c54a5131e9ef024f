"""Aggregate instructions: structures, arrays, i31, and conversions of external references.

Spec    valid/instructions.html#aggregate-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32, AbsHeapType, FieldType, PackType, RefType, ResultType, TypeIdx
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed
from pywasm_ref.validation.matching import match_reftype, match_storagetype, match_valtype
from pywasm_ref.validation.types import defaultable, unpack


def ref(c: Checker, x: TypeIdx) -> RefType:
    return RefType(False, c.context.type(x))


def ref_null(c: Checker, x: TypeIdx) -> RefType:
    return RefType(True, c.context.type(x))


# Structures


@types(form.StructNew, "Instr_ok/struct.new")
def struct_new(c: Checker, i: form.StructNew) -> None:
    fields = c.context.structtype(i.type).fields
    c.pop_vals([unpack(field.storage) for field in fields])
    c.push(ref(c, i.type))


@types(form.StructNewDefault, "Instr_ok/struct.new_default")
def struct_new_default(c: Checker, i: form.StructNewDefault) -> None:
    fields = c.context.structtype(i.type).fields
    for x, field in enumerate(fields):
        if not defaultable(unpack(field.storage)):
            raise Invalid(f"field type is not defaultable: field {x} of type {i.type}")
    c.push(ref(c, i.type))


@types(form.StructGet, "Instr_ok/struct.get")
def struct_get(c: Checker, i: form.StructGet) -> None:
    field = struct_field(c, i)
    require_extension(i, field, "field")
    c.pop(ref_null(c, i.type))
    c.push(unpack(field.storage))


@types(form.StructSet, "Instr_ok/struct.set")
def struct_set(c: Checker, i: form.StructSet) -> None:
    field = struct_field(c, i)
    if not field.mut:
        raise Invalid(f"immutable field {i.field} of type {i.type}")
    c.pop_vals((ref_null(c, i.type), unpack(field.storage)))


def struct_field(c: Checker, i: form.StructGet | form.StructSet) -> FieldType:
    """Fails   Invalid  "unknown type", "non-structure type", "unknown field" """
    fields = c.context.structtype(i.type).fields
    if i.field >= len(fields):
        raise Invalid(f"unknown field {i.field}")
    return fields[i.field]


def require_extension(i: form.StructGet | form.ArrayGet, field: FieldType, what: str) -> None:
    """Packed storage is read with a sign, other storage without.

    Fails   Invalid  "field is packed", "field is unpacked", "array is packed", "array is unpacked"
    """
    packed = isinstance(field.storage, PackType)
    if packed != (i.op.sx is not None):
        raise Invalid(f"{what} is {'packed' if packed else 'unpacked'}")


# Arrays


@types(form.ArrayNew, "Instr_ok/array.new")
def array_new(c: Checker, i: form.ArrayNew) -> None:
    field = c.context.arraytype(i.type)
    c.pop_vals((unpack(field.storage), I32))
    c.push(ref(c, i.type))


@types(form.ArrayNewDefault, "Instr_ok/array.new_default")
def array_new_default(c: Checker, i: form.ArrayNewDefault) -> None:
    if not defaultable(unpack(c.context.arraytype(i.type).storage)):
        raise Invalid(f"array type is not defaultable: type {i.type}")
    c.pop(I32)
    c.push(ref(c, i.type))


@types(form.ArrayNewFixed, "Instr_ok/array.new_fixed")
def array_new_fixed(c: Checker, i: form.ArrayNewFixed) -> None:
    """Operands are looked for only as far as there are any: the count may be four billion."""
    t = unpack(c.context.arraytype(i.type).storage)
    known = min(i.count, len(c.vals) - c.height)
    if known < i.count and not c.ctrls[-1].unreachable:
        raise Invalid(f"type mismatch: instruction requires {i.count} times {c.words(t)} but stack has {c.words_of(c.vals[c.height :])}")
    c.pop_vals([t] * known)
    c.push(ref(c, i.type))


@types(form.ArrayNewData, "Instr_ok/array.new_data")
def array_new_data(c: Checker, i: form.ArrayNewData) -> None:
    field = c.context.arraytype(i.type)
    c.data(i.data)
    require_numeric(field)
    c.pop_vals((I32, I32))
    c.push(ref(c, i.type))


@types(form.ArrayNewElem, "Instr_ok/array.new_elem")
def array_new_elem(c: Checker, i: form.ArrayNewElem) -> None:
    field = c.context.arraytype(i.type)
    require_elem(c, c.elem(i.elem), field)
    c.pop_vals((I32, I32))
    c.push(ref(c, i.type))


@types(form.ArrayGet, "Instr_ok/array.get")
def array_get(c: Checker, i: form.ArrayGet) -> None:
    field = c.context.arraytype(i.type)
    require_extension(i, field, "array")
    c.pop_vals((ref_null(c, i.type), I32))
    c.push(unpack(field.storage))


@types(form.ArraySet, "Instr_ok/array.set")
def array_set(c: Checker, i: form.ArraySet) -> None:
    c.pop_vals((ref_null(c, i.type), I32, unpack(mutable(c, i.type).storage)))


types(form.ArrayLen, "Instr_ok/array.len")(fixed)


@types(form.ArrayFill, "Instr_ok/array.fill")
def array_fill(c: Checker, i: form.ArrayFill) -> None:
    c.pop_vals((ref_null(c, i.type), I32, unpack(mutable(c, i.type).storage), I32))


@types(form.ArrayCopy, "Instr_ok/array.copy")
def array_copy(c: Checker, i: form.ArrayCopy) -> None:
    target, source = mutable(c, i.target), c.context.arraytype(i.source)
    if not match_storagetype(source.storage, target.storage):
        raise Invalid(f"array types do not match: type {i.source} to type {i.target}")
    c.pop_vals((ref_null(c, i.target), I32, ref_null(c, i.source), I32, I32))


@types(form.ArrayInitData, "Instr_ok/array.init_data")
def array_init_data(c: Checker, i: form.ArrayInitData) -> None:
    field = mutable(c, i.type)
    c.data(i.data)
    require_numeric(field)
    c.pop_vals((ref_null(c, i.type), I32, I32, I32))


@types(form.ArrayInitElem, "Instr_ok/array.init_elem")
def array_init_elem(c: Checker, i: form.ArrayInitElem) -> None:
    field = mutable(c, i.type)
    require_elem(c, c.elem(i.elem), field)
    c.pop_vals((ref_null(c, i.type), I32, I32, I32))


def mutable(c: Checker, x: TypeIdx) -> FieldType:
    """Fails   Invalid  "unknown type", "non-array type", "immutable array" """
    field = c.context.arraytype(x)
    if not field.mut:
        raise Invalid(f"immutable array: type {x}")
    return field


def require_numeric(field: FieldType) -> None:
    """Fails   Invalid  "array type is not numeric or vector", since bytes do not make references"""
    if isinstance(field.storage, RefType):
        raise Invalid("array type is not numeric or vector")


def require_elem(c: Checker, elem: RefType, field: FieldType) -> None:
    """Fails   Invalid  "type mismatch"  when the references do not fit the array"""
    t = unpack(field.storage)
    if not match_valtype(elem, t):
        raise Invalid(f"type mismatch: element segment's type {c.words(elem)} does not match array's field type {c.words(t)}")


# Scalar references, external references

types(form.RefI31, "Instr_ok/ref.i31")(fixed)
types(form.I31Get, "Instr_ok/i31.get")(fixed)


@types(form.AnyConvertExtern, "Instr_ok/any.convert_extern")
def any_convert_extern(c: Checker, i: form.AnyConvertExtern) -> None:
    convert(c, AbsHeapType.EXTERN, AbsHeapType.ANY)


@types(form.ExternConvertAny, "Instr_ok/extern.convert_any")
def extern_convert_any(c: Checker, i: form.ExternConvertAny) -> None:
    convert(c, AbsHeapType.ANY, AbsHeapType.EXTERN)


def convert(c: Checker, source: AbsHeapType, target: AbsHeapType) -> None:
    """A reference changes sides; one that cannot be null stays so.

    Fails   Invalid  "type mismatch"
    """
    t = c.pop_ref()
    wanted: ResultType = (RefType(True, source),)
    if t.heap is not AbsHeapType.BOT and not match_reftype(t, RefType(True, source)):
        raise Invalid(f"type mismatch: instruction requires {c.words_of(wanted)} but stack has {c.words_of((t,))}")
    c.push(RefType(t.null, target))
