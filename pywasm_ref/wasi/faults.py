"""How a function of WASI fails: with an errno, which stands for itself or for an error of the host."""

from __future__ import annotations

import errno

from pywasm_ref.capabilities.access import NotLent
from pywasm_ref.wasi.abi import Errno


class Fault(Exception):
    """A function fails with this errno."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno)
        self.errno = errno


class ProcExit(Exception):
    """The guest ends itself; it goes through the engine to whoever started the guest."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest ended with exit code {code}")
        self.code = code


SAME = (name for name in Errno.__members__ if hasattr(errno, f"E{name}"))
OTHERS = {"E2BIG": Errno.TOOBIG, "EWOULDBLOCK": Errno.AGAIN, "EDEADLOCK": Errno.DEADLK, "EOPNOTSUPP": Errno.NOTSUP, "ENOTSUP": Errno.NOTSUP}
OF_HOST = {getattr(errno, f"E{name}"): Errno[name] for name in SAME}
OF_HOST |= {getattr(errno, name): code for name, code in OTHERS.items() if hasattr(errno, name)}
"""Errno by the number of this system, which are not the same everywhere."""


def errno_of(error: OSError) -> Errno:
    """What the guest is told of an error of the host."""
    if isinstance(error, NotLent):
        return Errno.NOTCAPABLE
    return OF_HOST.get(error.errno or 0, Errno.IO)
