"""Instructions: one data class for each form, and the row of the table that an instruction belongs to.

A form is what instructions share that differ only in an operation or a width: `i32.add` and 43 others are one form, `Binop`.
The immediates follow `op` in the order of the abstract syntax. The rows are in `isa.py`.

Spec    syntax/instructions.html
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from pywasm_ref.features import Feature
from pywasm_ref.syntax.types import HeapType, RefType, TypeIdx, ValType

Code = int | tuple[int, int]
"""An opcode byte, or a prefix byte and a number after it."""

Form: TypeAlias = "type[Instr]"


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """A row of the instruction table.

    Units   `access` in bytes: how much of memory the instruction touches; its logarithm is the natural alignment
    """

    mnemonic: str
    code: Code
    immediates: tuple[str, ...]
    type: str
    form: Form
    primitive: Callable[..., Any] | None = None
    access: int = 0
    sx: bool | None = None
    feature: Feature = Feature.MVP

    def __repr__(self) -> str:
        return f"<{self.mnemonic}>"


@dataclass(frozen=True, slots=True)
class Instr:
    op: Op


Instrs = tuple[Instr, ...]
BlockType = ValType | TypeIdx | None
"""No result, one result, or the index of a function type."""


@dataclass(frozen=True, slots=True)
class Expr:
    """Instructions in a row, without the closing `end`.

    `places` has an entry for each opcode of the linear code, `else` and `end` (the last one too) included: its byte offset
    or character index. It may be empty. An `else` with nothing after it has no entry: the linear code is what is written back.
    """

    body: Instrs
    places: array[int] = field(default_factory=lambda: array("I"), compare=False, repr=False)


class CatchKind(Enum):
    """The value is the byte of the binary format."""

    CATCH = 0
    CATCH_REF = 1
    CATCH_ALL = 2
    CATCH_ALL_REF = 3


@dataclass(frozen=True, slots=True)
class Catch:
    """`tag` is None for the two kinds that catch all."""

    kind: CatchKind
    tag: int | None
    label: int


@dataclass(frozen=True, slots=True)
class LegacyCatch:
    """A clause of the legacy `try`; `tag` is None for `catch_all`."""

    tag: int | None
    body: Instrs


# Parametric instructions


@dataclass(frozen=True, slots=True)
class Nop(Instr): ...


@dataclass(frozen=True, slots=True)
class Unreachable(Instr): ...


@dataclass(frozen=True, slots=True)
class Drop(Instr): ...


@dataclass(frozen=True, slots=True)
class Select(Instr):
    types: tuple[ValType, ...] | None = None


# Control instructions


@dataclass(frozen=True, slots=True)
class Block(Instr):
    type: BlockType
    body: Instrs


@dataclass(frozen=True, slots=True)
class Loop(Instr):
    type: BlockType
    body: Instrs


@dataclass(frozen=True, slots=True)
class If(Instr):
    type: BlockType
    then: Instrs
    orelse: Instrs


@dataclass(frozen=True, slots=True)
class Br(Instr):
    label: int


@dataclass(frozen=True, slots=True)
class BrIf(Instr):
    label: int


@dataclass(frozen=True, slots=True)
class BrTable(Instr):
    labels: tuple[int, ...]
    default: int


@dataclass(frozen=True, slots=True)
class BrOnNull(Instr):
    label: int


@dataclass(frozen=True, slots=True)
class BrOnNonNull(Instr):
    label: int


@dataclass(frozen=True, slots=True)
class BrOnCast(Instr):
    label: int
    source: RefType
    target: RefType


@dataclass(frozen=True, slots=True)
class BrOnCastFail(Instr):
    label: int
    source: RefType
    target: RefType


@dataclass(frozen=True, slots=True)
class Return(Instr): ...


@dataclass(frozen=True, slots=True)
class Call(Instr):
    func: int


@dataclass(frozen=True, slots=True)
class CallRef(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class CallIndirect(Instr):
    table: int
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ReturnCall(Instr):
    func: int


@dataclass(frozen=True, slots=True)
class ReturnCallRef(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ReturnCallIndirect(Instr):
    table: int
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class Throw(Instr):
    tag: int


@dataclass(frozen=True, slots=True)
class ThrowRef(Instr): ...


@dataclass(frozen=True, slots=True)
class TryTable(Instr):
    type: BlockType
    catches: tuple[Catch, ...]
    body: Instrs


@dataclass(frozen=True, slots=True)
class Try(Instr):
    type: BlockType
    body: Instrs
    catches: tuple[LegacyCatch, ...]
    delegate: int | None


@dataclass(frozen=True, slots=True)
class Rethrow(Instr):
    label: int


# Variable instructions


@dataclass(frozen=True, slots=True)
class LocalGet(Instr):
    index: int


@dataclass(frozen=True, slots=True)
class LocalSet(Instr):
    index: int


@dataclass(frozen=True, slots=True)
class LocalTee(Instr):
    index: int


@dataclass(frozen=True, slots=True)
class GlobalGet(Instr):
    index: int


@dataclass(frozen=True, slots=True)
class GlobalSet(Instr):
    index: int


# Table instructions


@dataclass(frozen=True, slots=True)
class TableGet(Instr):
    table: int


@dataclass(frozen=True, slots=True)
class TableSet(Instr):
    table: int


@dataclass(frozen=True, slots=True)
class TableSize(Instr):
    table: int


@dataclass(frozen=True, slots=True)
class TableGrow(Instr):
    table: int


@dataclass(frozen=True, slots=True)
class TableFill(Instr):
    table: int


@dataclass(frozen=True, slots=True)
class TableCopy(Instr):
    target: int
    source: int


@dataclass(frozen=True, slots=True)
class TableInit(Instr):
    table: int
    elem: int


@dataclass(frozen=True, slots=True)
class ElemDrop(Instr):
    elem: int


# Memory instructions


@dataclass(frozen=True, slots=True)
class Access(Instr):
    """What all accesses have: a memory, and the memarg. `align` is the exponent of the alignment."""

    memory: int
    align: int
    offset: int


@dataclass(frozen=True, slots=True)
class Load(Access): ...


@dataclass(frozen=True, slots=True)
class LoadPack(Access): ...


@dataclass(frozen=True, slots=True)
class Store(Access): ...


@dataclass(frozen=True, slots=True)
class StorePack(Access): ...


@dataclass(frozen=True, slots=True)
class VLoad(Access): ...


@dataclass(frozen=True, slots=True)
class VLoadPack(Access): ...


@dataclass(frozen=True, slots=True)
class VLoadSplat(Access): ...


@dataclass(frozen=True, slots=True)
class VLoadZero(Access): ...


@dataclass(frozen=True, slots=True)
class VLoadLane(Access):
    lane: int


@dataclass(frozen=True, slots=True)
class VStore(Access): ...


@dataclass(frozen=True, slots=True)
class VStoreLane(Access):
    lane: int


@dataclass(frozen=True, slots=True)
class MemorySize(Instr):
    memory: int


@dataclass(frozen=True, slots=True)
class MemoryGrow(Instr):
    memory: int


@dataclass(frozen=True, slots=True)
class MemoryFill(Instr):
    memory: int


@dataclass(frozen=True, slots=True)
class MemoryCopy(Instr):
    target: int
    source: int


@dataclass(frozen=True, slots=True)
class MemoryInit(Instr):
    memory: int
    data: int


@dataclass(frozen=True, slots=True)
class DataDrop(Instr):
    data: int


# Reference instructions


@dataclass(frozen=True, slots=True)
class RefNull(Instr):
    heap: HeapType


@dataclass(frozen=True, slots=True)
class RefFunc(Instr):
    func: int


@dataclass(frozen=True, slots=True)
class RefIsNull(Instr): ...


@dataclass(frozen=True, slots=True)
class RefAsNonNull(Instr): ...


@dataclass(frozen=True, slots=True)
class RefEq(Instr): ...


@dataclass(frozen=True, slots=True)
class RefTest(Instr):
    type: RefType


@dataclass(frozen=True, slots=True)
class RefCast(Instr):
    type: RefType


# Aggregate instructions


@dataclass(frozen=True, slots=True)
class RefI31(Instr): ...


@dataclass(frozen=True, slots=True)
class I31Get(Instr): ...


@dataclass(frozen=True, slots=True)
class StructNew(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class StructNewDefault(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class StructGet(Instr):
    type: TypeIdx
    field: int


@dataclass(frozen=True, slots=True)
class StructSet(Instr):
    type: TypeIdx
    field: int


@dataclass(frozen=True, slots=True)
class ArrayNew(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ArrayNewDefault(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ArrayNewFixed(Instr):
    type: TypeIdx
    count: int


@dataclass(frozen=True, slots=True)
class ArrayNewData(Instr):
    type: TypeIdx
    data: int


@dataclass(frozen=True, slots=True)
class ArrayNewElem(Instr):
    type: TypeIdx
    elem: int


@dataclass(frozen=True, slots=True)
class ArrayGet(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ArraySet(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ArrayLen(Instr): ...


@dataclass(frozen=True, slots=True)
class ArrayFill(Instr):
    type: TypeIdx


@dataclass(frozen=True, slots=True)
class ArrayCopy(Instr):
    target: TypeIdx
    source: TypeIdx


@dataclass(frozen=True, slots=True)
class ArrayInitData(Instr):
    type: TypeIdx
    data: int


@dataclass(frozen=True, slots=True)
class ArrayInitElem(Instr):
    type: TypeIdx
    elem: int


@dataclass(frozen=True, slots=True)
class AnyConvertExtern(Instr): ...


@dataclass(frozen=True, slots=True)
class ExternConvertAny(Instr): ...


# Numeric instructions


@dataclass(frozen=True, slots=True)
class Const(Instr):
    value: int


@dataclass(frozen=True, slots=True)
class Unop(Instr): ...


@dataclass(frozen=True, slots=True)
class Binop(Instr): ...


@dataclass(frozen=True, slots=True)
class Testop(Instr): ...


@dataclass(frozen=True, slots=True)
class Relop(Instr): ...


@dataclass(frozen=True, slots=True)
class Cvtop(Instr): ...


# Vector instructions


@dataclass(frozen=True, slots=True)
class VConst(Instr):
    value: int


@dataclass(frozen=True, slots=True)
class VVUnop(Instr): ...


@dataclass(frozen=True, slots=True)
class VVBinop(Instr): ...


@dataclass(frozen=True, slots=True)
class VVTernop(Instr): ...


@dataclass(frozen=True, slots=True)
class VVTestop(Instr): ...


@dataclass(frozen=True, slots=True)
class VUnop(Instr): ...


@dataclass(frozen=True, slots=True)
class VBinop(Instr): ...


@dataclass(frozen=True, slots=True)
class VTernop(Instr): ...


@dataclass(frozen=True, slots=True)
class VTestop(Instr): ...


@dataclass(frozen=True, slots=True)
class VRelop(Instr): ...


@dataclass(frozen=True, slots=True)
class VShiftop(Instr): ...


@dataclass(frozen=True, slots=True)
class VBitmask(Instr): ...


@dataclass(frozen=True, slots=True)
class VSwizzlop(Instr): ...


@dataclass(frozen=True, slots=True)
class VShuffle(Instr):
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VSplat(Instr): ...


@dataclass(frozen=True, slots=True)
class VExtractLane(Instr):
    lane: int


@dataclass(frozen=True, slots=True)
class VReplaceLane(Instr):
    lane: int


@dataclass(frozen=True, slots=True)
class VExtUnop(Instr): ...


@dataclass(frozen=True, slots=True)
class VExtBinop(Instr): ...


@dataclass(frozen=True, slots=True)
class VExtTernop(Instr): ...


@dataclass(frozen=True, slots=True)
class VNarrow(Instr): ...


@dataclass(frozen=True, slots=True)
class VCvtop(Instr): ...


# Atomic memory instructions (threads proposal)


@dataclass(frozen=True, slots=True)
class AtomicFence(Instr): ...


@dataclass(frozen=True, slots=True)
class AtomicLoad(Access): ...


@dataclass(frozen=True, slots=True)
class AtomicStore(Access): ...


@dataclass(frozen=True, slots=True)
class AtomicRmw(Access): ...


@dataclass(frozen=True, slots=True)
class AtomicCmpxchg(Access): ...


@dataclass(frozen=True, slots=True)
class AtomicWait(Access): ...


@dataclass(frozen=True, slots=True)
class AtomicNotify(Access): ...


# Wide arithmetic (proposal)


@dataclass(frozen=True, slots=True)
class WideBinop(Instr): ...


@dataclass(frozen=True, slots=True)
class WideMul(Instr): ...
