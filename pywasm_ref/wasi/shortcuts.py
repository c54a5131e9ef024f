"""Reading and writing one buffer, which is most of what programs do, in one piece.

A shortcut takes the same steps as the function in `fd_io.py`, without calls in between, when everything is as it should be: one buffer, in
memory, aligned and apart from what is written. In any other case, and for every error, it leaves the call to the function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pywasm_ref.wasi.abi import PAIR, U32, Errno, Rights
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.function import RESULTS, SHORTCUTS
from pywasm_ref.wasi.memory import AT_ONCE

Code = Callable[[Sequence[Any]], Sequence[Any]]

FD_READ, FD_WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
DONE, NO_MEMORY = RESULTS[Errno.SUCCESS], RESULTS[Errno.NOMEM]


def fd_write(wasi: Wasi, in_full: Code) -> Code:
    """`fd_write` for one buffer, to something that never makes anybody wait."""
    descriptor_of, unpack, pack = wasi.descriptors.by_number.get, PAIR.unpack_from, U32.pack_into

    def code(args: Sequence[Any]) -> Sequence[Any]:
        fd, iovs, n, result = args
        descriptor = descriptor_of(fd)
        if descriptor is None or n != 1 or not descriptor.rights & FD_WRITE or (iovs | result) & 3:
            return in_full(args)
        access, write = descriptor.access, descriptor.direct_write
        if write is None or access.revoked or access.readonly:
            return in_full(args)
        view = wasi.view()
        size = len(view)
        if iovs + 8 > size or result + 4 > size or -8 < iovs - result < 4:
            return in_full(args)
        at, length = unpack(view, iovs)
        end = at + length
        if end > size or length > AT_ONCE or (at < result + 4 and result < end):
            return in_full(args)
        try:
            done = write(view[at:end])
        except OSError as error:
            return RESULTS[wasi.failed("fd_write", error)]
        except MemoryError:
            return NO_MEMORY
        pack(wasi.view(), result, done)  # what was lent may have called the guest, and its memory grown
        return DONE

    code.moves = wasi.writes  # type: ignore[attr-defined]
    return code


def fd_read(wasi: Wasi, in_full: Code) -> Code:
    """`fd_read` into one buffer, from something that never makes anybody wait."""
    descriptor_of, unpack, pack = wasi.descriptors.by_number.get, PAIR.unpack_from, U32.pack_into

    def code(args: Sequence[Any]) -> Sequence[Any]:
        fd, iovs, n, result = args
        descriptor = descriptor_of(fd)
        if descriptor is None or n != 1 or not descriptor.rights & FD_READ or (iovs | result) & 3:
            return in_full(args)
        read = descriptor.direct_read
        if read is None:
            return in_full(args)
        view = wasi.view()
        size = len(view)
        if iovs + 8 > size or result + 4 > size or -8 < iovs - result < 4:
            return in_full(args)
        at, length = unpack(view, iovs)
        end = at + length
        if end > size or length > AT_ONCE or (at < result + 4 and result < end) or (at < iovs + 8 and iovs < end):
            return in_full(args)
        try:
            done = read((view[at:end],))
        except OSError as error:
            return RESULTS[wasi.failed("fd_read", error)]
        except MemoryError:
            return NO_MEMORY
        pack(view, result, done)
        return DONE

    code.moves = wasi.reads  # type: ignore[attr-defined]
    return code


SHORTCUTS["fd_read"] = fd_read
SHORTCUTS["fd_write"] = fd_write
