"""Which features a module makes use of: those of its instructions, and those that its types and definitions need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pywasm_ref.features import Feature
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.modules import Active, Data, Elem, Global, Mem, Mode, Module, Table, Tag
from pywasm_ref.syntax.types import (
    EXTERNREF,
    FUNCREF,
    I64,
    AbsHeapType,
    ArrayType,
    ExternType,
    FuncType,
    GlobalType,
    MemType,
    PackType,
    RecType,
    RefType,
    StorageType,
    StructType,
    SubType,
    TableType,
    TagType,
    VecType,
)

F = Feature
FUNCTION_HEAPS = (AbsHeapType.FUNC, AbsHeapType.EXTERN)
EXCEPTION_HEAPS = (AbsHeapType.EXN, AbsHeapType.NOEXN)


def features_used(module: Module) -> list[Feature]:
    """The features, each once, in the order in which they came to WebAssembly."""
    used: set[Feature] = {F.MVP}
    for part in (_types, _imports, _definitions, _segments, _code):
        used.update(part(module))
    return [feature for feature in Feature if feature in used]


# Types


def _types(module: Module) -> Iterator[Feature]:
    for rectype in module.types:
        yield from _rectype(rectype)


def _rectype(rectype: RecType) -> Iterator[Feature]:
    if len(rectype.subtypes) != 1:
        yield F.GC
    for subtype in set(rectype.subtypes):
        yield from _subtype(subtype)


def _subtype(subtype: SubType) -> Iterator[Feature]:
    if not subtype.final or subtype.supers:
        yield F.GC
    match subtype.comp:
        case FuncType(params, results):
            if len(results) > 1:
                yield F.MULTI_VALUE
            yield from _valtypes((*params, *results))
        case StructType(fields):
            yield F.GC
            yield from _valtypes(field.storage for field in fields)
        case ArrayType(field):
            yield F.GC
            yield from _valtypes([field.storage])


def _valtypes(types: Iterable[StorageType]) -> Iterator[Feature]:
    for t in set(types):
        if isinstance(t, VecType):
            yield F.SIMD
        elif isinstance(t, PackType):
            yield F.GC
        elif isinstance(t, RefType):
            yield _reftype(t)


def _reftype(t: RefType) -> Feature:
    if t in (FUNCREF, EXTERNREF):
        return F.REFERENCE_TYPES
    if t.heap in EXCEPTION_HEAPS:
        return F.EXCEPTIONS
    return F.FUNCTION_REFERENCES if t.heap in FUNCTION_HEAPS or not isinstance(t.heap, AbsHeapType) else F.GC


# Imports and definitions


def _imports(module: Module) -> Iterator[Feature]:
    for i in module.imports:
        yield from _externtype(i.type)
        if isinstance(i.type, GlobalType) and i.type.mut:
            yield F.MUTABLE_GLOBALS


def _externtype(t: ExternType) -> Iterator[Feature]:
    match t:
        case TagType():
            yield F.EXCEPTIONS
        case GlobalType():
            yield from _valtypes([t.type])
        case MemType():
            yield from _memory(t)
        case TableType():
            yield from [F.MEMORY64] if t.addr is I64 else []
            yield from _valtypes([t.elem]) if t.elem != FUNCREF else []


def _memory(t: MemType) -> Iterator[Feature]:
    if t.addr is I64:
        yield F.MEMORY64
    if t.shared:
        yield F.THREADS
    if t.page_bits != 16:
        yield F.CUSTOM_PAGE_SIZES


def _definitions(module: Module) -> Iterator[Feature]:
    imported = [type(i.type) for i in module.imports]
    if len(module.mems) + imported.count(MemType) > 1:
        yield F.MULTI_MEMORY
    if len(module.tables) + imported.count(TableType) > 1:
        yield F.REFERENCE_TYPES
    defined: list[Tag | Global | Mem | Table] = [*module.tags, *module.globals, *module.mems, *module.tables]
    for definition in defined:
        yield from _externtype(definition.type)
    if any(table.init is not None for table in module.tables):
        yield F.FUNCTION_REFERENCES
    mutable = [i.type.mut for i in module.imports if isinstance(i.type, GlobalType)] + [variable.type.mut for variable in module.globals]
    if any(mutable[e.index : e.index + 1] == [True] for e in module.exports if e.kind.value == "global"):
        yield F.MUTABLE_GLOBALS


def _all_segments(module: Module) -> list[Data | Elem]:
    return [*module.datas, *module.elems]


def _segments(module: Module) -> Iterator[Feature]:
    if module.has_data_count or any(not isinstance(segment.mode, Active) for segment in _all_segments(module)):
        yield F.BULK_MEMORY
    if any(segment.mode is Mode.DECLARE for segment in module.elems):
        yield F.REFERENCE_TYPES
    for segment in module.elems:
        if segment.type not in (FUNCREF, RefType(False, AbsHeapType.FUNC)):
            yield from _valtypes([segment.type])


# Code


def _code(module: Module) -> Iterator[Feature]:
    for func in module.funcs:
        yield from _valtypes(t for _, t in func.locals)
        yield from _instructions(func.body)
    for constant in _constants(module):
        if any(isinstance(i, form.Binop) for i in constant.body):
            yield F.EXTENDED_CONST
        yield from _instructions(constant) if len(constant.body) > 1 or not isinstance(constant.body[0], form.RefFunc) else []


def _constants(module: Module) -> Iterator[Expr]:
    yield from (variable.init for variable in module.globals)
    yield from (table.init for table in module.tables if table.init is not None)
    yield from (segment.mode.offset for segment in _all_segments(module) if isinstance(segment.mode, Active))
    yield from (init for segment in module.elems for init in segment.inits)


def _instructions(expr: Expr) -> set[Feature]:
    used: set[Feature] = set()
    for i in with_nested(expr.body):
        used.add(i.op.feature)
        if isinstance(getattr(i, "type", None), int) and isinstance(i, BLOCKS):
            used.add(F.MULTI_VALUE)
    return used


BLOCKS = (form.Block, form.Loop, form.If, form.TryTable, form.Try)


def with_nested(instrs: Instrs) -> Iterator[Instr]:
    """Instructions and those inside of them, in no order that means anything."""
    pending = [instrs]
    while pending:
        for i in pending.pop():
            yield i
            pending.extend(_bodies(i))


def _bodies(i: Instr) -> tuple[Instrs, ...]:
    match i:
        case form.Block() | form.Loop() | form.TryTable():
            return (i.body,)
        case form.If():
            return i.then, i.orelse
        case form.Try():
            return i.body, *(clause.body for clause in i.catches)
    return ()
