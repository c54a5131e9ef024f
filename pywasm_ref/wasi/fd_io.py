"""Reading and writing through descriptors."""

from __future__ import annotations

from pywasm_ref.capabilities.filesystem.nodes import Directory
from pywasm_ref.wasi.abi import SUCCESS, U32, U64, DirCookie, Errno, Fd, Filedelta, Filesize, Ptr, Rights, Size, Whence
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.descriptors import Descriptor
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.function import wasi_function
from pywasm_ref.wasi.listing import Listing
from pywasm_ref.wasi.memory import disjoint

FD_READ, FD_WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
FURTHEST = 2**63 - 1
"""The last place in a file that a system can name."""


@wasi_function
def fd_read(wasi: Wasi, fd: Fd, iovs: Ptr, iovs_len: Size, nread: Ptr) -> Errno:
    """Read into the buffers, and write how much it was; 0 is the end.

    Grants      FD_READ, else NOTCAPABLE
    Fails       BADF, FAULT, INVAL
                ISDIR   it is a directory
                AGAIN   it is non-blocking, and there is nothing yet
    """
    descriptor = wasi.descriptors.get(fd, FD_READ)
    memory = wasi.memory()
    buffers = memory.buffers(iovs, iovs_len, nread, written=True)
    if descriptor.directory is not None:
        return Errno.ISDIR
    done = wasi.read(descriptor, buffers)
    memory.keep(buffers)
    memory.pack(U32, nread, done)
    return SUCCESS


@wasi_function
def fd_write(wasi: Wasi, fd: Fd, iovs: Ptr, iovs_len: Size, nwritten: Ptr) -> Errno:
    """Write the buffers, and write to memory how much of them it was.

    Grants      FD_WRITE, else NOTCAPABLE
    Fails       BADF, FAULT, INVAL
                ROFS, DQUOT, NOSPC, PIPE
                AGAIN   it is non-blocking, and there is no room yet
    """
    descriptor = wasi.descriptors.get(fd, FD_WRITE)
    memory = wasi.memory()
    buffers = memory.buffers(iovs, iovs_len, nwritten, written=False)
    memory.pack(U32, nwritten, wasi.write(descriptor, buffers))
    return SUCCESS


@wasi_function
def fd_pread(wasi: Wasi, fd: Fd, iovs: Ptr, iovs_len: Size, offset: Filesize, nread: Ptr) -> Errno:
    """Read from a place in a file; the position stays.

    Grants      FD_READ and FD_SEEK, else NOTCAPABLE
    Fails       BADF, ISDIR, FAULT
                SPIPE   it is no file
                INVAL   the place is none, or a record is misaligned
    """
    file = wasi.descriptors.file(fd, Rights.FD_READ | Rights.FD_SEEK)
    memory = wasi.memory()
    buffers = memory.buffers(iovs, iovs_len, nread, written=True)
    memory.pack(U32, nread, file.read_at(buffers, place(offset)))
    return SUCCESS


@wasi_function
def fd_pwrite(wasi: Wasi, fd: Fd, iovs: Ptr, iovs_len: Size, offset: Filesize, nwritten: Ptr) -> Errno:
    """Write to a place in a file; the position stays.

    Grants      FD_WRITE and FD_SEEK, else NOTCAPABLE
    Fails       BADF, ISDIR, FAULT, ROFS, DQUOT, NOSPC, FBIG
                SPIPE   it is no file
                INVAL   the place is none, or a record is misaligned
    """
    file = wasi.descriptors.file(fd, Rights.FD_WRITE | Rights.FD_SEEK)
    memory = wasi.memory()
    buffers = memory.buffers(iovs, iovs_len, nwritten, written=False)
    memory.pack(U32, nwritten, file.write_at(buffers, place(offset)))
    return SUCCESS


@wasi_function
def fd_seek(wasi: Wasi, fd: Fd, offset: Filedelta, whence: Whence, newoffset: Ptr) -> Errno:
    """Move the position from the beginning (0), from where it is (1) or from the end (2), and write where it is then.

    Grants      FD_SEEK, or FD_TELL where it only asks, else NOTCAPABLE
    Fails       BADF, ISDIR, FAULT
                SPIPE   it is no file
                INVAL   there is no such place, or `newoffset` is misaligned
    """
    delta = offset - 2**64 if offset >= 2**63 else offset
    asks = whence == 1 and delta == 0
    file = wasi.descriptors.file(fd, Rights.FD_TELL if asks else Rights.FD_SEEK)
    memory = wasi.memory()
    memory.record(newoffset, 8, 8)
    if whence > 2:
        return Errno.INVAL
    memory.pack(U64, newoffset, file.seek(delta, whence))
    return SUCCESS


@wasi_function
def fd_tell(wasi: Wasi, fd: Fd, offset: Ptr) -> Errno:
    """Write the position.

    Grants      FD_TELL, else NOTCAPABLE
    Fails       BADF, ISDIR, SPIPE, FAULT, INVAL
    """
    file = wasi.descriptors.file(fd, Rights.FD_TELL)
    memory = wasi.memory()
    memory.record(offset, 8, 8)
    memory.pack(U64, offset, file.seek(0, 1))
    return SUCCESS


@wasi_function
def fd_readdir(wasi: Wasi, fd: Fd, buf: Ptr, buf_len: Size, cookie: DirCookie, bufused: Ptr) -> Errno:
    """Write the entries of a directory that come after a cookie, the last one cut off where the buffer ends. Cookie 0 looks anew.

    Grants      FD_READDIR, else NOTCAPABLE
    Fails       BADF, NOTDIR, FAULT, INVAL
    """
    directory = wasi.descriptors.directory(fd, Rights.FD_READDIR)
    directory.access.use()
    memory = wasi.memory()
    used = memory.record(bufused, 4, 4)
    begin, end = memory.range(buf, buf_len)
    disjoint(used, (begin, end))
    at = begin
    for entry in listing_of(wasi, wasi.descriptors.get(fd), directory, cookie).after(cookie):
        part = entry[: end - at]
        memory.bytes[at : at + len(part)] = part
        at += len(part)
        if at == end:
            break
    memory.pack(U32, bufused, at - begin)
    return SUCCESS


def listing_of(wasi: Wasi, descriptor: Descriptor, directory: Directory, cookie: int) -> Listing:
    """The entries of a directory, looked up anew where a guest begins."""
    if descriptor.listing is None:
        descriptor.listing = Listing()
        cookie = 0
    if cookie == 0:
        descriptor.listing.look(directory, wasi.go_on)
        wasi.descriptors.listed(descriptor)
    return descriptor.listing


def place(offset: Filesize) -> int:
    """Fails   INVAL"""
    if offset > FURTHEST:
        raise Fault(Errno.INVAL)
    return offset
