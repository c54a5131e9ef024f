"""Running a program: everything that it is lent, its start, its limits and its end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from pywasm_ref.capabilities.clocks import Clocks
from pywasm_ref.capabilities.filesystem.host import HostTree
from pywasm_ref.capabilities.filesystem.memory import Contents, MemoryTree
from pywasm_ref.capabilities.filesystem.nodes import Tree
from pywasm_ref.capabilities.network import Connection, Listener
from pywasm_ref.capabilities.policy import Policy
from pywasm_ref.capabilities.randomness import Randomness, SeededRandomness
from pywasm_ref.capabilities.streams import INHERIT, Capture, Readable, Writable, as_input, as_output
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine, Func, Instance, Store
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.embedding.objects import Module
from pywasm_ref.embedding.sources import ModuleSource
from pywasm_ref.errors import Interrupted, Unlinkable, WasmError
from pywasm_ref.syntax.types import FuncTypeUse
from pywasm_ref.wasi.context import Audit, Event, Wasi, arguments, variables
from pywasm_ref.wasi.deadlines import DEADLINES
from pywasm_ref.wasi.descriptors import MOST
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.linking import INITIALIZE, START, attach, externs_for

PAGE = 65536

Lendable = str | os.PathLike[str] | Tree | Contents
"""A directory of this machine by its path, a tree, or what a tree in memory begins with."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a guest ended. `exit_code` is None where it was ended by `error`: a trap, a limit, an exception, or the host.

    Units   `fuel_used` in instructions, None where there was no limit; `memory_pages` in pages of 64 KiB, at the end
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    error: WasmError | None
    fuel_used: int | None
    memory_pages: int
    refusals: tuple[Event, ...]

    def check(self) -> Result:
        """The same, when the guest ended well.

        Fails   the error that ended it; GuestFailed for an exit code other than 0
        """
        if self.error is not None:
            raise self.error
        if self.exit_code:
            raise GuestFailed(self)
        return self


class GuestFailed(Exception):
    """A guest ended with an exit code other than 0."""

    def __init__(self, result: Result) -> None:
        words = result.stderr.decode(errors="replace").strip()
        super().__init__(f"exit code {result.exit_code}{f': {words}' if words else ''}")
        self.result = result


