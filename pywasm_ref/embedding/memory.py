"""A memory as a Python object: bytes, typed reads and writes, and a view without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import values, words
from pywasm_ref.embedding.alive import check_store
from pywasm_ref.embedding.externs import checked_limits, checked_size, growth
from pywasm_ref.embedding.references import PARTS, Reference
from pywasm_ref.embedding.values import ToPython, ToWasm
from pywasm_ref.syntax.types import I32, I64, MemType

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store

PAGE_BITS = 16

FORMATS: dict[str, tuple[int, ToWasm, ToPython]] = {
    "i8": (1, values.i8_to_wasm, lambda i: i - 0x100 if i & 0x80 else i),
    "u8": (1, values.i8_to_wasm, values.packed_to_python),
    "i16": (2, values.i16_to_wasm, lambda i: i - 0x1_0000 if i & 0x8000 else i),
    "u16": (2, values.i16_to_wasm, values.packed_to_python),
    "i32": (4, values.i32_to_wasm, values.i32_to_python),
    "u32": (4, values.i32_to_wasm, values.packed_to_python),
    "i64": (8, values.i64_to_wasm, values.i64_to_python),
    "u64": (8, values.i64_to_wasm, values.packed_to_python),
    "f32": (4, values.f32_to_wasm, values.f32_to_python),
    "f64": (8, values.f64_to_wasm, values.f64_to_python),
    "v128": (16, values.v128_to_wasm, values.v128_to_python),
}
"""What can be loaded and stored: size in bytes, and the converters. `i…` reads signed, `u…` unsigned; both take either."""


class Memory(Reference):
    """A memory of the guest: bytes by address, `memory[0:4]`, `memory.read(0, 4)`, and numbers, `memory.load("i32", 0)`.

    One that a program makes begins with `min` pages of 64 KiB and may grow to `max`, or where that is None to the limits of the store.
    `shared` is for guests in several threads, `memory64` for addresses of 64 bits.

    `view()` is a `memoryview` of its bytes, writable and not copied. From Python 3.12 on `memoryview(memory)` is the same; before that, a
    class that is written in Python cannot take part in the buffer protocol.

    Take a new view after growth. An old one keeps the old size, and may be of bytes that the memory has left behind: **what is written to
    them is lost**, and what the guest writes is not seen. The views of a shared memory stay true, as the memory never moves.

    Units   addresses in bytes, `size` and `grow` in pages of the memory's type
    Fails   IndexError for any access that is not wholly inside; Exhaustion when it cannot grow
    """

    __slots__ = PARTS

    def __init__(self, store: Store, min: int, max: int | None = None, *, shared: bool = False, memory64: bool = False) -> None:
        check_store(store)
        limits = checked_limits(min, max, 2**48 if memory64 else 2**16, "pages")
        if shared and max is None:
            raise ValueError("a shared memory needs a maximum")
        super().__init__(store, store.raw.mem_alloc(MemType(I64 if memory64 else I32, limits, shared)))

    @classmethod
    def wrap(cls, store: Store, raw: Any, _name: str = "") -> Memory:
        memory = cls.__new__(cls)
        Reference.__init__(memory, store, raw)
        return memory

    def raw_in(self, store: Store) -> Any:
        """As for any reference; but a shared memory serves every store of its engine, so that threads can have one each."""
        if self.owner.engine is store.engine and self.type.shared:
            return self._raw
        return super().raw_in(store)

    @property
    def type(self) -> MemType:
        """Its minimum is the present size."""
        return self.owner.raw.mem_type(self._raw)

    @property
    def size(self) -> int:
        """How large it is now.

        Units   pages of its type, mostly of 64 KiB; `len(memory)` is in bytes
        """
        return self.owner.raw.mem_size(self._raw)

    def grow(self, pages: int) -> int:
        """Add pages; the size before is returned."""
        before = self.size
        self.owner.raw.mem_grow(self._raw, growth(pages, "pages"))
        return before

    def view(self) -> memoryview:
        """The bytes, writable and not copied; to be taken anew after growth, since what is written to an old view may be lost."""
        return self.owner.raw.mem_view(self._raw)

    def __buffer__(self, flags: int, /) -> memoryview:
        return self.view()

    def __len__(self) -> int:
        return len(self.view())

    def read(self, at: int, n: int) -> bytes:
        """A copy of `n` bytes."""
        view = self.view()
        _check(view, at, checked_size(n, "bytes"))
        return view[at : at + n].tobytes()

    def write(self, at: int, data: bytes | bytearray | memoryview) -> None:
        """Copy bytes into the memory."""
        view, source = self.view(), memoryview(data).cast("B")
        _check(view, at, len(source))
        view[at : at + len(source)] = source

    def load(self, format: object, at: int) -> Any:
        """A number that stands in the memory: `load("u16", 8)`, `load(wasm.f64, 16)`."""
        size, _, to_python = _format(format)
        return to_python(int.from_bytes(self.read(at, size), "little"))

    def store(self, format: object, at: int, value: object) -> None:
        """Put a number into the memory: `store("u16", 8, 65535)`."""
        size, to_wasm, _ = _format(format)
        self.write(at, to_wasm(value).to_bytes(size, "little"))

    def __getitem__(self, key: int | slice) -> Any:
        """A byte as an int, or a copy of a range as bytes."""
        if isinstance(key, slice):
            start, stop = self._range(key)
            return self.read(start, stop - start)
        return self.read(key, 1)[0]

    def __setitem__(self, key: int | slice, value: Any) -> None:
        if not isinstance(key, slice):
            self.store("u8", key, value)
            return
        start, stop = self._range(key)
        data = memoryview(value).cast("B")
        if len(data) != stop - start:
            raise ValueError(f"{words.plural(len(data), 'byte')} cannot fill a range of {stop - start}; a memory does not shift")
        self.write(start, data)

    def _range(self, key: slice) -> tuple[int, int]:
        """Both ends of a slice. Nothing is counted from the end, and nothing is cut to fit, since these are addresses."""
        if key.step not in (None, 1):
            raise ValueError("a range of a memory has no step")
        length = len(self)
        start = 0 if key.start is None else key.start
        stop = length if key.stop is None else key.stop
        if not isinstance(start, int) or not isinstance(stop, int):
            raise TypeError("the ends of a range are ints")
        if not 0 <= start <= stop <= length:
            raise IndexError(f"the range {words.integer(start)}:{words.integer(stop)} is not inside a memory of {length} bytes")
        return start, stop

    def __repr__(self) -> str:
        return f"<Memory: {words.externtype(self.type)}>"


def _check(view: memoryview, at: object, n: int) -> None:
    if not isinstance(at, int):
        raise TypeError(f"an address is an int, not {words.given(at)}")
    if at < 0 or at + n > len(view):
        raise IndexError(f"{words.plural(n, 'byte')} at {words.integer(at)} are not inside a memory of {len(view)} bytes")


def _format(format: object) -> tuple[int, ToWasm, ToPython]:
    name = format if isinstance(format, str) else getattr(format, "value", None)
    found = FORMATS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"there is no format {words.given(format)}; there are {', '.join(FORMATS)}")
    return found
