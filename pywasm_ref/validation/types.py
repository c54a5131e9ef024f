"""Types, rolled up and closed: every defined type is made here, once, so that equal types are the same object.

A module names its types by index. Closing replaces each index by the defined type it stands for; inside a recursive group it becomes
a position in the group. Two groups are equal when they are equal to that depth, with defined types of earlier groups compared by
identity; so neither comparing nor hashing follows a reference, however long the chain of types is.

Spec    syntax/types.html, valid/conventions.html#aux-roll-rectype
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Any, TypeVar, cast
from weakref import ReferenceType, WeakKeyDictionary, ref

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax.types import (
    I32,
    KINDS,
    AbsHeapType,
    ArrayType,
    CompType,
    DefType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    HeapType,
    PackType,
    RecIdx,
    RecType,
    RefType,
    StorageType,
    StructType,
    SubType,
    TableType,
    TagType,
    TypeIdx,
    ValType,
)

T = TypeVar("T")
Use = Callable[[TypeIdx | RecIdx], HeapType]
"""What a type index, or a position in a recursive group, stands for."""


# Substitution


def substitute(type_: T, use: Use) -> T:
    """The same type with every index replaced by what `use` says; a part without indices stays the same object."""
    part = _PARTS.get(type(type_))
    return type_ if part is None else part(type_, use)


def _each(types: tuple[Any, ...], use: Use) -> tuple[Any, ...]:
    if not types:
        return types
    done = tuple([substitute(t, use) for t in types])
    return types if all(map(_same, types, done)) else done


def _same(t1: object, t2: object) -> bool:
    return t1 is t2


def _reftype(t: RefType, use: Use) -> RefType:
    heap = substitute(t.heap, use)
    return t if heap is t.heap else RefType(t.null, heap)


def _fieldtype(t: FieldType, use: Use) -> FieldType:
    storage = substitute(t.storage, use)
    return t if storage is t.storage else FieldType(t.mut, storage)


def _structtype(t: StructType, use: Use) -> StructType:
    fields = substitute(t.fields, use)
    return t if fields is t.fields else StructType(fields)


def _arraytype(t: ArrayType, use: Use) -> ArrayType:
    field = substitute(t.field, use)
    return t if field is t.field else ArrayType(field)


def _functype(t: FuncType, use: Use) -> FuncType:
    params, results = substitute(t.params, use), substitute(t.results, use)
    return t if params is t.params and results is t.results else FuncType(params, results)


def _subtype(t: SubType, use: Use) -> SubType:
    supers, comp = substitute(t.supers, use), substitute(t.comp, use)
    return t if supers is t.supers and comp is t.comp else SubType(t.final, supers, comp)


def _index(x: TypeIdx | RecIdx, use: Use) -> HeapType:
    return use(x)


_PARTS: dict[type[Any], Callable[[Any, Use], Any]] = {
    int: _index,
    RecIdx: _index,
    tuple: _each,
    RefType: _reftype,
    FieldType: _fieldtype,
    StructType: _structtype,
    ArrayType: _arraytype,
    FuncType: _functype,
    SubType: _subtype,
    TagType: lambda t, use: TagType(substitute(t.type, use)),
    GlobalType: lambda t, use: GlobalType(t.mut, substitute(t.type, use)),
    TableType: lambda t, use: TableType(t.addr, t.limits, substitute(t.elem, use)),
    FuncTypeUse: lambda t, use: FuncTypeUse(substitute(t.type, use)),
}


def close(type_: T, deftypes: Sequence[DefType]) -> T:
    """Any type of a module, with defined types in the place of type indices.

    Fails   Invalid  "unknown type"  for an index past the list
    Spec    valid/conventions.html#type-closure
    """

    def use(x: TypeIdx | RecIdx) -> HeapType:
        return look_up(deftypes, x) if isinstance(x, int) else x

    return substitute(type_, use)


def look_up(deftypes: Sequence[DefType], x: TypeIdx) -> DefType:
    """The defined type at an index.

    Fails   Invalid  "unknown type"  for an index past the list
    """
    if x >= len(deftypes):
        raise Invalid(f"unknown type {x}")
    return deftypes[x]


# Defined types


class _Group:
    """The defined types of one rolled-up group; a group is equal to another when their recursive types are."""

    __slots__ = ("__weakref__", "_hash", "deftypes", "rectype")

    def __init__(self, rectype: RecType) -> None:
        self.rectype = rectype
        self.deftypes: tuple[_Defined, ...] = ()
        self._hash = hash(rectype)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Group) and self._hash == other._hash and self.rectype == other.rectype


class _Defined(DefType):
    """A defined type with what matching asks of it.

    `jump` leads to some supertype further up, chosen so that any ancestor is found in a logarithmic number of steps and each type
    needs one such pointer only (a skew-binary list): a chain of a hundred thousand types costs neither a long walk nor a long list.
    """

    __slots__ = ("comp", "depth", "group", "jump", "kind", "parent")
    comp: CompType | None
    depth: int
    group: _Group
    jump: _Defined
    kind: AbsHeapType
    parent: _Defined | None

    def __init__(self, group: _Group, index: int, parent: _Defined | None) -> None:
        fill = object.__setattr__  # the base is frozen
        fill(self, "rectype", group.rectype)
        fill(self, "index", index)
        fill(self, "group", group)
        fill(self, "comp", None)
        fill(self, "kind", KINDS[type(group.rectype.subtypes[index].comp)])
        fill(self, "parent", parent)
        fill(self, "depth", parent.depth + 1 if parent else 0)
        fill(self, "jump", _jump(parent) if parent else self)

    def __repr__(self) -> str:
        return f"<deftype {self.kind!r} {self.index} of {len(self.rectype.subtypes)}>"


def _jump(parent: _Defined) -> _Defined:
    far = parent.jump
    return far.jump if parent.depth - far.depth == far.depth - far.jump.depth else parent


_groups: WeakKeyDictionary[_Group, ReferenceType[_Group]] = WeakKeyDictionary()
_groups_lock = RLock()  # the garbage collector may run code of the host, which may come back here


def _intern(rectype: RecType) -> _Group:
    """The one group for a rolled-up recursive type; it lives as long as one of its types is in use."""
    probe = _Group(rectype)
    with _groups_lock:
        found = _groups.get(probe)
        group = found() if found else None
        if group is None:
            probe.deftypes = tuple(_define(probe))
            _groups[probe] = ref(probe)
            group = probe
    return group


def _define(group: _Group) -> list[_Defined]:
    """The types of a group in order. A supertype that does not come earlier counts as none: it is invalid, and reported as such."""
    done: list[_Defined] = []
    for index, sub in enumerate(group.rectype.subtypes):
        above = sub.supers[0] if sub.supers else None
        if isinstance(above, RecIdx):
            above = done[above.index] if above.index < index else None
        done.append(_Defined(group, index, cast("_Defined | None", above)))
    return done


def deftypes(rectypes: Iterable[RecType]) -> list[DefType]:
    """The index space of types that the recursive types of a module make up.

    Fails   Invalid  "unknown type"  for an index past its own group
    """
    space: list[DefType] = []
    for rectype in rectypes:
        space.extend(roll(rectype, space))
    return space


def roll(rectype: RecType, space: Sequence[DefType]) -> tuple[DefType, ...]:
    """The defined types of a recursive type that stands behind all of `space`.

    Fails   Invalid  "unknown type"  for an index past its own group
    Spec    valid/conventions.html#aux-roll-deftype
    """
    start = len(space)
    end = start + len(rectype.subtypes)

    def use(x: TypeIdx | RecIdx) -> HeapType:
        if isinstance(x, RecIdx):
            x = start + x.index
        if x < start:
            return space[x]
        if x < end:
            return RecIdx(x - start)
        raise Invalid(f"unknown type {x}")

    memo: dict[SubType, SubType] = {}  # a group may say the same a million times
    closed: list[SubType] = []
    for sub in rectype.subtypes:
        done = memo.get(sub)
        if done is None:
            done = memo[sub] = substitute(sub, use)
        closed.append(done)
    return _intern(RecType(tuple(closed))).deftypes


def functype_deftype(functype: FuncType) -> DefType:
    """A closed function type as a defined type: final, without supertypes, in a group of its own."""
    return _intern(RecType((SubType(True, (), functype),))).deftypes[0]


def unroll(deftype: DefType) -> SubType:
    """The sub type behind a defined type, closed: positions in its group replaced by defined types.

    Spec    valid/conventions.html#aux-unroll-deftype
    """
    return substitute(deftype.rectype.subtypes[deftype.index], _use_within(deftype))


def expand(deftype: DefType) -> CompType:
    """The composite type behind a defined type, closed; remembered.

    Spec    valid/conventions.html#aux-expand-deftype
    """
    defined = cast(_Defined, deftype)  # there are no others
    comp = defined.comp
    if comp is None:
        comp = substitute(deftype.rectype.subtypes[deftype.index].comp, _use_within(deftype))
        object.__setattr__(defined, "comp", comp)
    return comp


def _use_within(deftype: DefType) -> Use:
    group = cast(_Defined, deftype).group.deftypes

    def use(x: TypeIdx | RecIdx) -> HeapType:
        return group[x.index] if isinstance(x, RecIdx) else x

    return use


def kind(deftype: DefType) -> AbsHeapType:
    """`struct`, `array` or `func`: the abstract heap type right above a defined type and its supertypes."""
    return cast(_Defined, deftype).kind


def is_subtype(sub: DefType, above: DefType) -> bool:
    """Whether the second is the first, or one of its declared supertypes at any distance."""
    if sub is above:
        return True
    at, depth = cast(_Defined, sub), cast(_Defined, above).depth
    while at.depth > depth:
        at = at.jump if at.jump.depth >= depth else cast(_Defined, at.parent)
    return at is above


# Helpers on closed types


def functype(deftype: DefType) -> FuncType:
    """The function type behind a defined type that is known to be one."""
    return cast(FuncType, expand(deftype))


def top_of(heap: HeapType) -> AbsHeapType:
    """The largest heap type of the hierarchy that a closed heap type belongs to; `bot` is its own.

    Spec    valid/matching.html, appendix/algorithm.html
    """
    abstract = kind(heap) if isinstance(heap, DefType) else heap
    return _TOPS[abstract]


_H = AbsHeapType
_TOPS: dict[HeapType, AbsHeapType] = {
    **dict.fromkeys((_H.ANY, _H.EQ, _H.I31, _H.STRUCT, _H.ARRAY, _H.NONE), _H.ANY),
    **dict.fromkeys((_H.FUNC, _H.NOFUNC), _H.FUNC),
    **dict.fromkeys((_H.EXN, _H.NOEXN), _H.EXN),
    **dict.fromkeys((_H.EXTERN, _H.NOEXTERN), _H.EXTERN),
    _H.BOT: _H.BOT,
}


def difference(t1: RefType, t2: RefType) -> RefType:
    """What is left of the first when a cast to the second has failed: no null any more, if the second takes null.

    Spec    valid/conventions.html#aux-reftypediff
    """
    return RefType(t1.null and not t2.null, t1.heap)


def unpack(storage: StorageType) -> ValType:
    """The value type that a field of this storage is read as."""
    return I32 if isinstance(storage, PackType) else storage


def defaultable(type_: ValType) -> bool:
    """Whether the type has a default value: all but references that cannot be null."""
    return not isinstance(type_, RefType) or type_.null