class Guest:
    """A program and all that it is lent, to be run once; the parameters are those of `run`.

    Fails   as `run` does before the guest starts
    """

    def __init__(
        self,
        module: ModuleSource | Module,
        *,
        args: Iterable[str | bytes] | None = None,
        env: Mapping[str, str] | None = None,
        dirs: Mapping[str, Lendable] | None = None,
        stdin: Readable = None,
        stdout: Writable = None,
        stderr: Writable = None,
        capture: bool = False,
        limits: Limits | None = None,
        timeout: float | None = None,
        clocks: Clocks | None = None,
        randomness: Randomness | None = None,
        seed: int | None = None,
        sockets: Iterable[Listener | Connection] = (),
        audit: Audit | None = None,
        max_descriptors: int = MOST,
        engine: str | Engine = "auto",
        program: str | bytes | None = None,
        policy: Policy | None = None,
    ) -> None:
        policy = Policy() if policy is None else policy
        self.module = module if isinstance(module, Module) else Module(module, engine)
        self.limits = limits_of(policy, limits)
        self.timeout: float | None = policy.limits.get("timeout") if timeout is None else timeout
        if self.timeout is not None and not self.timeout > 0:
            raise ValueError(f"a timeout is a number of seconds, not {self.timeout}")
        self.store: Store = functions.store_init(self.module.engine, self.limits)
        self._captured = [Capture(), Capture()] if capture else []
        if seed is not None:
            randomness = SeededRandomness(seed)
        self.wasi = Wasi(
            (program_name(module) if program is None else program, *arguments(policy.args if args is None else args)),
            {**policy.env, **variables(env or {})},
            policy.trees() | trees_of(dirs or {}),
            stdin=as_input(INHERIT if stdin is None and "stdin" in policy.streams else stdin),
            stdout=as_output(self._target(stdout, "stdout", policy), 1),
            stderr=as_output(self._target(stderr, "stderr", policy), 2),
            clocks=clocks or policy.clocks(),
            randomness=randomness or policy.randomness(),
            sockets=(*policy.listeners(), *sockets),
            audit=audit,
            max_descriptors=max_descriptors,
        )
        self._instance: Instance | None = None

    def _target(self, given: Writable, name: str, policy: Policy) -> Writable:
        if given is not None:
            return given
        if self._captured:
            return self._captured[0 if name == "stdout" else 1]
        return INHERIT if name in policy.streams else None

    def run(self, invoke: str = START) -> Result:
        """Run the guest to its end, whatever that is."""
        error: WasmError | None = None
        code: int | None = 0
        with self.wasi:
            try:
                with self.deadline():
                    self.start(invoke)
            except ProcExit as end:
                code = end.code
            except WasmError as problem:
                if isinstance(problem, Unlinkable):
                    raise
                code, error = None, problem
        return self.result(code, error)

    def start(self, invoke: str = START) -> None:
        """Instantiate, and call the start function; for those who want to catch by themselves what comes out.

        Fails   ProcExit when the guest ends itself, and as `func_invoke` does
        """
        instance = self.instantiate()
        name = INITIALIZE if invoke == START and START not in instance.exports and INITIALIZE in instance.exports else invoke
        func = instance.exports.get(name)
        if func is None or not isinstance(self.store.extern_type(func), FuncTypeUse):
            raise Unlinkable(f"the module exports no function {name!r} to start with")
        functions.func_invoke(self.store, cast(Func, func), ())

    def instantiate(self) -> Instance:
        """The instance, made when it is first asked for."""
        if self._instance is None:
            raw = self.module.raw
            self._instance = functions.module_instantiate(self.store, raw, externs_for(self.wasi, self.store, raw))
            attach(self.wasi, self.store, self._instance)
        return self._instance

    @contextlib.contextmanager
    def deadline(self) -> Iterator[None]:
        """Stop the guest when its time is over."""
        if self.timeout is None:
            yield
            return
        deadline = DEADLINES.add(self.timeout, self.stop)
        try:
            yield
        except Interrupted as error:
            if deadline.over:
                error.message = f"interrupted after {self.timeout:g} s"
            raise
        finally:
            DEADLINES.cancel(deadline)

    def stop(self) -> None:
        """Stop the guest at once, from any thread, also where it waits."""
        self.store.interrupt()
        self.wasi.stop()

    def result(self, code: int | None = None, error: WasmError | None = None) -> Result:
        """How the guest stands: what it wrote so far, and what it used."""
        stdout, stderr = (captured.data for captured in self._captured) if self._captured else (b"", b"")
        left = self.store.fuel
        used = None if left is None or self.limits.fuel is None else self.limits.fuel - left
        size = self.wasi.memory_size()
        return Result(code, stdout, stderr, error, used, size // PAGE, tuple(self.wasi.refusals))


def run(module: ModuleSource | Module, *, invoke: str = START, **lent: Any) -> Result:
    """Run a program compiled for WASI, and wait for its end.

    The module is a path, bytes, a text or a `Module`. The guest reaches what it is lent and nothing else:

    args         arguments, behind the name of the program (`program`, by default that of the file)
    env          variables of the environment
    dirs         paths of the guest to directories: a path of this machine, a tree of `pywasm_ref.capabilities`, or a mapping of names to
                 contents for a tree in memory
    stdin        bytes, a text, a file object, a function that is asked for bytes, or INHERIT
    stdout, stderr   a file object, a function that is given bytes, or INHERIT; with `capture` they go into the result
    limits, timeout  fuel, memory and the like; seconds
    clocks, randomness, seed     clocks, and random bytes of an own kind or of a seed
    sockets      listeners and connections, which follow the directories as descriptors
    policy       all of these as data; what is given besides it is added, or takes its place
    max_descriptors  how many may be open at once
    audit        a function that is told of each use and each refusal
    engine       fast, reference or auto

    Fails   Malformed, Invalid, Unlinkable before it starts; OSError where a directory or file cannot be opened; what functions and file
            objects that were lent raise. How the guest ended, a trap included, is in the result.
    """
    return Guest(module, **lent).run(invoke)


def limits_of(policy: Policy, limits: Limits | None) -> Limits:
    """The limits of a policy, unless others are given."""
    if limits is not None:
        return limits
    return replace(Limits(), **{name: int(value) for name, value in policy.limits.items() if name != "timeout"})


def trees_of(dirs: object) -> dict[str, Tree]:
    """Fails   TypeError for what is no mapping of paths, and OSError"""
    if not isinstance(dirs, Mapping) or not all(isinstance(path, str) for path in dirs):
        raise TypeError(f"dirs is a mapping of the guest's paths to directories, not {dirs!r}")
    return {path: tree_of(given) for path, given in dirs.items()}


def tree_of(given: Lendable) -> Tree:
    if isinstance(given, str | os.PathLike):
        return HostTree(given)
    if isinstance(given, Mapping):
        return MemoryTree(given)
    if not callable(getattr(given, "root", None)):
        raise TypeError(f"a directory is a path, a mapping of names to contents, or a tree of pywasm_ref.capabilities, not {given!r}")
    return given


def program_name(module: ModuleSource | Module) -> str:
    """What the program is called: as its file, or as it calls itself."""
    if isinstance(module, os.PathLike):
        return os.path.basename(os.fspath(module))
    if isinstance(module, str) and "(" not in module:
        return os.path.basename(module)
    return (module.name if isinstance(module, Module) else None) or "program"

