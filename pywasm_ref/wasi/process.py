"""The end of a guest, its signals, its turn, and random bytes."""

from __future__ import annotations

import time
from typing import NoReturn

from pywasm_ref.wasi.abi import MOST_SIGNAL, SUCCESS, Errno, Exit, Ptr, Signal, Size
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.function import wasi_function

PIECE = 1 << 20
IGNORED = frozenset({0, 16, 17, 22, 27})
"""No signal, and what is ignored unless somebody handles it: chld, cont, urg, winch."""

STOPPING = frozenset({18, 19, 20, 21})
"""stop, tstp, ttin, ttou: there is nobody who could make the guest go on."""


@wasi_function
def proc_exit(wasi: Wasi, rval: Exit) -> NoReturn:
    """End the guest with an exit code."""
    raise ProcExit(rval)


@wasi_function
def proc_raise(wasi: Wasi, sig: Signal) -> Errno:
    """Do what a signal does that nobody handles: end the guest, with 128 and its number as exit code, or nothing.

    Fails       INVAL   there is no such signal
                NOTSUP  it would stop the guest until somebody lets it go on
    """
    if sig > MOST_SIGNAL:
        return Errno.INVAL
    if sig in STOPPING:
        return Errno.NOTSUP
    if sig not in IGNORED:
        raise ProcExit(128 + sig)
    return SUCCESS


@wasi_function
def sched_yield(wasi: Wasi) -> Errno:
    """Let other threads have a turn."""
    time.sleep(0)
    return SUCCESS


@wasi_function
def random_get(wasi: Wasi, buf: Ptr, buf_len: Size) -> Errno:
    """Write `buf_len` random bytes to guest memory at `buf`.

    Grants      `random`, else NOTCAPABLE
    Fails       FAULT   the range [buf, buf + buf_len) is outside memory; nothing is written
    """
    room = wasi.memory().view(buf, buf_len)
    wasi.randomness.access.use()
    for at in range(0, buf_len, PIECE):
        wasi.go_on()
        piece = wasi.randomness.take(min(PIECE, buf_len - at))
        room[at : at + len(piece)] = piece
    return SUCCESS
