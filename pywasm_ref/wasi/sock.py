"""Sockets that were lent, and connections to them."""

from __future__ import annotations

from pywasm_ref.capabilities.network import Connection
from pywasm_ref.wasi.abi import (
    CONNECTION_RIGHTS,
    RECV_PEEK,
    RECV_WAITALL,
    SUCCESS,
    U32,
    Errno,
    Fd,
    FdFlags,
    Fdflags,
    Ptr,
    RiFlags,
    Rights,
    SdFlags,
    SiFlags,
    Size,
)
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.descriptors import Descriptor, connection_descriptor
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.function import wasi_function


@wasi_function
def sock_accept(wasi: Wasi, fd: Fd, flags: FdFlags, result: Ptr) -> Errno:
    """Take a connection that somebody made, and write the number of its descriptor.

    Grants      SOCK_ACCEPT, else NOTCAPABLE
    Fails       BADF, NOTSOCK, FAULT, MFILE
                INVAL   it is no listener, or there is a flag other than NONBLOCK
                AGAIN   it is non-blocking, and there is none yet
    """
    found = socket(wasi, fd, Rights.SOCK_ACCEPT)
    memory = wasi.memory()
    memory.record(result, 4, 4)
    if found.listener is None or flags & ~int(Fdflags.NONBLOCK):
        return Errno.INVAL
    wasi.descriptors.room()
    while True:
        wasi.wait(found, reading=True)
        try:
            end = found.listener.accept()
            break
        except BlockingIOError:  # who wanted to connect has gone again
            continue
    opened = connection_descriptor(end, int(CONNECTION_RIGHTS) & found.inheriting, flags)
    memory.pack(U32, result, wasi.descriptors.add(opened))
    return SUCCESS


@wasi_function
def sock_recv(
    wasi: Wasi, fd: Fd, ri_data: Ptr, ri_data_len: Size, ri_flags: RiFlags, ro_datalen: Ptr, ro_flags: Ptr
) -> Errno:
    """Receive into the buffers, and write how much it was; 0 is the end.

    Grants      FD_READ, else NOTCAPABLE
    Fails       BADF, NOTSOCK, NOTCONN, FAULT, CONNRESET
                INVAL   a flag is unknown, or a record is misaligned
                AGAIN   it is non-blocking, and nothing has come
    """
    found = socket(wasi, fd, Rights.FD_READ)
    memory = wasi.memory()
    buffers = memory.buffers(ri_data, ri_data_len, ro_datalen, memory.record(ro_flags, 2, 2), written=True)
    if ri_flags & ~(RECV_PEEK | RECV_WAITALL):
        return Errno.INVAL
    done = receive(wasi, found, connected(found), buffers, ri_flags)
    memory.pack(U32, ro_datalen, done)
    memory.bytes[ro_flags : ro_flags + 2] = b"\0\0"
    return SUCCESS


def receive(wasi: Wasi, found: Descriptor, end: Connection, buffers: list[memoryview], flags: int) -> int:
    """Receive once, or until all buffers are full."""
    done = 0
    for buffer in buffers:
        at = 0
        while at < len(buffer):
            wasi.wait(found, reading=True)
            n = end.receive([buffer[at:]], peek=bool(flags & RECV_PEEK))
            done += n
            at += n
            if n == 0 or not flags & RECV_WAITALL or flags & RECV_PEEK:
                return done
    return done


@wasi_function
def sock_send(wasi: Wasi, fd: Fd, si_data: Ptr, si_data_len: Size, si_flags: SiFlags, so_datalen: Ptr) -> Errno:
    """Send the buffers, and write how much of them it was.

    Grants      FD_WRITE, else NOTCAPABLE
    Fails       BADF, NOTSOCK, NOTCONN, FAULT, PIPE, CONNRESET
                INVAL   a flag is set: there are none; or a record is misaligned
                AGAIN   it is non-blocking, and there is no room
    """
    found = socket(wasi, fd, Rights.FD_WRITE)
    memory = wasi.memory()
    buffers = memory.buffers(si_data, si_data_len, so_datalen, written=False)
    if si_flags:
        return Errno.INVAL
    connected(found)
    memory.pack(U32, so_datalen, wasi.write(found, buffers))
    return SUCCESS


@wasi_function
def sock_shutdown(wasi: Wasi, fd: Fd, how: SdFlags) -> Errno:
    """Say that nothing more will be read (1), sent (2), or both (3).

    Grants      SOCK_SHUTDOWN, else NOTCAPABLE
    Fails       BADF, NOTSOCK, NOTCONN
                INVAL   it is said of nothing, or of something unknown
    """
    found = socket(wasi, fd, Rights.SOCK_SHUTDOWN)
    if not 1 <= how <= 3:
        return Errno.INVAL
    connected(found).shutdown(how)
    return SUCCESS


def socket(wasi: Wasi, fd: Fd, rights: int) -> Descriptor:
    """Fails   BADF, NOTSOCK, NOTCAPABLE"""
    found = wasi.descriptors.by_number.get(fd)
    if found is None or (found.connection is None and found.listener is None):
        wasi.looked_for_sockets = True
        raise Fault(Errno.BADF if found is None else Errno.NOTSOCK)
    return wasi.descriptors.get(fd, rights)


def connected(found: Descriptor) -> Connection:
    """Fails   NOTCONN"""
    if found.connection is None:
        raise Fault(Errno.NOTCONN)
    return found.connection
