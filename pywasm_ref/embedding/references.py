"""References between Python and an engine, both ways.

externref   any Python object, the same one coming back; a structure, array or i31 that the guest made external is itself again
funcref     a `Func`
exnref      an `Exn`
anyref …    `Struct`, `Array`, or `I31`, which is an int; a plain int becomes an i31, any other object is kept as itself
null        None, everywhere
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

from pywasm_ref.embedding import words
from pywasm_ref.embedding.alive import Alive
from pywasm_ref.embedding.values import NUMBERS, ToPython, ToWasm
from pywasm_ref.syntax.types import AbsHeapType, ArrayType, CompType, DefType, FieldType, RefType, StorageType, StructType
from pywasm_ref.validation.matching import match_reftype
from pywasm_ref.validation.types import expand, top_of

if TYPE_CHECKING:
    from pywasm_ref.embedding.externs import Tag
    from pywasm_ref.embedding.store import Store


class I31(int):
    """The value of an i31 reference: an int that says that it is one, signed.

    Fails   TypeError for what is no integer, OverflowError outside -2**30 to 2**31-1
    """

    __slots__ = ()

    def __new__(cls, value: int) -> I31:
        value = index(value)
        if not -(1 << 30) <= value < 1 << 31:
            raise OverflowError(f"{words.given(value)} is out of range for an i31, which is -2**30 to 2**31-1")
        return super().__new__(cls, value - (1 << 31) if value >= 1 << 30 else value)

    def __repr__(self) -> str:
        return f"I31({int(self)})"

    __str__ = int.__repr__  # that of `int` would ask for the `repr` above


PARTS = ("__weakref__", "_raw", "owner")
"""The slots of a reference: in each class of its own, since an engine may bring a class that keeps them for functions."""


class Reference(Alive):
    """What lives in a store, its `owner`. Two of these are equal when they are the same thing there."""

    __slots__ = ()
    owner: Store
    _raw: Any

    def __init__(self, store: Store, raw: Any) -> None:
        object.__setattr__(self, "owner", store)
        object.__setattr__(self, "_raw", raw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._raw is other._raw

    def __hash__(self) -> int:
        return id(self._raw)

    def raw_in(self, store: Store) -> Any:
        """The engine's own object, for use in this store.

        Fails   ValueError when it belongs to another store
        """
        if self.owner is not store:
            raise ValueError(f"this {type(self).__name__} belongs to another store; make both with the same store=")
        return self._raw


class FuncReference(Reference):
    """A function as a reference; `externs.Func` is the one that can be called."""

    __slots__ = ()


class Aggregate(Reference):
    """What structures and arrays have in common."""

    __slots__ = ()
    _called: ClassVar[tuple[str, str]]
    """In messages: itself and a part of it. (A field of the guest's that is called like an attribute cannot be one.)"""

    @property
    def type(self) -> CompType:
        """The structure or array type, closed."""
        return expand(self._deftype())

    def _deftype(self) -> DefType:
        heap = self.owner.raw.ref_type(self._raw).heap
        if not isinstance(heap, DefType):
            raise TypeError(f"{heap!r} is no structure or array")
        return heap

    def _field(self, i: int) -> FieldType:
        raise NotImplementedError

    def __len__(self) -> int:
        return self.owner.raw.aggregate_size(self._raw)

    def _read(self, i: int) -> Any:
        i = self._place(i)
        return self.owner.converters(self._field(i).storage)[1](self.owner.raw.aggregate_read(self._raw, i))

    def _write(self, i: int, value: object) -> None:
        i = self._place(i)
        field = self._field(i)
        if not field.mut:
            raise TypeError(f"field {i} is immutable in {words.comptype(self.type)}")
        self.owner.raw.aggregate_write(self._raw, i, self.owner.converters(field.storage)[0](value))

    def _place(self, i: int) -> int:
        if not isinstance(i, int):
            raise TypeError(f"an index is an int, not {words.given(i)}")
        if not 0 <= i < len(self):
            whole, part = self._called
            raise IndexError(f"index {words.integer(i)} is outside the {whole}, which has {words.plural(len(self), part)}")
        return i

    def __iter__(self) -> Iterator[Any]:
        return (self._read(i) for i in range(len(self)))


class Struct(Aggregate):
    """A structure of the guest: `s[0]`, or `s["name"]` and `s.name` where the module names its fields.

    A field that is called like something that every structure has (`owner`, `type`, `fields`) is `s["owner"]` only.

    Fails   IndexError for an index outside, nothing is counted from the end; KeyError or AttributeError for a name that no field has;
            TypeError when an immutable field is set, or with a value of a wrong type
    """

    __slots__ = PARTS
    _called = "structure", "field"

    @property
    def fields(self) -> tuple[Any, ...]:
        """All fields, in order."""
        return tuple(self)

    def _field(self, i: int) -> FieldType:
        comp = self.type
        if not isinstance(comp, StructType):
            raise TypeError(f"{words.comptype(comp)} is no structure")
        return comp.fields[i]

    def __getitem__(self, key: int | str) -> Any:
        return self._read(self._named(key) if isinstance(key, str) else key)

    def __setitem__(self, key: int | str, value: object) -> None:
        self._write(self._named(key) if isinstance(key, str) else key, value)

    def __getattr__(self, name: str) -> Any:
        return self[self._attribute(name)]

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is no field but what every {type(self).__name__} has; a field of that name is s[{name!r}]")
        self[self._attribute(name)] = value

    def _attribute(self, name: str) -> int:
        if name in PARTS:  # asked for before they are set, by `copy` and `pickle`
            raise AttributeError(f"{type(self).__name__} has no {name} yet")
        try:
            return self._named(name)
        except KeyError:
            raise AttributeError(f"no field of this structure is named {name!r}") from None

    def _names(self) -> Mapping[str, int]:
        return self.owner.field_names.get(self._deftype(), {})

    def _named(self, name: str) -> int:
        return self._names()[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names()]

    def __repr__(self) -> str:
        names = {i: words.name(name) for name, i in self._names().items()}
        return f"<Struct {', '.join(f'{names.get(i, i)}={_shown(value)}' for i, value in enumerate(self))}>"


class Array(Aggregate):
    """An array of the guest: `a[0]`, `len(a)`, `for x in a`.

    Fails   IndexError for an index outside, nothing is counted from the end; TypeError when elements are immutable, or a value of a wrong
            type is set
    """

    __slots__ = PARTS
    _called = "array", "element"

    def _field(self, i: int) -> FieldType:
        comp = self.type
        if not isinstance(comp, ArrayType):
            raise TypeError(f"{words.comptype(comp)} is no array")
        return comp.field

    def __getitem__(self, i: int) -> Any:
        return self._read(i)

    def __setitem__(self, i: int, value: object) -> None:
        self._write(i, value)

    def __repr__(self) -> str:
        return f"<Array {words.comptype(self.type)} of {len(self)}>"


def _shown(value: object) -> str:
    """A field in a `repr`; references are only named, since they may lead in a circle."""
    return f"<{type(value).__name__}>" if isinstance(value, Reference) else repr(value)


class Exn(Reference):
    """An exception of the guest, as a value: what `exnref` is."""

    __slots__ = PARTS

    @property
    def tag(self) -> Tag:
        return self.owner.wrap_tag(self.owner.raw.exn_tag(self._raw))

    @property
    def values(self) -> tuple[Any, ...]:
        return self.tag.values_to_python(self.owner.raw.exn_read(self._raw))

    def __repr__(self) -> str:
        return f"<Exn {self.tag!r}>"


# Conversion


def converters(store: Store, t: StorageType) -> tuple[ToWasm, ToPython]:
    """The two functions that take values of a type to the engine and back."""
    if not isinstance(t, RefType):
        return NUMBERS[t]
    top = top_of(t.heap)
    to_wasm, to_python = HIERARCHIES[top]
    take = _checked(store, t, to_wasm, precise=t.heap is not top)

    def give(raw: Any) -> Any:
        return None if raw is None else to_python(store, raw)

    return take, give


def _checked(store: Store, t: RefType, to_wasm: Callable[[Store, Any], Any], precise: bool) -> ToWasm:
    """Conversion with a check against the type; `precise` says that not all of the hierarchy belongs to it."""
    name = words.valtype(t)

    def take(value: Any) -> Any:
        if value is None:
            if not t.null:
                raise TypeError(f"None is the null reference, which {name} does not have")
            return None
        raw = to_wasm(store, value)
        if raw is None or (precise and not match_reftype(store.raw.ref_type(raw), t)):
            raise TypeError(f"{words.given(value)} is no {name}")
        return raw

    return take


def _any_to_wasm(store: Store, value: Any) -> Any:
    if isinstance(value, Aggregate):
        return value.raw_in(store)
    if isinstance(value, int):
        return store.raw.i31_alloc(I31(value) & 0x7FFF_FFFF)
    return store.raw.extern_internalize(store.raw.host_alloc(value))


def _any_to_python(store: Store, raw: Any) -> Any:
    heap = store.raw.ref_type(raw).heap
    if heap is AbsHeapType.I31:
        return I31(store.raw.i31_read(raw))
    if isinstance(heap, DefType):
        return (Struct if isinstance(expand(heap), StructType) else Array)(store, raw)
    return store.raw.host_read(raw)


def _extern_to_wasm(store: Store, value: Any) -> Any:
    if isinstance(value, I31) or (isinstance(value, Aggregate) and value.owner is store):  # to others it is an object like any
        return store.raw.extern_externalize(_any_to_wasm(store, value))
    return store.raw.host_alloc(value)


def _extern_to_python(store: Store, raw: Any) -> Any:
    return _any_to_python(store, store.raw.extern_internalize(raw))


def _func_to_wasm(store: Store, value: Any) -> Any:
    if isinstance(value, FuncReference):
        return value.raw_in(store)
    if callable(value):
        raise TypeError(f"{words.given(value)} is no funcref; Func(store, …) makes one of it")
    return None


def _func_to_python(store: Store, raw: Any) -> Any:
    return store.wrap_func(raw)


def _exn_to_wasm(store: Store, value: Any) -> Any:
    return value.raw_in(store) if isinstance(value, Exn) else None


HIERARCHIES: dict[AbsHeapType, tuple[Callable[[Store, Any], Any], Callable[[Store, Any], Any]]] = {
    AbsHeapType.ANY: (_any_to_wasm, _any_to_python),
    AbsHeapType.EXTERN: (_extern_to_wasm, _extern_to_python),
    AbsHeapType.FUNC: (_func_to_wasm, _func_to_python),
    AbsHeapType.EXN: (_exn_to_wasm, Exn),
}
