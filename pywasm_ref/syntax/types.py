"""Types: numbers, vectors, references, composites, and what a module imports and exports.

Spec    syntax/types.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class _Type(Enum):
    """An enumerated type; compared and hashed by identity, since the hash of `Enum` is a Python function."""

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return str(self.value)


class NumType(_Type):
    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"


class VecType(_Type):
    V128 = "v128"


class PackType(_Type):
    """Storage narrower than a value, in fields only."""

    I8 = "i8"
    I16 = "i16"


class AbsHeapType(_Type):
    ANY = "any"
    EQ = "eq"
    I31 = "i31"
    STRUCT = "struct"
    ARRAY = "array"
    NONE = "none"
    FUNC = "func"
    NOFUNC = "nofunc"
    EXN = "exn"
    NOEXN = "noexn"
    EXTERN = "extern"
    NOEXTERN = "noextern"
    BOT = "bot"


class Bottom(_Type):
    """The type below all value types: what an operand has in code that is never reached."""

    BOT = "bot"


I32, I64, F32, F64 = NumType.I32, NumType.I64, NumType.F32, NumType.F64
V128 = VecType.V128
I8, I16 = PackType.I8, PackType.I16
BOT = Bottom.BOT

TypeIdx = int


@dataclass(frozen=True, slots=True)
class RecIdx:
    """The i-th type of the recursive group that this stands in."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class DefType:
    """A closed type: the `index`-th member of a rolled-up recursive group.

    Compared by identity. Equal types are made the same object where they are made (`validation/types.py`), because comparing
    by structure would recurse as deep as types refer to each other.
    """

    rectype: RecType
    index: int

    def __repr__(self) -> str:
        return f"<deftype {self.rectype.subtypes[self.index].comp!r}>"


HeapType = AbsHeapType | TypeIdx | RecIdx | DefType


@dataclass(frozen=True, slots=True)
class RefType:
    null: bool
    heap: HeapType


ValType = NumType | VecType | RefType | Bottom
StorageType = ValType | PackType
ResultType = tuple[ValType, ...]


@dataclass(frozen=True, slots=True)
class FieldType:
    mut: bool
    storage: StorageType


@dataclass(frozen=True, slots=True)
class StructType:
    fields: tuple[FieldType, ...]


@dataclass(frozen=True, slots=True)
class ArrayType:
    field: FieldType


@dataclass(frozen=True, slots=True)
class FuncType:
    params: ResultType
    results: ResultType


CompType = StructType | ArrayType | FuncType


@dataclass(frozen=True, slots=True)
class SubType:
    final: bool
    supers: tuple[HeapType, ...]
    comp: CompType


@dataclass(frozen=True, slots=True)
class RecType:
    subtypes: tuple[SubType, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """In pages of a memory, or entries of a table; `max` is None where there is none."""

    min: int
    max: int | None = None


@dataclass(frozen=True, slots=True)
class TagType:
    type: TypeIdx | DefType


@dataclass(frozen=True, slots=True)
class GlobalType:
    mut: bool
    type: ValType


@dataclass(frozen=True, slots=True)
class MemType:
    """`addr` is I32 or I64. `shared` belongs to the threads proposal, `page_bits` (log2 of the page size) to custom page sizes."""

    addr: NumType
    limits: Limits
    shared: bool = False
    page_bits: int = 16


@dataclass(frozen=True, slots=True)
class TableType:
    addr: NumType
    limits: Limits
    elem: RefType


@dataclass(frozen=True, slots=True)
class FuncTypeUse:
    """A function as an import or export describes it."""

    type: TypeIdx | DefType


ExternType = TagType | GlobalType | MemType | TableType | FuncTypeUse

FUNCREF = RefType(True, AbsHeapType.FUNC)
EXTERNREF = RefType(True, AbsHeapType.EXTERN)
ANYREF = RefType(True, AbsHeapType.ANY)
EXNREF = RefType(True, AbsHeapType.EXN)
