"""A guest that does what a test tells it: it hands every function of WASI out, and its memory."""

from __future__ import annotations

import functools
import importlib
import struct
from collections.abc import Mapping
from typing import Any

import pytest

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.embedding.objects import Module
from pywasm_ref.syntax.types import I32
from pywasm_ref.wasi.abi import ALL_RIGHTS, Errno
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.function import WasiFunction
from pywasm_ref.wasi.guests import tree_of
from pywasm_ref.wasi.linking import MODULES, attach, externs_for

PREVIEW1 = "wasi_snapshot_preview1"
PAGES = 2
SIZE = PAGES * 65536
PATHS = 0x1000
"""Where paths are put; a second one follows at 0x2000, results at 0x3000."""

RESULT = 0x3000
BUFFER = 0x4000
ALL = int(ALL_RIGHTS)
ROOT = 3
"""The first directory that is lent."""

CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
FOLLOW = 1


def native() -> Engine:
    found: Engine = importlib.import_module("pywasm_ref._fastcore.engine").ENGINE
    return found


def counts_fuel(engine: Engine) -> bool:
    try:
        engine.store(Limits(fuel=1))
    except NotImplementedError:
        return False
    return True


def needs_fuel(engine: Engine) -> None:
    if not counts_fuel(engine):
        pytest.skip(f"the engine {engine.name} does not count fuel yet")


def signature(function: WasiFunction) -> str:
    params = " ".join("i32" if t is I32 else "i64" for t in function.type.params)
    return f"(param {params}) (result i32)" if function.type.results else f"(param {params})"


@functools.cache
def text(home: str) -> str:
    """A module with a function for each of WASI, that hands on its arguments and the result."""
    imports, exports = [], []
    for name, function in MODULES[home].items():
        arguments = " ".join(f"(local.get {i})" for i in range(len(function.type.params)))
        imports.append(f'(import "{home}" "{name}" (func $i_{name} {signature(function)}))')
        exports.append(f'(func (export "{name}") {signature(function)} (call $i_{name} {arguments}))')
    return f'(module {" ".join(imports)} (memory (export "memory") {PAGES}) {" ".join(exports)})'


MODULES_READ: dict[tuple[str, str], Module] = {}


def module(engine: Engine, home: str = PREVIEW1) -> Module:
    key = (engine.name, home)
    if key not in MODULES_READ:
        MODULES_READ[key] = Module(text(home), engine)
    return MODULES_READ[key]


class Caller:
    """Calls functions of WASI through a guest, and looks into its memory."""

    def __init__(self, engine: Engine, dirs: Mapping[str, Any] | None = None, *, home: str = PREVIEW1, **lent: Any) -> None:
        self.wasi = Wasi(dirs={path: tree_of(given) for path, given in (dirs or {}).items()}, **lent)
        raw = module(engine, home).raw
        self.store = functions.store_init(engine)
        self.instance = functions.module_instantiate(self.store, raw, externs_for(self.wasi, self.store, raw))
        attach(self.wasi, self.store, self.instance)

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.wasi.close()

    @property
    def memory(self) -> memoryview:
        return self.store.mem_view(self.instance.exports["memory"])  # type: ignore[arg-type]

    def call(self, name: str, *args: int) -> Errno:
        """Call a function; signed numbers are taken as their representatives."""
        types = MODULES[PREVIEW1][name].type.params
        values = [value % 2 ** (32 if t is I32 else 64) for value, t in zip(args, types, strict=True)]
        results = functions.func_invoke(self.store, self.instance.exports[name], values)  # type: ignore[arg-type]
        return Errno(results[0]) if results else Errno.SUCCESS

    def ok(self, name: str, *args: int) -> None:
        assert self.call(name, *args) is Errno.SUCCESS

    def put(self, at: int, data: bytes | str) -> tuple[int, int]:
        """Write to memory; the address and length, as arguments."""
        data = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        self.memory[at : at + len(data)] = data
        return at, len(data)

    def u32(self, at: int = RESULT) -> int:
        return int(struct.unpack_from("<I", self.memory, at)[0])

    def u64(self, at: int = RESULT) -> int:
        return int(struct.unpack_from("<Q", self.memory, at)[0])

    def path(self, text: bytes | str, at: int = PATHS) -> tuple[int, int]:
        return self.put(at, text)

    def open_errno(self, path: bytes | str, oflags: int = 0, rights: int = ALL, fd: int = ROOT, follow: int = FOLLOW, flags: int = 0) -> Errno:
        return self.call("path_open", fd, follow, *self.path(path), oflags, rights, rights, flags, RESULT)

    def open(self, path: str, oflags: int = 0, rights: int = ALL, fd: int = ROOT, follow: int = FOLLOW, flags: int = 0) -> int:
        assert self.open_errno(path, oflags, rights, fd, follow, flags) is Errno.SUCCESS
        return self.u32()

    def iovs(self, *buffers: tuple[int, int]) -> tuple[int, int]:
        """An array of buffers, as arguments."""
        at, _ = self.put(RESULT + 0x100, b"".join(struct.pack("<II", *buffer) for buffer in buffers))
        return at, len(buffers)

    def read(self, fd: int, n: int = 1000) -> bytes:
        self.ok("fd_read", fd, *self.iovs((BUFFER, n)), RESULT)
        return bytes(self.memory[BUFFER : BUFFER + self.u32()])

    def write_errno(self, fd: int, data: bytes) -> Errno:
        return self.call("fd_write", fd, *self.iovs(self.put(BUFFER, data)), RESULT)

    def write(self, fd: int, data: bytes) -> int:
        assert self.write_errno(fd, data) is Errno.SUCCESS
        return self.u32()

    def names(self, fd: int, cookie: int = 0, size: int = 4096) -> list[str]:
        """The names of a directory after a cookie."""
        return [name for name, _ in self.entries(fd, cookie, size)]

    def entries(self, fd: int, cookie: int = 0, size: int = 4096) -> list[tuple[str, int]]:
        self.ok("fd_readdir", fd, BUFFER, size, cookie, RESULT)
        data = bytes(self.memory[BUFFER : BUFFER + self.u32()])
        found = []
        while len(data) >= 24:
            after, _, length = struct.unpack_from("<QQI", data)
            if len(data) < 24 + length:
                break
            found.append((data[24 : 24 + length].decode(), after))
            data = data[24 + length :]
        return found
