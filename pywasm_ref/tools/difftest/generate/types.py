"""The types of a module under construction, and which of them match, told by their indices alone.

Matching here knows declared supertypes and no structural equality: what it affirms is so, and what it denies may be so.
"""

from __future__ import annotations

from pywasm_ref.features import Feature
from pywasm_ref.syntax.types import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    V128,
    AbsHeapType,
    ArrayType,
    CompType,
    FieldType,
    FuncType,
    HeapType,
    RecType,
    RefType,
    ResultType,
    StorageType,
    StructType,
    SubType,
    ValType,
)
from pywasm_ref.tools.difftest.generate.choices import Choices
from pywasm_ref.tools.difftest.generate.profile import Profile

H = AbsHeapType
ABOVE: dict[AbsHeapType, frozenset[AbsHeapType]] = {
    H.ANY: frozenset({H.ANY}),
    H.EQ: frozenset({H.EQ, H.ANY}),
    H.I31: frozenset({H.I31, H.EQ, H.ANY}),
    H.STRUCT: frozenset({H.STRUCT, H.EQ, H.ANY}),
    H.ARRAY: frozenset({H.ARRAY, H.EQ, H.ANY}),
    H.NONE: frozenset({H.NONE, H.I31, H.STRUCT, H.ARRAY, H.EQ, H.ANY}),
    H.FUNC: frozenset({H.FUNC}),
    H.NOFUNC: frozenset({H.NOFUNC, H.FUNC}),
    H.EXTERN: frozenset({H.EXTERN}),
    H.NOEXTERN: frozenset({H.NOEXTERN, H.EXTERN}),
    H.EXN: frozenset({H.EXN}),
    H.NOEXN: frozenset({H.NOEXN, H.EXN}),
}
"""Each abstract heap type with those that it matches."""

SIMPLE: tuple[StorageType, ...] = (I8, I16, I32, I64, F64)
BOTTOMS = frozenset({H.NONE, H.NOFUNC, H.NOEXTERN, H.NOEXN})


