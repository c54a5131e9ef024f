"""Clocks."""

from __future__ import annotations

from pywasm_ref.capabilities.clocks import Clocks
from pywasm_ref.wasi.abi import SUCCESS, U64, ClockId, Clockid, Errno, Ptr, Timestamp
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.function import wasi_function

KINDS = {
    Clockid.REALTIME: "realtime",
    Clockid.MONOTONIC: "monotonic",
    Clockid.PROCESS_CPUTIME: "process",
    Clockid.THREAD_CPUTIME: "thread",
}


@wasi_function
def clock_res_get(wasi: Wasi, id: ClockId, resolution: Ptr) -> Errno:
    """Write the smallest step of a clock, in nanoseconds.

    Grants      the clocks, else NOTCAPABLE
    Fails       INVAL   there is no such clock, or `resolution` is misaligned
                FAULT
    """
    memory = wasi.memory()
    memory.record(resolution, 8, 8)
    memory.pack(U64, resolution, wasi.clocks.resolution(KINDS[known(id)]))
    return SUCCESS


@wasi_function
def clock_time_get(wasi: Wasi, id: ClockId, precision: Timestamp, time: Ptr) -> Errno:
    """Write what a clock shows, in nanoseconds; the precision that is asked for is always given.

    Grants      the clocks, else NOTCAPABLE
    Fails       INVAL   there is no such clock, or `time` is misaligned
                FAULT
    """
    memory = wasi.memory()
    memory.record(time, 8, 8)
    memory.pack(U64, time, shown(wasi.clocks, known(id)) & (2**64 - 1))
    return SUCCESS


def known(id: ClockId) -> Clockid:
    """Fails   INVAL"""
    if id > Clockid.THREAD_CPUTIME:
        raise Fault(Errno.INVAL)
    return Clockid(id)


def shown(clocks: Clocks, id: Clockid) -> int:
    if id is Clockid.REALTIME:
        return clocks.realtime()
    if id is Clockid.MONOTONIC:
        return clocks.monotonic()
    return clocks.cpu(thread=id is Clockid.THREAD_CPUTIME)
