"""Reference instructions.

Spec    exec/instructions.html#reference-instructions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import I31, Ref, heaptype
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import DefType, RefType
from pywasm_ref.validation.matching import match_heaptype

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


def ref_ok(ref: Ref, type: RefType, types: Sequence[DefType]) -> bool:
    """Whether a reference has a type, whose index counts in these types.

    Spec    valid/values.html
    """
    if ref is None:
        return type.null
    heap = type.heap
    return match_heaptype(heaptype(ref), types[heap] if isinstance(heap, int) else heap)


@reduces(form.RefNull, "Step_read/ref.null")
def ref_null(z: Machine, i: form.RefNull) -> None:
    """Spec    exec/instructions.html#exec-ref-null"""
    z.values.append(None)


@reduces(form.RefFunc, "Step_read/ref.func")
def ref_func(z: Machine, i: form.RefFunc) -> None:
    """Spec    exec/instructions.html#exec-ref-func"""
    z.values.append(z.module.funcs[i.func])


@reduces(form.RefIsNull, "Step_pure/ref.is_null-true", "Step_pure/ref.is_null-false", case=lambda z, i: z.values[-1] is not None)
def ref_is_null(z: Machine, i: form.RefIsNull) -> None:
    """Spec    exec/instructions.html#exec-ref-is-null"""
    z.values[-1] = 1 if z.values[-1] is None else 0


@reduces(
    form.RefAsNonNull, "Step_pure/ref.as_non_null-null", "Step_pure/ref.as_non_null-addr", case=lambda z, i: z.values[-1] is not None
)  # fmt: skip
def ref_as_non_null(z: Machine, i: form.RefAsNonNull) -> None:
    """Traps   "null reference"

    Spec    exec/instructions.html#exec-ref-as-non-null
    """
    if z.values[-1] is None:
        raise Trap(TrapReason.NULL_REFERENCE)


def same(ref1: Ref, ref2: Ref) -> bool:
    """Whether two references are equal: numbers by value, all else by identity."""
    return ref1 is ref2 or (ref1.__class__ is I31 and ref1 == ref2)


def _eq_case(z: Machine, i: form.RefEq) -> int:
    ref1, ref2 = z.values[-2:]
    return 0 if ref1 is None and ref2 is None else 1 if same(ref1, ref2) else 2


@reduces(form.RefEq, "Step_pure/ref.eq-null", "Step_pure/ref.eq-true", "Step_pure/ref.eq-false", case=_eq_case)
def ref_eq(z: Machine, i: form.RefEq) -> None:
    """Spec    exec/instructions.html#exec-ref-eq"""
    second = z.values.pop()
    z.values[-1] = 1 if same(z.values[-1], second) else 0


def _cast_case(z: Machine, i: form.RefTest | form.RefCast) -> bool:
    return not ref_ok(z.values[-1], i.type, z.module.types)


@reduces(form.RefTest, "Step_read/ref.test-true", "Step_read/ref.test-false", case=_cast_case)
def ref_test(z: Machine, i: form.RefTest) -> None:
    """Spec    exec/instructions.html#exec-ref-test"""
    z.values[-1] = 1 if ref_ok(z.values[-1], i.type, z.module.types) else 0


@reduces(form.RefCast, "Step_read/ref.cast-succeed", "Step_read/ref.cast-fail", case=_cast_case)
def ref_cast(z: Machine, i: form.RefCast) -> None:
    """Traps   "cast failure"  when the reference does not have the type

    Spec    exec/instructions.html#exec-ref-cast
    """
    if not ref_ok(z.values[-1], i.type, z.module.types):
        raise Trap(TrapReason.CAST_FAILURE)
