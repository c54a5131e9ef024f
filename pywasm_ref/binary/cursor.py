"""Bytes, read and written in order: LEB128 integers, floats, names, vectors.

Spec    binary/values.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pywasm_ref.errors import Malformed
from pywasm_ref.features import WASM_3, Features
from pywasm_ref.syntax.values import U32_MAX

T = TypeVar("T")

END_OF_INPUT = "unexpected end of section or function"
TOO_LONG = "integer representation too long"
TOO_LARGE = "integer too large"


class Reader:
    """A place in a binary, and the features that decide what may stand there.

    Vectors are read one entry at a time, each of at least one byte, and a count beyond the bytes that are left is refused: what
    is allocated stays in proportion to the input.
    """

    def __init__(self, data: bytes, features: Features = WASM_3, pos: int = 0) -> None:
        self.data = data
        self.features = features
        self.pos = pos
        self.uses_data = False
        self.memo: dict[object, Any] = {}
        """Parts of syntax that were read before, so that equal parts can be one object: by their value, instructions by their bytes too."""

    def fail(self, message: str, at: int | None = None) -> Malformed:
        """The error to raise; its place is the last byte read when no other is given."""
        return Malformed(message, self.pos - 1 if at is None else at)

    def unexpected_end(self) -> Malformed:
        return Malformed(END_OF_INPUT, len(self.data))

    def at_end(self) -> bool:
        return self.pos >= len(self.data)

    def peek(self) -> int | None:
        """The next byte, which is not consumed; None at the end."""
        return self.data[self.pos] if self.pos < len(self.data) else None

    def byte(self) -> int:
        pos = self.pos
        if pos >= len(self.data):
            raise self.unexpected_end()
        self.pos = pos + 1
        return self.data[pos]

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self.pos + count
        if end > len(self.data):
            raise self.unexpected_end()
        taken = self.data[self.pos : end]
        self.pos = end
        return taken

    def unsigned(self, bits: int) -> int:
        """uN in LEB128."""
        result = shift = 0
        while True:
            if bits <= 0:
                raise self.fail(TOO_LONG, self.pos)
            byte = self.byte()
            payload = byte & 0x7F
            if bits < 7 and payload >> bits:
                raise self.fail(TOO_LARGE)
            result |= payload << shift
            if byte < 0x80:
                return result
            bits -= 7
            shift += 7

    def signed(self, bits: int) -> int:
        """sN in LEB128, as the signed integer that it is."""
        result = shift = 0
        while True:
            if bits <= 0:
                raise self.fail(TOO_LONG, self.pos)
            byte = self.byte()
            payload = byte & 0x7F
            if bits < 7 and payload >> (bits - 1) not in (0, 0x7F >> (bits - 1)):
                raise self.fail(TOO_LARGE)
            result |= payload << shift
            shift += 7
            if byte < 0x80:
                return result - (1 << shift) if payload & 0x40 else result
            bits -= 7

    def u8(self) -> int:
        return self.unsigned(8)

    def u32(self) -> int:
        pos = self.pos
        if pos < len(self.data) and self.data[pos] < 0x80:
            self.pos = pos + 1
            return self.data[pos]
        return self.unsigned(32)

    def u64(self) -> int:
        return self.unsigned(64)

    def fixed(self, size: int) -> int:
        """`size` bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def length(self) -> int:
        """A u32 that counts things which are still to come.

        Fails   "length out of bounds"   fewer bytes are left than it claims things
        """
        at = self.pos
        count = self.u32()
        if count > len(self.data) - at:  # the bytes of the count are among them; the suite wants it so
            raise self.fail("length out of bounds", at)
        return count

    def string(self) -> bytes:
        """A vector of bytes."""
        return self.take(self.length())

    def name(self) -> str:
        """A vector of bytes in UTF-8."""
        at = self.pos
        try:
            return self.string().decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail("malformed UTF-8 encoding", at) from None

    def vector(self, read: Callable[[Reader], T]) -> tuple[T, ...]:
        return tuple([read(self) for _ in range(self.length())])

    def zero(self) -> None:
        if self.byte() != 0:
            raise self.fail("zero byte expected")


class Writer:
    """Bytes that grow. Integers are written in as few bytes as there can be."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data = bytearray()

    def byte(self, value: int) -> None:
        self.data.append(value)

    def put(self, data: bytes | bytearray) -> None:
        self.data += data

    def unsigned(self, value: int) -> None:
        data = self.data
        while value > 0x7F:
            data.append(value & 0x7F | 0x80)
            value >>= 7
        data.append(value)

    def signed(self, value: int) -> None:
        data = self.data
        while not -0x40 <= value < 0x40:
            data.append(value & 0x7F | 0x80)
            value >>= 7
        data.append(value & 0x7F)

    def fixed(self, value: int, size: int) -> None:
        """`size` bytes, the lowest first."""
        self.data += value.to_bytes(size, "little")

    def length(self, count: int) -> None:
        """A count of things that follow.

        Fails   Malformed   no u32 can hold it
        """
        if count > U32_MAX:
            raise Malformed("length out of bounds")
        self.unsigned(count)

    def string(self, data: bytes | bytearray) -> None:
        self.length(len(data))
        self.data += data

    def name(self, name: str) -> None:
        self.string(name.encode("utf-8"))

    def vector(self, items: Iterable[T], write: Callable[[Writer, T], object]) -> None:
        things = tuple(items)
        self.length(len(things))
        for thing in things:
            write(self, thing)
