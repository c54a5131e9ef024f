"""What `wasi_unstable`, which programs of 2019 import, has otherwise than preview 1.

The numbers of `whence` are others, a filestat is 8 bytes shorter, a subscription 8 bytes longer, and no socket can be accepted.
"""

from __future__ import annotations

from pywasm_ref.wasi import fd_io, path
from pywasm_ref.wasi.abi import (
    CLOCK_SUBSCRIPTION_UNSTABLE,
    FILESTAT_UNSTABLE,
    SUCCESS,
    Errno,
    Fd,
    Filedelta,
    LookupFlags,
    Ptr,
    Rights,
    Size,
    Whence,
)
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.fd_state import fields, filestat
from pywasm_ref.wasi.function import unstable_function
from pywasm_ref.wasi.poll import poll

WHENCE = {0: 1, 1: 2, 2: 0}
"""From where it is, from the end, from the beginning; in this order."""

MOST_LINKS = 2**32 - 1


@unstable_function
def fd_seek(wasi: Wasi, fd: Fd, offset: Filedelta, whence: Whence, newoffset: Ptr) -> Errno:
    """As in preview 1, where `whence` counts otherwise."""
    return fd_io.fd_seek(wasi, fd, offset, WHENCE.get(whence, whence), newoffset)


@unstable_function
def fd_filestat_get(wasi: Wasi, fd: Fd, buf: Ptr) -> Errno:
    """As in preview 1; the number of links has 32 bits."""
    found = wasi.descriptors.get(fd, Rights.FD_FILESTAT_GET)
    memory = wasi.memory()
    memory.record(buf, FILESTAT_UNSTABLE.size, 8)
    memory.pack(FILESTAT_UNSTABLE, buf, *narrowed(filestat(found)))
    return SUCCESS


@unstable_function
def path_filestat_get(wasi: Wasi, fd: Fd, flags: LookupFlags, path_: Ptr, path_len: Size, buf: Ptr) -> Errno:
    """As in preview 1; the number of links has 32 bits."""
    memory = wasi.memory()
    result = memory.record(buf, FILESTAT_UNSTABLE.size, 8)
    with path.at(wasi, fd, Rights.PATH_FILESTAT_GET, path_, path_len, result, follow=path.followed(flags)) as place:
        memory.pack(FILESTAT_UNSTABLE, buf, *narrowed(fields(place.stat())))
    return SUCCESS


@unstable_function
def poll_oneoff(wasi: Wasi, subscriptions: Ptr, events: Ptr, nsubscriptions: Size, nevents: Ptr) -> Errno:
    """As in preview 1; a subscription to a clock has an identifier more."""
    return poll(wasi, subscriptions, events, nsubscriptions, nevents, CLOCK_SUBSCRIPTION_UNSTABLE)


def narrowed(fields: tuple[int, ...]) -> tuple[int, ...]:
    dev, ino, filetype, nlink, *rest = fields
    return (dev, ino, filetype, min(nlink, MOST_LINKS), *rest)
