"""Atomic memory instructions of the threads proposal: accesses like others, but aligned exactly.

Spec    https://github.com/WebAssembly/threads
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.memory import access
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed

types(form.AtomicFence)(fixed)


def atomic_access(c: Checker, i: form.Access) -> None:
    """Fails   Invalid  as any access does, or "alignment must be equal to natural" """
    access(c, i)
    if i.align + 1 != i.op.access.bit_length():
        raise Invalid(f"alignment must be equal to natural: 2**{i.align} for an atomic access of {i.op.access} bytes")


types(form.AtomicLoad)(atomic_access)
types(form.AtomicStore)(atomic_access)
types(form.AtomicRmw)(atomic_access)
types(form.AtomicCmpxchg)(atomic_access)
types(form.AtomicWait)(atomic_access)
types(form.AtomicNotify)(atomic_access)
