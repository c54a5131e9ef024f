"""Guest memory, seen through ranges that were checked.

Addresses and lengths come from the guest and are unsigned, so that their sum in Python never wraps. A range outside of memory is FAULT, a
record that does not stand where its alignment wants it is INVAL, and two ranges that overlap where one of them is written are FAULT:
all before anything is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct

from pywasm_ref.wasi.abi import PAIR, Errno, Ptr, Size
from pywasm_ref.wasi.faults import Fault

MOST_BUFFERS = 1024
"""Buffers that one call may name, as on most systems."""

AT_ONCE = 16 << 20
"""Bytes that one call reads or writes at most; it says how much it did, as any call may, and the guest can be stopped before the rest."""

Range = tuple[int, int]
"""Begin and end."""


class Memory:
    """All bytes of the guest's memory as they are during one call. A guest cannot grow it meanwhile, unless what was lent to it calls it
    again: so results are written to where the memory is by then."""

    __slots__ = ("bytes", "look", "parts", "size")

    def __init__(self, look: Callable[[], memoryview]) -> None:
        self.look = look
        self.bytes = look()
        self.size = len(self.bytes)
        self.parts: list[Range] = []

    def range(self, at: Ptr, size: Size) -> Range:
        """Fails   FAULT"""
        end = at + size
        if end > self.size:
            raise Fault(Errno.FAULT)
        return at, end

    def record(self, at: Ptr, size: int, align: int) -> Range:
        """Fails   INVAL for a wrong alignment, FAULT"""
        if at % align:
            raise Fault(Errno.INVAL)
        end = at + size
        if end > self.size:
            raise Fault(Errno.FAULT)
        return at, end

    def array(self, at: Ptr, n: Size, size: int, align: int) -> Range:
        """Fails   INVAL, FAULT"""
        return self.record(at, n * size, align)

    def view(self, at: Ptr, size: Size) -> memoryview:
        """Fails   FAULT"""
        begin, end = self.range(at, size)
        return self.bytes[begin:end]

    def text(self, at: Ptr, size: Size) -> str:
        """A string; WASI has UTF-8.

        Fails   FAULT; ILSEQ for other bytes
        """
        try:
            return str(self.view(at, size), "utf-8")
        except UnicodeDecodeError:
            raise Fault(Errno.ILSEQ) from None

    def pack(self, record: Struct, at: Ptr, *values: int) -> None:
        """Write a record whose range was checked."""
        record.pack_into(self.look(), at, *values)

    def keep(self, buffers: Sequence[memoryview]) -> None:
        """What was written to buffers of a memory that has grown since is written to where it is now."""
        now = self.look()
        if len(now) != self.size:
            for (start, stop), buffer in zip(self.parts, buffers, strict=False):
                now[start : start + len(buffer)] = buffer[: stop - start]

    def buffers(self, iovs: Ptr, n: Size, result: Ptr, *others: Range, written: bool) -> list[memoryview]:
        """The buffers of an array of iovec or ciovec. `result` is the address of a size that will be written, as `others` will be.

        Fails   INVAL for too many, or where the array or the result is misaligned; FAULT for one that is not in memory, or overlaps
                what will be written; where the buffers are `written`, for one that overlaps the array or another buffer too
        """
        outputs = self.record(result, 4, 4), *others
        array = self.array(iovs, n, 8, 4)
        if n > MOST_BUFFERS:
            raise Fault(Errno.INVAL)
        parts = [self.range(at, size) for at, size in PAIR.iter_unpack(self.bytes[slice(*array)])]
        if written:
            disjoint(array, *outputs, *parts)
        else:
            disjoint(array, *outputs)
            for output in outputs:
                for part in parts:
                    disjoint(output, part)
        self.parts = [part for part in parts if part[1] > part[0]]
        found = [self.bytes[start:stop] for start, stop in self.parts]
        return found if sum(map(len, found)) <= AT_ONCE else first(found, AT_ONCE)


def first(buffers: list[memoryview], n: int) -> list[memoryview]:
    """The first n bytes of the buffers."""
    found: list[memoryview] = []
    for buffer in buffers:
        if n > 0:
            found.append(buffer[:n])
            n -= len(buffer)
    return found


def disjoint(*ranges: Range) -> None:
    """Fails   FAULT where two of the ranges, if they are not empty, overlap"""
    if len(ranges) == 2:
        (a, b), (c, d) = ranges
        if a < d and c < b and a < b and c < d:
            raise Fault(Errno.FAULT)
        return
    reached = 0
    for begin, end in sorted(pair for pair in ranges if pair[0] < pair[1]):
        if begin < reached:
            raise Fault(Errno.FAULT)
        reached = end

