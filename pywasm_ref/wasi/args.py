"""Arguments and environment."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref.wasi.abi import SUCCESS, U32, Errno, Ptr
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.function import wasi_function
from pywasm_ref.wasi.memory import disjoint


@wasi_function
def args_get(wasi: Wasi, argv: Ptr, argv_buf: Ptr) -> Errno:
    """Write the arguments, each ended by NUL, to `argv_buf`, and their addresses to `argv`.

    Grants      the arguments, else NOTCAPABLE
    Fails       FAULT, INVAL    as `args_sizes_get` says how much room is needed
    """
    wasi.args_access.use()
    return strings_get(wasi, wasi.args, argv, argv_buf)


@wasi_function
def args_sizes_get(wasi: Wasi, argc: Ptr, argv_buf_size: Ptr) -> Errno:
    """Write the number of arguments, and the size of all of them with their NULs.

    Grants      the arguments, else NOTCAPABLE
    Fails       FAULT, INVAL
    """
    wasi.args_access.use()
    return strings_sizes_get(wasi, wasi.args, argc, argv_buf_size)


@wasi_function
def environ_get(wasi: Wasi, environ: Ptr, environ_buf: Ptr) -> Errno:
    """Write the variables as NAME=VALUE, each ended by NUL, to `environ_buf`, and their addresses to `environ`.

    Grants      the environment, else NOTCAPABLE
    Fails       FAULT, INVAL
    """
    wasi.env_access.use()
    return strings_get(wasi, wasi.env, environ, environ_buf)


@wasi_function
def environ_sizes_get(wasi: Wasi, environ_count: Ptr, environ_buf_size: Ptr) -> Errno:
    """Write the number of variables, and the size of all of them with their NULs.

    Grants      the environment, else NOTCAPABLE
    Fails       FAULT, INVAL
    """
    wasi.env_access.use()
    return strings_sizes_get(wasi, wasi.env, environ_count, environ_buf_size)


def strings_get(wasi: Wasi, strings: Sequence[bytes], addresses: Ptr, buffer: Ptr) -> Errno:
    memory = wasi.memory()
    data = b"".join(string + b"\0" for string in strings)
    disjoint(memory.array(addresses, len(strings), 4, 4), memory.range(buffer, len(data)))
    memory.bytes[buffer : buffer + len(data)] = data
    for i, string in enumerate(strings):
        memory.pack(U32, addresses + 4 * i, buffer)
        buffer += len(string) + 1
    return SUCCESS


def strings_sizes_get(wasi: Wasi, strings: Sequence[bytes], count: Ptr, size: Ptr) -> Errno:
    memory = wasi.memory()
    disjoint(memory.record(count, 4, 4), memory.record(size, 4, 4))
    memory.pack(U32, count, len(strings))
    memory.pack(U32, size, sum(len(string) + 1 for string in strings))
    return SUCCESS
