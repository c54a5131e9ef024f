"""Types: numbers, vectors, references, composites, and what a module imports and exports.

`str` of a type is what a text has for it, with the kind of a defined type in the place of its index: `(func (param (ref null <struct>)))`.

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

    def __str__(self) -> str:
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

    def __str__(self) -> str:
        return f"rec.{self.index}"


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

    def __str__(self) -> str:
        """Its kind alone, since its structure may be endless."""
        return f"<{KINDS[type(self.rectype.subtypes[self.index].comp)]}>"


HeapType = AbsHeapType | TypeIdx | RecIdx | DefType


@dataclass(frozen=True, slots=True)
class RefType:
    null: bool
    heap: HeapType

    def __repr__(self) -> str:
        return _reftype(self.null, self.heap, repr(self.heap))

    def __str__(self) -> str:
        return _reftype(self.null, self.heap, str(self.heap))


SHORT = {
    AbsHeapType.NONE: "nullref",
    AbsHeapType.NOFUNC: "nullfuncref",
    AbsHeapType.NOEXN: "nullexnref",
    AbsHeapType.NOEXTERN: "nullexternref",
}
"""The reference types that are not called after their heap type."""


def _reftype(null: bool, heap: HeapType, words: str) -> str:
    if null and isinstance(heap, AbsHeapType):
        return SHORT.get(heap, f"{words}ref")
    return f"(ref {'null ' if null else ''}{words})"


ValType = NumType | VecType | RefType | Bottom
StorageType = ValType | PackType
ResultType = tuple[ValType, ...]


@dataclass(frozen=True, slots=True)
class FieldType:
    mut: bool
    storage: StorageType

    def __str__(self) -> str:
        return f"(mut {self.storage})" if self.mut else str(self.storage)


@dataclass(frozen=True, slots=True)
class StructType:
    fields: tuple[FieldType, ...]

    def __str__(self) -> str:
        return f"(struct{''.join([f' (field {field})' for field in self.fields])})"


@dataclass(frozen=True, slots=True)
class ArrayType:
    field: FieldType

    def __str__(self) -> str:
        return f"(array {self.field})"


@dataclass(frozen=True, slots=True)
class FuncType:
    """What a function takes and gives."""

    params: ResultType
    results: ResultType

    def __str__(self) -> str:
        return f"(func{_declared('param', self.params)}{_declared('result', self.results)})"


CompType = StructType | ArrayType | FuncType

KINDS: dict[type[CompType], AbsHeapType] = {
    StructType: AbsHeapType.STRUCT,
    ArrayType: AbsHeapType.ARRAY,
    FuncType: AbsHeapType.FUNC,
}


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

    def __str__(self) -> str:
        return str(self.min) if self.max is None else f"{self.min} {self.max}"


@dataclass(frozen=True, slots=True)
class TagType:
    type: TypeIdx | DefType

    def __str__(self) -> str:
        return f"(tag{_typeuse(self.type)})"


@dataclass(frozen=True, slots=True)
class GlobalType:
    """`mut` says that it can be set."""

    mut: bool
    type: ValType

    def __str__(self) -> str:
        return f"(global {f'(mut {self.type})' if self.mut else self.type})"


@dataclass(frozen=True, slots=True)
class MemType:
    """`addr` is I32 or I64, the type of an address. `shared` belongs to the threads proposal, `page_bits` (log2 of the page size) to custom
    page sizes."""

    addr: NumType
    limits: Limits
    shared: bool = False
    page_bits: int = 16

    def __str__(self) -> str:
        return f"(memory {self.spelled})"

    @property
    def spelled(self) -> str:
        """What a text has behind the word `memory`: `i64 1 3 shared`."""
        shared = " shared" if self.shared else ""
        pages = "" if self.page_bits == 16 else f" (pagesize {1 << self.page_bits})"
        return f"{spelled_limits(self.addr, self.limits)}{shared}{pages}"


@dataclass(frozen=True, slots=True)
class TableType:
    """`addr` is I32 or I64, the type of an index."""

    addr: NumType
    limits: Limits
    elem: RefType

    def __str__(self) -> str:
        return f"(table {spelled_limits(self.addr, self.limits)} {self.elem})"


@dataclass(frozen=True, slots=True)
class FuncTypeUse:
    """A function as an import or export describes it."""

    type: TypeIdx | DefType

    def __str__(self) -> str:
        return f"(func{_typeuse(self.type)})"


ExternType = TagType | GlobalType | MemType | TableType | FuncTypeUse

FUNCREF = RefType(True, AbsHeapType.FUNC)
EXTERNREF = RefType(True, AbsHeapType.EXTERN)
ANYREF = RefType(True, AbsHeapType.ANY)
EXNREF = RefType(True, AbsHeapType.EXN)


# Spelling


def spelled_limits(addr: NumType, limits: Limits) -> str:
    """`i64 1 3`; what is addressed by 32 bits has no word for it."""
    return f"i64 {limits}" if addr is I64 else str(limits)


def _declared(word: str, types: ResultType) -> str:
    return f" ({word} {' '.join(map(str, types))})" if types else ""


def _typeuse(use: TypeIdx | DefType) -> str:
    """The signature of a defined type; where there is none, what stands for the type."""
    comp = use.rectype.subtypes[use.index].comp if isinstance(use, DefType) else None
    if not isinstance(use, DefType) or not isinstance(comp, FuncType):
        return f" (type {use})"
    params, results = ([_beside(t, use) for t in types] for types in (comp.params, comp.results))
    return f"{_declared('param', tuple(params))}{_declared('result', tuple(results))}"


def _beside(t: ValType, deftype: DefType) -> ValType:
    """A type that stands in a defined type, with a member of the same group in the place of its number there."""
    if isinstance(t, RefType) and isinstance(t.heap, RecIdx):
        return RefType(t.null, DefType(deftype.rectype, t.heap.index))
    return t
