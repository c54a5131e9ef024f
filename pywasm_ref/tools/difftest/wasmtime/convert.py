"""The module between a function of the host and a guest that have different references in mind."""

from __future__ import annotations

from pywasm_ref.isa import BY_CODE
from pywasm_ref.syntax.instructions import Expr, Instr, RefCast
from pywasm_ref.syntax.modules import Export, ExternKind, Func, Import, Module
from pywasm_ref.syntax.types import AbsHeapType, FuncType, FuncTypeUse, RecType, RefType, SubType, ValType
from pywasm_ref.tools.difftest.generate.space import make

H = AbsHeapType
CAST, CAST_NULL = (0xFB, 22), (0xFB, 23)
INTERNAL = (H.ANY, H.EQ, H.I31, H.STRUCT, H.ARRAY, H.NONE)
BY_C = (RefType(True, H.FUNC), RefType(True, H.EXTERN))


def beyond_c(t: ValType) -> bool:
    """Whether it is a reference type that functions of C cannot have."""
    return isinstance(t, RefType) and t not in BY_C


def internal(t: ValType) -> bool:
    return isinstance(t, RefType) and t.heap in INTERNAL


def converter(t: FuncType) -> tuple[Module, FuncType]:
    """A module whose export has that type, and whose import has types of C in its place; and that import's type.

    Fails   NotImplementedError for references to exceptions or of a type that a module defines, which C does not get to see, and for
            several results of which some have to be converted
    """
    if len(t.results) > 1 and any(map(beyond_c, t.results)):
        raise NotImplementedError("a function of the host that gives several references")
    outside = FuncType(tuple(map(_outside, t.params)), tuple(map(_outside, t.results)))
    body: list[Instr] = []
    for x, p in enumerate(t.params):
        body += [make("local.get", x), *((make("extern.convert_any"),) if internal(p) else ())]
    body.append(make("call", 0))
    for r in t.results:
        body += _back(r)
    module = Module(
        types=tuple(RecType((SubType(True, (), part),)) for part in (outside, t)),
        imports=(Import("host", "f", FuncTypeUse(0)),),
        funcs=(Func(1, (), Expr(tuple(body))),),
        exports=(Export("f", ExternKind.FUNC, 1),),
    )
    return module, outside


def _outside(t: ValType) -> ValType:
    if not beyond_c(t):
        return t
    if internal(t) or (isinstance(t, RefType) and t.heap is H.EXTERN):
        return RefType(True, H.EXTERN)
    raise NotImplementedError(f"a function of the host with {t}")


def _back(t: ValType) -> list[Instr]:
    """Code that makes of what C gives what the guest wants."""
    if not isinstance(t, RefType) or not beyond_c(t):
        return []
    if not internal(t):
        return [make("ref.as_non_null")]
    return [make("any.convert_extern"), RefCast(BY_CODE[CAST_NULL if t.null else CAST], t)]
