"""Features that are not rows of the instruction table: what a type may say in an earlier release.

Spec    appendix/changes.html
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.features import Feature, Features
from pywasm_ref.syntax.types import (
    I64,
    AbsHeapType,
    ArrayType,
    FieldType,
    FuncType,
    MemType,
    PackType,
    RecType,
    RefType,
    StorageType,
    StructType,
    SubType,
    ValType,
    VecType,
)

_HEAPS = {
    AbsHeapType.FUNC: Feature.REFERENCE_TYPES,
    AbsHeapType.EXTERN: Feature.REFERENCE_TYPES,
    AbsHeapType.EXN: Feature.EXCEPTIONS,
    AbsHeapType.NOEXN: Feature.EXCEPTIONS,
}
_TYPES = frozenset(
    {
        Feature.MULTI_VALUE,
        Feature.SIMD,
        Feature.REFERENCE_TYPES,
        Feature.FUNCTION_REFERENCES,
        Feature.GC,
        Feature.EXCEPTIONS,
    }
)
"""What is asked for by types that definitions may contain."""


def require(features: Features, feature: Feature, what: str) -> None:
    """Fails   Invalid  when the feature is off"""
    if feature not in features:
        raise Invalid(f"{what} needs the feature {feature.value}, which is off")


def require_valtype(features: Features, t: ValType) -> None:
    """Fails   Invalid  when the type came with a feature that is off"""
    if isinstance(t, VecType):
        require(features, Feature.SIMD, "a vector type")
    elif isinstance(t, RefType):
        needed = _HEAPS.get(t.heap, Feature.GC) if isinstance(t.heap, AbsHeapType) else Feature.FUNCTION_REFERENCES
        require(features, needed, "a reference type")
        if not t.null:
            require(features, Feature.FUNCTION_REFERENCES, "a reference type without null")


def require_rectype(features: Features, rectype: RecType) -> None:
    """Fails   Invalid  when some part of the types came with a feature that is off"""
    if features >= _TYPES:
        return
    if len(rectype.subtypes) != 1:
        require(features, Feature.GC, "a recursive type")
    for sub in rectype.subtypes:
        _require_subtype(features, sub)


def _require_subtype(features: Features, sub: SubType) -> None:
    comp = sub.comp
    if sub.supers or not sub.final:
        require(features, Feature.GC, "a sub type")
    if isinstance(comp, FuncType):
        if len(comp.results) > 1 and Feature.MULTI_VALUE not in features:
            raise Invalid("invalid result arity: more than one result needs the feature multi-value, which is off")
        parts: tuple[StorageType, ...] = (*comp.params, *comp.results)
    else:
        require(features, Feature.GC, "a structure or array type")
        parts = tuple(field.storage for field in _fields(comp))
    for t in parts:
        if not isinstance(t, PackType):
            require_valtype(features, t)


def _fields(comp: StructType | ArrayType) -> tuple[FieldType, ...]:
    return comp.fields if isinstance(comp, StructType) else (comp.field,)


def require_memtype(features: Features, mt: MemType) -> None:
    """Fails   Invalid  when the type came with a feature that is off"""
    if mt.addr is I64:
        require(features, Feature.MEMORY64, "a memory with 64-bit addresses")
    if mt.shared:
        require(features, Feature.THREADS, "a shared memory")
    if mt.page_bits != 16:
        require(features, Feature.CUSTOM_PAGE_SIZES, "a custom page size")
