"""Waiting for clocks and descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from pywasm_ref.errors import Interrupted
from pywasm_ref.wasi.abi import (
    ABSTIME,
    CLOCK_SUBSCRIPTION,
    EVENT,
    SUCCESS,
    U32,
    Clockid,
    Errno,
    Eventtype,
    Fd,
    Ptr,
    Rights,
    Size,
)
from pywasm_ref.wasi.clocks import shown
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.descriptors import Descriptor
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.function import wasi_function
from pywasm_ref.wasi.memory import Memory, disjoint

MOST_SUBSCRIPTIONS = 4096
FD_RIGHT = {Eventtype.FD_READ: Rights.FD_READ, Eventtype.FD_WRITE: Rights.FD_WRITE}


@dataclass(slots=True)
class Subscription:
    """What the guest waits for. A clock has a moment on itself, a descriptor is open; where one of them is wrong, `error` says so."""

    userdata: int
    type: Eventtype
    clock: Clockid = Clockid.MONOTONIC
    moment: int = 0
    descriptor: Descriptor | None = None
    error: Errno = Errno.SUCCESS

    @property
    def host_fd(self) -> int | None:
        return None if self.descriptor is None else self.descriptor.host_fd

    @property
    def at_once(self) -> bool:
        """Whether there is nothing to wait for: an error, or a descriptor that never makes anybody wait."""
        return self.error is not Errno.SUCCESS or (self.type is not Eventtype.CLOCK and self.host_fd is None)


@wasi_function
def poll_oneoff(wasi: Wasi, subscriptions: Ptr, events: Ptr, nsubscriptions: Size, nevents: Ptr) -> Errno:
    """Wait until at least one of the subscriptions has something to tell, and write an event for each that has.

    Grants      the clocks for times, POLL_FD_READWRITE and FD_READ or FD_WRITE for descriptors; where one is missing, its event says
                NOTCAPABLE
    Fails       FAULT
                INVAL   there is no subscription, or one of an unknown type
    """
    return poll(wasi, subscriptions, events, nsubscriptions, nevents, CLOCK_SUBSCRIPTION)


def poll(wasi: Wasi, subscriptions: Ptr, events: Ptr, n: Size, nevents: Ptr, layout: Struct) -> Errno:
    """`poll_oneoff` for either layout of a subscription to a clock."""
    memory = wasi.memory()
    asked, told = memory.array(subscriptions, n, layout.size, 8), memory.array(events, n, EVENT.size, 8)
    disjoint(asked, told, memory.record(nevents, 4, 4))
    if not 0 < n <= MOST_SUBSCRIPTIONS:
        return Errno.INVAL
    wanted = [subscription(wasi, memory, subscriptions + i * layout.size, layout) for i in range(n)]
    del memory  # while the guest waits, nobody is to keep its memory from moving
    happened = wait(wasi, wanted)
    memory = wasi.memory()
    for i, (entry, ready) in enumerate(happened):
        memory.pack(EVENT, events + i * EVENT.size, *event(entry, ready))
    memory.pack(U32, nevents, len(happened))
    return SUCCESS


def subscription(wasi: Wasi, memory: Memory, at: Ptr, layout: Struct) -> Subscription:
    """Fails   INVAL for an unknown type"""
    userdata, tag, *clock = layout.unpack_from(memory.bytes, at)
    if tag > Eventtype.FD_WRITE:
        raise Fault(Errno.INVAL)
    entry = Subscription(userdata, Eventtype(tag))
    try:
        if entry.type is Eventtype.CLOCK:
            set_clock(wasi, entry, *clock[-4:])
        else:
            set_descriptor(wasi, entry, U32.unpack_from(memory.bytes, at + 16)[0])
    except Fault as fault:
        entry.error = fault.errno
    except OSError as error:
        entry.error = wasi.failed("poll_oneoff", error)
    return entry


def set_clock(wasi: Wasi, entry: Subscription, id: int, timeout: int, precision: int, flags: int) -> None:
    """Fails   INVAL for a clock that nobody can wait for, and for unknown flags; NOTCAPABLE"""
    if id > Clockid.MONOTONIC or flags > ABSTIME:
        raise Fault(Errno.INVAL)
    entry.clock = Clockid(id)
    wasi.clocks.access.use()
    entry.moment = timeout if flags & ABSTIME else shown(wasi.clocks, entry.clock) + timeout


def set_descriptor(wasi: Wasi, entry: Subscription, fd: Fd) -> None:
    """Fails   BADF, NOTCAPABLE"""
    entry.descriptor = wasi.descriptors.get(fd, Rights.POLL_FD_READWRITE | FD_RIGHT[entry.type])
    entry.descriptor.access.use()


def wait(wasi: Wasi, wanted: Sequence[Subscription]) -> list[tuple[Subscription, bool]]:
    """The subscriptions of which something happened, and whether their descriptors were seen to be ready.

    Fails   Interrupted when the guest is being stopped
    """
    while not wasi.waker.woken:
        check(wasi, wanted)
        at_once = any(entry.at_once for entry in wanted)
        times = [(entry, entry.moment - shown(wasi.clocks, entry.clock)) for entry in wanted if is_clock(entry)]
        shortest = min((left for _, left in times), default=None)
        rest = 0 if at_once else shortest
        if rest is not None and rest > 0 and wasi.clocks.pass_by(rest):
            rest = 0
            times = [(entry, left - (shortest or 0)) for entry, left in times]
        ready = ready_descriptors(wasi, wanted, rest)
        over = {id(entry) for entry, left in times if left <= 0}
        happened = [(entry, id(entry) in ready) for entry in wanted if entry.at_once or id(entry) in ready or id(entry) in over]
        if happened:
            return happened
    raise Interrupted("interrupted")


def check(wasi: Wasi, wanted: Sequence[Subscription]) -> None:
    """Note what was taken back, at first or meanwhile."""
    for entry in wanted:
        access = wasi.clocks.access if entry.descriptor is None else entry.descriptor.access
        if access.revoked and entry.error is Errno.SUCCESS:
            try:
                access.use()
            except OSError as error:
                entry.error = wasi.failed("poll_oneoff", error)


def is_clock(entry: Subscription) -> bool:
    return entry.type is Eventtype.CLOCK and entry.error is Errno.SUCCESS


def ready_descriptors(wasi: Wasi, wanted: Sequence[Subscription], nanoseconds: int | None) -> set[int]:
    """Wait for descriptors, for a time at most; the identities of the subscriptions whose descriptors are ready."""
    waiting = [(entry, entry.host_fd) for entry in wanted if not entry.at_once and entry.type is not Eventtype.CLOCK]
    readers = [fd for entry, fd in waiting if fd is not None and entry.type is Eventtype.FD_READ]
    writers = [fd for entry, fd in waiting if fd is not None and entry.type is Eventtype.FD_WRITE]
    if not waiting and nanoseconds == 0:
        return set()
    to_read, to_write = wasi.waker.wait(readers, writers, None if nanoseconds is None else nanoseconds / 1e9)
    ready = {Eventtype.FD_READ: to_read, Eventtype.FD_WRITE: to_write}
    return {id(entry) for entry, fd in waiting if fd in ready[entry.type]}


def event(entry: Subscription, ready: bool) -> tuple[int, ...]:
    """The fields of an event."""
    available = 0
    if entry.type is not Eventtype.CLOCK and entry.error is Errno.SUCCESS and entry.descriptor is not None:
        available = 1
        file = entry.descriptor.file
        if file is not None and entry.type is Eventtype.FD_READ:
            available = max(0, file.stat().size - file.seek(0, 1))
    return entry.userdata, entry.error, entry.type, available, 0