class Types:
    """The type section as it grows; `flat` has a sub type for each index."""

    def __init__(self, choices: Choices, profile: Profile) -> None:
        self.choices = choices
        self.profile = profile
        self.groups: list[RecType] = []
        self.flat: list[SubType] = []
        self.frozen: int | None = None
        """The types before this index may be referred to; later ones are there for blocks, and have no values."""
        self._blocks: dict[tuple[ResultType, ResultType], int] = {}
        self.numbers: dict[ValType, int] = {I32: 30, I64: 20, F32: 12, F64: 12}
        if profile.has(Feature.SIMD):
            self.numbers[V128] = 12
        self.gc = profile.has(Feature.GC)
        if self.gc:
            self._populate()

    # Asking

    def comp(self, x: int) -> CompType:
        return self.flat[x].comp

    def func(self, x: int) -> FuncType:
        comp = self.flat[x].comp
        if not isinstance(comp, FuncType):
            raise TypeError(f"type {x} is no function type")
        return comp

    def of(self, kind: type[CompType]) -> list[int]:
        """The indices of all types of that kind."""
        return [x for x, sub in enumerate(self.flat) if isinstance(sub.comp, kind)]

    def below(self, x: int, y: int) -> bool:
        """Whether type x is y or declares it as a supertype, at whatever distance."""
        while x != y and self.flat[x].supers:
            (above,) = self.flat[x].supers
            if not isinstance(above, int):
                return False
            x = above
        return x == y

    def abstract(self, heap: HeapType) -> AbsHeapType:
        """The abstract heap type right above a defined one, or itself."""
        if isinstance(heap, AbsHeapType):
            return heap
        if not isinstance(heap, int):
            raise TypeError(f"{heap!r} belongs into no module")
        return {StructType: H.STRUCT, ArrayType: H.ARRAY, FuncType: H.FUNC}[type(self.flat[heap].comp)]

    def match_heap(self, h1: HeapType, h2: HeapType) -> bool:
        if isinstance(h2, AbsHeapType):
            return h2 in ABOVE[self.abstract(h1)]
        if isinstance(h1, AbsHeapType):
            return h1 in BOTTOMS and self.abstract(h2) in ABOVE[h1]
        return isinstance(h1, int) and isinstance(h2, int) and self.below(h1, h2)

    def match(self, t1: ValType, t2: ValType) -> bool:
        """Whether t1 is known to be a subtype of t2."""
        if isinstance(t1, RefType) and isinstance(t2, RefType):
            return t1 == t2 or ((t2.null or not t1.null) and self.match_heap(t1.heap, t2.heap))
        return t1 is t2

    def match_all(self, ts1: list[ValType] | ResultType, ts2: list[ValType] | ResultType) -> bool:
        return len(ts1) == len(ts2) and all(self.match(t1, t2) for t1, t2 in zip(ts1, ts2, strict=True))

    # Making

    def add(self, *subtypes: SubType) -> int:
        """The index of the first of a new group."""
        first = len(self.flat)
        self.flat.extend(subtypes)
        self.groups.append(RecType(subtypes))
        return first

    def block(self, params: ResultType, results: ResultType) -> int:
        """The index of a function type on its own, made when it is first wanted."""
        key = (params, results)
        if key not in self._blocks:
            self._blocks[key] = self.add(SubType(True, (), FuncType(params, results)))
        return self._blocks[key]

    def number(self) -> ValType:
        return self.choices.weighted(self.numbers)

    def value(self) -> ValType:
        """Any type that has values here."""
        if self.profile.has(Feature.REFERENCE_TYPES) and self.choices.chance(22):
            return self.reference()
        return self.number()

    def defaultable(self) -> ValType:
        t = self.value()
        return RefType(True, t.heap) if isinstance(t, RefType) else t

    def reference(self, most: int | None = None) -> RefType:
        """A reference type; with a limit, its index is below."""
        heaps: list[HeapType] = [H.FUNC, H.EXTERN]
        if self.profile.has(Feature.EXCEPTIONS):
            heaps.append(H.EXN)
        if self.gc:
            heaps += [H.ANY, H.EQ, H.I31, H.STRUCT, H.ARRAY, H.NONE, H.NOFUNC, H.NOEXTERN, H.NOEXN]
        if self.profile.has(Feature.FUNCTION_REFERENCES):
            limit = min(n for n in (most, self.frozen, len(self.flat)) if n is not None)
            if limit and self.choices.chance(55):
                return RefType(self.choices.chance(60), self.choices.below(limit))
        heap = self.choices.choose(heaps)
        return RefType(not self.inhabited(heap) or self.choices.chance(60), heap)

    def inhabited(self, heap: HeapType) -> bool:
        """Whether constants can make a reference of that type that is not null, and the release can say so."""
        if not self.profile.has(Feature.FUNCTION_REFERENCES) or heap in BOTTOMS or heap is H.EXN:
            return False
        return heap is not H.EXTERN or self.gc

    def results(self, most: int = 3) -> ResultType:
        """The results of a function or block, fewer than two before there were several."""
        if not self.profile.has(Feature.MULTI_VALUE):
            most = 1
        return tuple(self.value() for _ in range(self.choices.between(0, most)))

    # Recursive groups

    def _populate(self) -> None:
        """Structures, arrays and functions. The first two types are always inhabited, and made of numbers."""
        self.add(SubType(False, (), StructType((FieldType(True, I32), FieldType(True, self.number())))))
        self.add(SubType(False, (), ArrayType(FieldType(True, self.choices.choose(SIMPLE)))))
        for _ in range(self.choices.between(1, 4)):
            size = self.choices.weighted({1: 6, 2: 2, 3: 1})
            first = len(self.flat)
            members: list[SubType] = []
            for _ in range(size):
                members.append(self._member(first, size))
            self.add(*members)

    def _member(self, first: int, size: int) -> SubType:
        """A member of a group; its supertype is in an earlier group, and what it refers to may be in its own."""
        kind = self.choices.choose((StructType, ArrayType, FuncType))
        open_types = [x for x in self.of(kind) if not self.flat[x].final and x < first]
        supers: tuple[int, ...] = (self.choices.choose(open_types),) if open_types and self.choices.chance(60) else ()
        above = self.flat[supers[0]].comp if supers else None
        return SubType(self.choices.chance(25), supers, self._composite(kind, above, first, first + size))

    def _composite(self, kind: type[CompType], above: CompType | None, first: int, end: int) -> CompType:
        if kind is FuncType:
            if isinstance(above, FuncType):
                return above
            return FuncType(*(tuple(self._member_type(first, end) for _ in range(self.choices.between(0, 2))) for _ in range(2)))
        if kind is ArrayType:
            return above if isinstance(above, ArrayType) else ArrayType(self._field(first, end))
        fields = above.fields if isinstance(above, StructType) else ()
        return StructType((*fields, *(self._field(first, end) for _ in range(self.choices.between(0, 3)))))

    def _field(self, first: int, end: int) -> FieldType:
        storage: StorageType = self.choices.choose((I8, I16)) if self.choices.chance(25) else self._member_type(first, end)
        return FieldType(self.choices.chance(75), storage)

    def _member_type(self, first: int, end: int) -> ValType:
        """A type inside of a group: to members of the group itself only nullable references lead, so that all types have values."""
        if self.choices.chance(55):
            return self.number()
        if self.choices.chance(40):
            return RefType(True, self.choices.between(first, end - 1))
        return self.reference(first)
