"""What can be imported and exported, as Python objects: functions, tables, globals and tags; memories are in `memory.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pywasm_ref.embedding import words
from pywasm_ref.embedding.alive import check_store
from pywasm_ref.embedding.described import CallSignature, Documentation
from pywasm_ref.embedding.hosts import PythonCode
from pywasm_ref.embedding.references import PARTS, FuncReference, Reference
from pywasm_ref.embedding.signature import Signature, lift_exception
from pywasm_ref.embedding.valtypes import hinted, resulttype, valtype
from pywasm_ref.errors import WasmException
from pywasm_ref.syntax.types import I32, I64, DefType, ExternType, FuncType, GlobalType, Limits, RefType, TableType, TagType
from pywasm_ref.validation.types import functype, functype_deftype

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store


def extern_type(store: Store, extern: Reference) -> ExternType:
    """The type of an extern as it is now, exact."""
    return store.raw.extern_type(extern.raw_in(store))


class Func(FuncReference):
    __slots__ = ()
    __doc__ = Documentation(
        """A function that Python can call with Python values. One result is returned as it is, several as a tuple, none as None.

    Made from a Python callable, its type is the one given, such as functype([i32], [f64]), or what the annotations of the callable say:
    i32, i64, f32, f64, v128, externref, funcref and the like of this package. There int stands for i32, bool too, float for f64, bytes for
    v128, object and Any for externref, a tuple for several results, None for none.

    Traps   the call, as the guest does
    Fails   the call: TypeError, OverflowError or ValueError for arguments that do not fit, WasmException for an exception that the guest
            does not catch, Exhaustion, Interrupted, and whatever a host function raises
    """
    )
    __signature__ = CallSignature()
    name: str
    _signature: Signature

    def __new__(cls, store: Store, function: Callable[..., Any], type: FuncType | None = None) -> Func:
        check_store(store)
        return cls._empty(store)

    @classmethod
    def _empty(cls, store: Store) -> Func:
        """A function without its parts, of the class that the engine wants."""
        if cls is not Func:
            return object.__new__(cls)
        parts: Any = store.engine.func_parts or FuncParts
        return cast(Func, parts.__new__(func_class(parts)))

    def __init__(self, store: Store, function: Callable[..., Any], type: FuncType | None = None) -> None:
        if type is not None and not isinstance(type, FuncType):
            raise TypeError(f"the type of a function is what functype([…], […]) makes, not {words.given(type)}")
        if not callable(function):
            raise TypeError(f"{words.given(function)} is not callable")
        name = getattr(function, "__name__", "host function")
        deftype = functype_deftype(type or (function.type if isinstance(function, Func) else hinted(function)))
        code = PythonCode(store, function, store.signature(deftype), name)
        self._fill(store, store.raw.func_alloc(deftype, code), deftype, name)

    def _fill(self, store: Store, raw: Any, type: DefType, name: str) -> None:
        super().__init__(store, raw)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_signature", store.signature(type))

    @classmethod
    def wrap(cls, store: Store, raw: Any, name: str = "") -> Func:
        """The face of a function that the engine has already."""
        func = cls._empty(store)
        func._fill(store, raw, store.raw.func_type(raw), name)
        return func

    @property
    def type(self) -> FuncType:
        return self._signature.type

    def __call__(self, *args: Any) -> Any:
        signature = self._signature
        lowered = signature.params.lower(args, self.name or "function", "parameter")
        try:
            results = self.owner.raw.func_invoke(self._raw, lowered)
        except WasmException as error:
            thrown = self._lifted(error)
        else:
            gives = signature.results.to_python
            if len(gives) == 1:
                return gives[0](results[0])
            return signature.results.lift(results) if gives else None
        try:
            raise thrown  # what a host function raised: not while that is handled which it was for the engine
        finally:
            del thrown

    def _lifted(self, error: WasmException) -> WasmException:
        """An exception that left the guest, in Python's terms."""
        return lift_exception(self.owner, error)

    def __repr__(self) -> str:
        return f"<Func {words.name(self.name) + ' ' if self.name else ''}{words.functype(self.type)}>"


class FuncParts:
    """What keeps the parts of a `Func` where the engine has nothing better."""

    __slots__ = (*PARTS, "_signature", "name")


@cache
def func_class(parts: type) -> type[Func]:
    """The class of functions whose parts are kept in that way; to a program it is `Func`."""
    made = type(
        Func.__name__,
        (parts, Func),
        {"__slots__": ("_module",), "__module__": Func.__module__, "__doc__": vars(Func)["__doc__"]},  # that of the parts would come first
    )
    return cast("type[Func]", made)


