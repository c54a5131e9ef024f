"""What the command line lends to a program for WASI, and how such a program is run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from pywasm_ref.capabilities import policy as policies
from pywasm_ref.capabilities.access import NotLent
from pywasm_ref.capabilities.network import Connection, port_in
from pywasm_ref.capabilities.policy import Dir, Policy
from pywasm_ref.capabilities.streams import INHERIT, Inherited, Input, Nothing, Output, as_input, as_output
from pywasm_ref.cli.calls import call, instance_of, stopping_after
from pywasm_ref.cli.errors import BROKEN_PIPE, Unusable, naming
from pywasm_ref.cli.inputs import STDIN
from pywasm_ref.cli.options import number
from pywasm_ref.embedding.engine import Module, Store
from pywasm_ref.embedding.limits import DEFAULT
from pywasm_ref.errors import printable
from pywasm_ref.source import Source
from pywasm_ref.wasi.context import Event, Wasi
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.linking import INITIALIZE, START, attach, externs_for, wants_wasi

__all__ = ["add_lent", "explained", "policy", "run", "wants_wasi", "with_limits_of"]

REFUSALS_SHOWN = 5
LINES = 1
"""Buffering by lines: what was written down is there whatever happens next."""

OUTPUTS = ("stdout", "stderr")
ALL_STREAMS = frozenset({"stdin", "stdout", "stderr"})
MODES_ELSEWHERE = ("ro", "rw", "r", "w", "wo", "readonly")
"""What stands behind a colon in other tools; nobody means it as part of a name."""
LIMITS = {"memory_pages": "max_memory", "table_entries": "max_table", "heap": "max_heap"}
"""Limits whose options are called otherwise."""


def add_lent(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(args=[])
    group = parser.add_argument_group("what a program for WASI is lent, besides the arguments behind --")
    for name, metavar, words in REPEATED:
        group.add_argument(name, action="append", default=[], metavar=metavar, help=words)
    for name, metavar, words in FILES:
        group.add_argument(name, metavar=metavar, help=words)
    group.add_argument("--seed", type=number, metavar="N", help="give it random bytes that this number decides, the same each time")
    group.add_argument("--fake-clock", action="store_true", help="give it clocks that move only when they are read, and where it sleeps")
    group.add_argument("--explain", action="store_true", help="say what the program would be lent, and do not run it")


REPEATED = (
    ("--dir", "HOST[::GUEST][:ro]", "lend a directory; as GUEST if that is given, with :ro for reading only"),
    ("--mapdir", "[HOST::]GUEST", "lend an empty tree in memory as GUEST; or with HOST that directory, whose changes stay in memory"),
    ("--env", "NAME[=VALUE]", "set a variable of its environment; without a value, to what it is here"),
    ("--listen", "HOST:PORT", "lend a socket that takes connections there; its descriptor follows those of the directories"),
    ("--allow-net", "HOST:PORT", "allow connections to a HOST, or to all in NETWORK/BITS; PORT may be *"),
    ("--connect", "HOST:PORT", "make a connection, which --allow-net covers, and lend it; its descriptor follows those of --listen"),
)
FILES = (
    ("--stdin", "FILE", "where its input comes from (default: the input of this command)"),
    ("--stdout", "FILE", "where its output goes (default: the output of this command)"),
    ("--stderr", "FILE", "where its messages go (default: those of this command)"),
    ("--policy", "FILE", "lend what this file says, in TOML as docs/wasi.md has it; options are added to it"),
    ("--audit", "FILE", "write down each use and each refusal, as lines of JSON"),
)


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
            limits={**base.limits, **limits_in(options)},
        )
    except ValueError as error:
        known = options.policy is not None and getattr(error, "place", None) is not None
        raise Unusable(f"{options.policy or 'the options'}{':' if known else ': '}{error}") from error


def text_of(path: str) -> str:
    with naming(path):
        return Path(path).read_text(encoding="utf-8")


def variable(text: str) -> tuple[str, str]:
    """Fails   Unusable for a variable that is not set here"""
    name, given, value = text.partition("=")
    if not name or (not given and name not in os.environ):
        raise Unusable(f"--env {text!r}: {'a variable has a name' if not name else 'it is not set here; write NAME=VALUE'}")
    return name, value if given else os.environ[name]


def lent_dir(text: str) -> Dir:
    """`HOST`, `HOST::GUEST`, `HOST::GUEST:ro`; a path that stands alone is called the same by the guest."""
    path, readonly = (text.removesuffix(":ro"), True) if text.endswith(":ro") else (text, False)
    host, given, guest = path.partition("::")
    if not host:
        raise Unusable(f"--dir {text!r}: it has no HOST; write HOST, HOST::GUEST or HOST::GUEST:ro")
    return Dir(guest_in("--dir", text, guest) if given else host, host, "read" if readonly else "write")


def mapped_dir(text: str) -> Dir:
    host, given, guest = text.rpartition("::")
    guest_in("--mapdir", text, guest)
    return Dir(guest, host, "overlay") if given and host != "mem" else Dir(guest, "", "memory")


def guest_in(option: str, text: str, guest: str) -> str:
    """The path in an option, which is no place to make mistakes silently.

    Fails   Unusable
    """
    _, colon, mode = guest.rpartition(":")
    if colon and mode in MODES_ELSEWHERE:
        modes = "has no mode, its changes stay in memory" if option == "--mapdir" else "is for reading and writing, or has :ro behind it"
        raise Unusable(f"{option} {text!r}: there is no :{mode}; what is lent {modes}")
    if not guest or ".." in guest.split("/"):
        raise Unusable(f"{option} {text!r}: GUEST is the path that the program uses, not {guest!r}")
    return guest


def limits_in(options: argparse.Namespace) -> dict[str, float]:
    given = {name: getattr(options, LIMITS.get(name, name)) for name in policies.LIMITS}
    return {name: value for name, value in given.items() if value is not None}


def with_limits_of(policy: Policy, options: argparse.Namespace) -> argparse.Namespace:
    """The options, where they say nothing with the limits of the policy."""
    for name, value in policy.limits.items():
        setattr(options, LIMITS.get(name, name), value if name == "timeout" else int(value))
    return options


def explained(options: argparse.Namespace, policy: Policy) -> str:
    """What the options and the policy come to, in words: what is lent, and every limit, the usual ones too."""
    files = {name: path for name in policies.STREAMS if (path := getattr(options, name)) is not None}
    usual = {name: value for name in policies.LIMITS if (value := getattr(DEFAULT, name, None)) is not None}
    lines = [replace(policy, streams=policy.streams - files.keys(), limits={**usual, **policy.limits}).explain()]
    lines += [f"{name} {'from' if name == 'stdin' else 'to'} {path}" for name, path in files.items()]
    lines += [f"a connection to {where}" for where in options.connect]
    lines += [f"{name}: no limit (--{name})" for name in ("fuel", "timeout") if name not in policy.limits]
    return "\n".join(lines)


def run(
    options: argparse.Namespace, policy: Policy, store: Store, module: Module, source: Source, wanted: tuple[str, list[str]] | None
) -> int:
    """Run the program; the result is its exit code."""
    with contextlib.ExitStack() as files:
        muted = {name: Nothing() for name in OUTPUTS if name not in policy.streams and not getattr(options, name)}
        wasi = files.enter_context(lent(options, policy, muted, files))
        ended = False
        try:
            with stopping_after(lambda: stop(store, wasi), options.timeout):
                status = started(wasi, store, module, source, wanted)
            ended = True
        finally:
            tell(wasi, policy, muted, failed=not ended or status != 0)
    return status


def started(wasi: Wasi, store: Store, module: Module, source: Source, wanted: tuple[str, list[str]] | None) -> int:
    try:
        instance = instance_of(module, externs_for(wasi, store, module), store, source)
        attach(wasi, store, instance)
        if INITIALIZE in instance.exports:
            call(store, instance, source, INITIALIZE)
        name, args = wanted or (START, [])
        if wanted is None and START not in instance.exports and INITIALIZE in instance.exports:
            print("initialized; it is no program but a library: name a function with --invoke to call it", file=sys.stderr)
        else:
            for line in call(store, instance, source, name, args):
                print(line)
    except ProcExit as end:
        return end.code % 256 or (end.code and 1)
    return 0


def stop(store: Store, wasi: Wasi) -> None:
    store.interrupt()
    wasi.stop()


def lent(options: argparse.Namespace, policy: Policy, muted: dict[str, Nothing], files: contextlib.ExitStack) -> Wasi:
    """All that the policy has, as the program finds it.

    Fails   Unusable, OSError
    """

    def opened(path: str, mode: str, buffering: int = -1) -> IO[Any]:
        with naming(path):
            return files.enter_context(open(path, mode, buffering))

    network = policy.network()
    outputs = outputs_to({name: getattr(options, name) for name in OUTPUTS}, opened)
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
        stdout=outputs.get("stdout") or muted.get("stdout") or standard_output("stdout", 1),
        stderr=outputs.get("stderr") or muted.get("stderr") or standard_output("stderr", 2),
        clocks=policy.clocks(),
        randomness=policy.randomness(),
        sockets=(*listeners, *(connection(network.connect, text) for text in options.connect)),
        audit=None if options.audit is None else audit_to(opened(options.audit, "w", LINES)),
    )


def standard_input(options: argparse.Namespace, policy: Policy) -> Input:
    """The input of this process, unless the module came from there."""
    if "stdin" not in policy.streams or options.file == STDIN or sys.stdin is None:
        return Nothing()
    return as_input(INHERIT if has_descriptor(sys.stdin) else sys.stdin)


def outputs_to(paths: dict[str, str | None], opened: Callable[[str, str], IO[Any]]) -> dict[str, Output]:
    """Files for output and messages; the same one where both go to the same, so that neither is written over."""
    found: dict[str, Output] = {}
    for name, path in paths.items():
        if path is not None:
            same = next((other for other in found if path_is(paths[other], path)), None)
            found[name] = found[same] if same is not None else as_output(opened(path, "wb"), 1)
    return found


def path_is(path: str | None, other: str) -> bool:
    return path is not None and os.path.realpath(path) == os.path.realpath(other)


def standard_output(name: str, number: int) -> Output:
    stream = getattr(sys, name)
    if stream is None:
        return Nothing()
    with contextlib.suppress(OSError):
        stream.flush()
    return ForReaders(number, name) if has_descriptor(stream) else as_output(stream, number)


class ForReaders(Inherited):
    """A stream of this process. When nobody reads it any more the program ends, as a signal would end it outside."""

    def write(self, buffers: Sequence[memoryview]) -> int:
        try:
            return super().write(buffers)
        except BrokenPipeError:
            raise ProcExit(BROKEN_PIPE) from None


def has_descriptor(stream: Any) -> bool:
    """Whether a stream is one of the system, and open."""
    try:
        os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return True


def connection(connect: Callable[[str, int], Connection], text: str) -> Connection:
    """Fails   Unusable; NotLent where --allow-net does not cover it"""
    host, _, digits = text.rpartition(":")
    if not host:
        raise Unusable(f"--connect {text}: write HOST:PORT")
    try:
        port = port_in(digits, text)
    except ValueError as error:
        raise Unusable(f"--connect: {error}") from None
    try:
        with naming(text):
            return connect(host.strip("[]"), port)
    except NotLent as error:
        raise Unusable(f"--connect {text} is not allowed; {error.hint} or [net] connect of a policy allows it") from None


def audit_to(file: IO[str]) -> Callable[[Event], object]:
    return lambda event: file.write(json.dumps(event.as_dict()) + "\n")


def tell(wasi: Wasi, policy: Policy, muted: dict[str, Nothing], *, failed: bool) -> None:
    """Say what was refused or went nowhere, and what would have helped."""
    lines = list(dict.fromkeys(refusals(wasi)))
    if len(lines) > REFUSALS_SHOWN:
        lines[REFUSALS_SHOWN:] = [f"pywasm-ref: and more was refused, {len(lines) - REFUSALS_SHOWN} times (--audit FILE writes all down)"]
    for name, stream in muted.items():
        if stream.taken:
            lines.append(f'pywasm-ref: {stream.taken} bytes for {name} went nowhere (streams = ["{name}"] in the policy lends it)')
    if failed and not policy.dirs and not wasi.refusals and wasi.looked_for_directories:
        lines.append("pywasm-ref: no directory was lent: --dir HOST[::GUEST][:ro] lends one")
    if failed and wasi.looked_for_sockets and not policy.listen:
        lines.append("pywasm-ref: no socket was lent there: --listen HOST:PORT lends one, --connect HOST:PORT a connection")
    for line in lines:
        print(line, file=sys.stderr)


def refusals(wasi: Wasi) -> Iterator[str]:
    for event in wasi.refusals:
        hint = f" ({event.hint})" if event.hint else ""
        yield f"pywasm-ref: refused {event.function}: {printable(event.refused)}{hint}"
