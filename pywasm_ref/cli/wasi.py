"""What the command line lends to a program for WASI, and how such a program is run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pywasm_ref.capabilities.network import Connection
from pywasm_ref.capabilities.policy import Dir, Policy
from pywasm_ref.capabilities.streams import INHERIT, Input, Nothing, Output, as_input, as_output
from pywasm_ref.cli.calls import call, instance_of, stopping_after
from pywasm_ref.cli.errors import Unusable, naming, printable
from pywasm_ref.cli.inputs import STDIN
from pywasm_ref.embedding.engine import Module, Store
from pywasm_ref.source import Source
from pywasm_ref.wasi.context import Event, Wasi
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.linking import INITIALIZE, START, attach, externs_for, wants_wasi

__all__ = ["add_lent", "policy", "run", "wants_wasi", "with_limits_of"]

REFUSALS_SHOWN = 5
ALL_STREAMS = frozenset({"stdin", "stdout", "stderr"})
LIMITS = {"memory_pages": "max_memory", "table_entries": "max_table", "heap": "max_heap"}
"""Limits whose options are called otherwise."""


def add_lent(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(args=[])
    add = parser.add_argument_group("what a program for WASI is lent, besides the arguments behind --").add_argument
    add("--dir", action="append", default=[], metavar="HOST[::GUEST][:ro]", help="a directory, under another path, for reading only")
    add(
        "--mapdir",
        action="append",
        default=[],
        metavar="[HOST::]GUEST",
        help="an empty tree in memory, or a directory whose changes stay in memory",
    )
    add("--env", action="append", default=[], metavar="NAME[=VALUE]", help="a variable; without a value, as it is here")
    add("--stdin", metavar="FILE", help="what it reads (default: the input of this command)")
    add("--stdout", metavar="FILE", help="where its output goes")
    add("--stderr", metavar="FILE", help="where its messages go")
    add("--listen", action="append", default=[], metavar="HOST:PORT", help="a socket that waits there, as the next descriptor")
    add("--allow-net", action="append", default=[], metavar="HOST:PORT", help="where connections may lead: HOST or NETWORK/BITS, PORT or *")
    add("--connect", action="append", default=[], metavar="HOST:PORT", help="a connection that --allow-net covers, as the next descriptor")
    add("--seed", type=int, metavar="N", help="random bytes that this number decides")
    add("--fake-clock", action="store_true", help="clocks that move only when they are read")
    add("--policy", metavar="FILE", help="all of this from a file; options are added to it")
    add("--audit", metavar="FILE", help="write each use and each refusal, as lines of JSON")
    add("--explain", action="store_true", help="say what the program would be lent, and do not run it")


def policy(options: argparse.Namespace) -> Policy:
    """What the options and the file of --policy lend.

    Fails   Unusable
    """
    try:
        base = Policy(streams=ALL_STREAMS) if options.policy is None else Policy.from_toml(text_of(options.policy))
        return replace(
            base,
            args=(*base.args, *options.args),
            env={**base.env, **dict(map(variable, options.env))},
            dirs=(*base.dirs, *map(lent_dir, options.dir), *map(mapped_dir, options.mapdir)),
            clock="fake" if options.fake_clock else base.clock,
            random=base.random if options.seed is None else options.seed,
            listen=(*base.listen, *options.listen),
            connect=(*base.connect, *options.allow_net),
        )
    except ValueError as error:
        raise Unusable(f"{options.policy or 'the options'}: {error}") from error


def text_of(path: str) -> str:
    with naming(path):
        return Path(path).read_text(encoding="utf-8")


def variable(text: str) -> tuple[str, str]:
    """Fails   Unusable for a variable that is not set here"""
    name, given, value = text.partition("=")
    if not name or (not given and name not in os.environ):
        raise Unusable(f"--env {text}: {'a variable has a name' if not name else 'it is not set here; write NAME=VALUE'}")
    return name, value if given else os.environ[name]


def lent_dir(text: str) -> Dir:
    """`HOST`, `HOST::GUEST`, `HOST::GUEST:ro`; a path that stands alone is called the same by the guest."""
    path, readonly = (text.removesuffix(":ro"), True) if text.endswith(":ro") else (text, False)
    host, _, guest = path.partition("::")
    return Dir(guest or host, host, "read" if readonly else "write")


def mapped_dir(text: str) -> Dir:
    host, given, guest = text.rpartition("::")
    return Dir(guest, host, "overlay") if given and host != "mem" else Dir(guest, "", "memory")


def with_limits_of(policy: Policy, options: argparse.Namespace) -> argparse.Namespace:
    """The options, where they say nothing with the limits of the policy."""
    limits = {LIMITS.get(name, name): value for name, value in policy.limits.items()}
    for name, value in limits.items():
        if getattr(options, name) is None:
            setattr(options, name, value if name == "timeout" else int(value))
    return options


def run(
    options: argparse.Namespace, policy: Policy, store: Store, module: Module, source: Source, wanted: tuple[str, list[str]] | None
) -> int:
    """Run the program; the result is its exit code."""
    with contextlib.ExitStack() as files:
        wasi = files.enter_context(lent(options, policy, files))
        ended = False
        try:
            with stopping_after(lambda: stop(store, wasi), options.timeout):
                status = started(wasi, store, module, source, wanted)
            ended = True
        finally:
            tell(wasi, policy, failed=not ended or status != 0)
    return status


def started(wasi: Wasi, store: Store, module: Module, source: Source, wanted: tuple[str, list[str]] | None) -> int:
    try:
        instance = instance_of(module, externs_for(wasi, store, module), store, source)
        attach(wasi, store, instance)
        if INITIALIZE in instance.exports:
            call(store, instance, source, INITIALIZE)
        name, args = wanted or (START, [])
        if wanted is not None or START in instance.exports or INITIALIZE not in instance.exports:
            for line in call(store, instance, source, name, args):
                print(line)
    except ProcExit as end:
        return end.code % 256 or (end.code and 1)
    return 0


def stop(store: Store, wasi: Wasi) -> None:
    store.interrupt()
    wasi.stop()


def lent(options: argparse.Namespace, policy: Policy, files: contextlib.ExitStack) -> Wasi:
    """All that the policy has, as the program finds it.

    Fails   Unusable, OSError
    """

    def opened(path: str, mode: str) -> IO[Any]:
        with naming(path):
            return files.enter_context(open(path, mode))

    network = policy.network()
    try:
        trees = policy.trees()
        listeners = policy.listeners()
    except ValueError as error:
        raise Unusable(str(error)) from error
    return Wasi(
        (os.path.basename(options.file), *policy.args),
        policy.env,
        trees,
        stdin=as_input(opened(options.stdin, "rb")) if options.stdin else standard_input(options, policy),
        stdout=as_output(opened(options.stdout, "wb"), 1) if options.stdout else standard_output("stdout", 1, policy),
        stderr=as_output(opened(options.stderr, "wb"), 2) if options.stderr else standard_output("stderr", 2, policy),
        clocks=policy.clocks(),
        randomness=policy.randomness(),
        sockets=(*listeners, *(connection(network.connect, text) for text in options.connect)),
        audit=None if options.audit is None else audit_to(opened(options.audit, "w")),
    )


def standard_input(options: argparse.Namespace, policy: Policy) -> Input:
    """The input of this process, unless the module came from there."""
    if "stdin" not in policy.streams or options.file == STDIN or sys.stdin is None:
        return Nothing()
    return as_input(INHERIT if has_descriptor(sys.stdin) else sys.stdin)


def standard_output(name: str, number: int, policy: Policy) -> Output:
    stream = getattr(sys, name)
    if name not in policy.streams or stream is None:
        return Nothing()
    with contextlib.suppress(OSError):
        stream.flush()
    return as_output(INHERIT if has_descriptor(stream) else stream, number)


def has_descriptor(stream: Any) -> bool:
    """Whether a stream is one of the system, and open."""
    try:
        os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return True


def connection(connect: Callable[[str, int], Connection], text: str) -> Connection:
    """Fails   Unusable; NotLent where --allow-net does not cover it"""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise Unusable(f"--connect {text}: write HOST:PORT")
    with naming(text):
        return connect(host.strip("[]"), int(port))


def audit_to(file: IO[str]) -> Callable[[Event], object]:
    return lambda event: file.write(json.dumps(event.as_dict()) + "\n")


def tell(wasi: Wasi, policy: Policy, *, failed: bool) -> None:
    """Say what was refused, and what would have helped."""
    for line in list(dict.fromkeys(refusals(wasi)))[:REFUSALS_SHOWN]:
        print(line, file=sys.stderr)
    if failed and not policy.dirs and not wasi.refusals and wasi.looked_for_directories:
        print("pywasm-ref: no directory was lent: --dir HOST[::GUEST][:ro] lends one", file=sys.stderr)


def refusals(wasi: Wasi) -> Iterator[str]:
    for event in wasi.refusals:
        hint = f" ({event.hint})" if event.hint else ""
        yield f"pywasm-ref: refused {event.function}: {printable(event.refused)}{hint}"