class Table(Reference):
    """A table of references: `len(table)`, `table[i]`, `table[i] = f`, `table.grow(n)`.

    One that a program makes holds references of the type `elem`, such as funcref. It begins with `min` entries, all of them `init`, and may
    grow to `max`, or where that is None to the limits of the store. `table64` is for indices of 64 bits.

    Fails   IndexError for an index outside, nothing is counted from the end; Exhaustion when it cannot grow; TypeError for a value of a
            wrong type
    """

    __slots__ = PARTS

    def __init__(self, store: Store, elem: object, min: int, max: int | None = None, init: object = None, *, table64: bool = False) -> None:
        check_store(store)
        reftype = valtype(elem)
        if not isinstance(reftype, RefType):
            raise TypeError(f"a table holds references, not {words.valtype(reftype)}")
        limits = checked_limits(min, max, 2**64 - 1 if table64 else 2**32 - 1, "entries")
        first = store.converters(reftype)[0](init)
        super().__init__(store, store.raw.table_alloc(TableType(I64 if table64 else I32, limits, reftype), first))

    @classmethod
    def wrap(cls, store: Store, raw: Any, _name: str = "") -> Table:
        table = cls.__new__(cls)
        Reference.__init__(table, store, raw)
        return table

    @property
    def type(self) -> TableType:
        """Its minimum is the present size."""
        return self.owner.raw.table_type(self._raw)

    def __len__(self) -> int:
        return self.owner.raw.table_size(self._raw)

    def __getitem__(self, i: int) -> Any:
        return self.owner.converters(self.type.elem)[1](self.owner.raw.table_read(self._raw, self._place(i)))

    def __setitem__(self, i: int, value: object) -> None:
        self.owner.raw.table_write(self._raw, self._place(i), self.owner.converters(self.type.elem)[0](value))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def grow(self, n: int, init: object = None) -> int:
        """Add entries; the size before is returned."""
        before = len(self)
        self.owner.raw.table_grow(self._raw, growth(n, "entries"), self.owner.converters(self.type.elem)[0](init))
        return before

    def _place(self, i: int) -> int:
        if not isinstance(i, int):
            raise TypeError(f"an index is an int, not {words.given(i)}")
        if not 0 <= i < len(self):
            raise IndexError(f"index {words.integer(i)} is outside the table, which has {len(self)} entries")
        return i

    def __repr__(self) -> str:
        return f"<Table: {words.externtype(self.type)}>"


class Global(Reference):
    """A global variable; its content is `value`.

    One that a program makes begins with `value`, or with zero or null. Guests and Python may set it where it is `mutable`.

    Fails   TypeError when an immutable one is set, or with a value of a wrong type
    """

    __slots__ = PARTS

    def __init__(self, store: Store, type: object, value: object = None, *, mutable: bool = False) -> None:
        check_store(store)
        t = valtype(type)
        raw = 0 if value is None and not isinstance(t, RefType) else store.converters(t)[0](value)
        super().__init__(store, store.raw.global_alloc(GlobalType(mutable, t), raw))

    @classmethod
    def wrap(cls, store: Store, raw: Any, _name: str = "") -> Global:
        variable = cls.__new__(cls)
        Reference.__init__(variable, store, raw)
        return variable

    @property
    def type(self) -> GlobalType:
        return self.owner.raw.global_type(self._raw)

    @property
    def value(self) -> Any:
        return self.owner.converters(self.type.type)[1](self.owner.raw.global_read(self._raw))

    @value.setter
    def value(self, value: object) -> None:
        if not self.type.mut:
            raise TypeError("this global is immutable")
        self.owner.raw.global_write(self._raw, self.owner.converters(self.type.type)[0](value))

    def __repr__(self) -> str:
        return f"<Global: {words.externtype(self.type)}>"


class Tag(Reference):
    """What tells one kind of exception from another, and the types of the values that an exception carries: `Tag(store, [i32])`."""

    __slots__ = PARTS
    WHO: ClassVar[str] = "exception"

    def __init__(self, store: Store, params: Iterable[object] = ()) -> None:
        check_store(store)
        deftype = functype_deftype(FuncType(resulttype(params, "the values of a tag"), ()))
        super().__init__(store, store.raw.tag_alloc(TagType(deftype)))

    @classmethod
    def wrap(cls, store: Store, raw: Any, _name: str = "") -> Tag:
        tag = cls.__new__(cls)
        Reference.__init__(tag, store, raw)
        return tag

    @property
    def type(self) -> FuncType:
        """A function type without results."""
        return functype(self._deftype())

    def _deftype(self) -> DefType:
        type = self.owner.raw.tag_type(self._raw).type
        if isinstance(type, DefType):
            return type
        raise TypeError(f"an engine gave a type that is not closed: {type}")

    def values_to_python(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return self.owner.signature(self._deftype()).params.lift(values)

    def values_to_wasm(self, values: Sequence[Any]) -> list[Any]:
        return self.owner.signature(self._deftype()).params.lower(values, self.WHO, "value")

    def __repr__(self) -> str:
        return f"<Tag {words.resulttype(self.type.params)}>"


def checked_limits(min: int, max: int | None, most: int, unit: str) -> Limits:
    """Limits from a program's numbers.

    Fails   TypeError, ValueError
    """
    checked_size(min, unit)
    if max is not None and checked_size(max, unit) < min:
        raise ValueError(f"the maximum of {words.integer(max)} {unit} is less than the minimum of {words.integer(min)}")
    if min > most or (max is not None and max > most):
        raise ValueError(f"there can be at most {most} {unit}")
    return Limits(min, max)


def checked_size(n: object, unit: str) -> int:
    """A number of things from a program.

    Fails   TypeError, ValueError
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"a number of {unit} is an int, not {words.given(n)}")
    if n < 0:
        raise ValueError(f"a number of {unit} is not negative: {words.integer(n)}")
    return n


def growth(n: object, unit: str) -> int:
    """How much a program wants to add. All that no engine can count fails alike, and is told as the least of it.

    Fails   TypeError, ValueError
    """
    return min(checked_size(n, unit), 1 << 64)
