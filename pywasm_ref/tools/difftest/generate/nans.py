"""Code that leaves no choice: NaNs are made canonical behind operations for which the specification leaves their bits open.

It is put into a finished module, so that whoever makes a module smaller works on the code without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.modules import Func, LocalType, Module
from pywasm_ref.syntax.types import F32, F64, V128, FuncType, ValType
from pywasm_ref.tools.difftest.generate.space import const, make

_NAMES = ("add", "sub", "mul", "div", "sqrt", "ceil", "floor", "trunc", "nearest", "min", "max")
_VECTORS = (*_NAMES, "relaxed_min", "relaxed_max")
OPEN: dict[str, tuple[ValType, str, int]] = {
    **{f"f32.{name}": (F32, "f32", 0x7FC0_0000) for name in (*_NAMES, "demote_f64")},
    **{f"f64.{name}": (F64, "f64", 0x7FF8_0000_0000_0000) for name in (*_NAMES, "promote_f32")},
    **{f"f32x4.{name}": (V128, "f32x4", 0x7FC0_0000_7FC0_0000_7FC0_0000_7FC0_0000) for name in (*_VECTORS, "demote_f64x2_zero")},
    **{f"f64x2.{name}": (V128, "f64x2", 0x7FF8_0000_0000_0000_7FF8_0000_0000_0000) for name in (*_VECTORS, "promote_low_f32x4")},
}
"""The operations that may make NaNs of any bits: the type, the prefix of its comparison, and the NaN to have instead."""

FUSED = frozenset(f"{shape}.relaxed_{name}" for shape in ("f32x4", "f64x2") for name in ("madd", "nmadd"))
"""Operations that may round once or twice, whatever the profile; nothing is made of their results."""


def canonical(module: Module) -> Module:
    """The module with no choice left about NaNs."""
    types = [sub.comp for group in module.types for sub in group.subtypes]
    return replace(module, funcs=tuple(_canonical_func(func, types[func.type]) for func in module.funcs))


def _canonical_func(func: Func, comp: object) -> Func:
    """The function with a local more for each type of which it makes NaNs."""
    first = (len(comp.params) if isinstance(comp, FuncType) else 0) + sum(n for n, _ in func.locals)
    scratch: dict[ValType, int] = {}
    body = _canonical_body(func.body.body, scratch, first)
    if body == func.body.body:
        return func
    return replace(func, locals=_with_locals(func.locals, scratch), body=Expr(body))


def _with_locals(locals: tuple[LocalType, ...], types: Iterable[ValType]) -> tuple[LocalType, ...]:
    """One local more of each type; equal neighbours stay one run."""
    for t in types:
        joins = bool(locals) and locals[-1][1] == t
        locals = (*locals[:-1], (locals[-1][0] + 1, t)) if joins else (*locals, (1, t))
    return locals


def _canonical_body(instrs: Instrs, scratch: dict[ValType, int], first: int) -> Instrs:
    done: list[Instr] = []
    for i in instrs:
        nested: dict[str, Any] = {
            name: _canonical_body(getattr(i, name), scratch, first) for name in ("body", "then", "orelse") if hasattr(i, name)
        }
        done.append(replace(i, **nested) if nested else i)
        if i.op.mnemonic in OPEN:
            t, prefix, nan = OPEN[i.op.mnemonic]
            done += _replacement(scratch.setdefault(t, first + len(scratch)), t, prefix, nan)
        elif i.op.mnemonic in FUSED:
            done += [const(V128, 0), make("v128.and")]
    return tuple(done)


def _replacement(x: int, t: ValType, prefix: str, nan: int) -> list[Instr]:
    """The value on top of the stack, or that NaN where it is one."""
    value = make("local.get", x)
    if t is V128:
        return [make("local.set", x), value, const(t, nan), value, value, make(f"{prefix}.eq"), make("v128.bitselect")]
    return [make("local.set", x), const(t, nan), value, value, value, make(f"{prefix}.ne"), make("select")]
