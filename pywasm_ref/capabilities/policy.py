"""What a guest may reach, as data: it can be written as TOML, explained in words, compared, and narrowed while the guest runs."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pywasm_ref.capabilities.clocks import Clocks, FakeClocks, SystemClocks
from pywasm_ref.capabilities.filesystem.host import HostTree
from pywasm_ref.capabilities.filesystem.memory import MemoryTree, quota_in_memory
from pywasm_ref.capabilities.filesystem.nodes import Tree
from pywasm_ref.capabilities.filesystem.overlay import OverlayTree
from pywasm_ref.capabilities.network import Destination, Listener, Network
from pywasm_ref.capabilities.places import Key, PolicyError, place_of, read
from pywasm_ref.capabilities.quota import Quota
from pywasm_ref.capabilities.randomness import Randomness, SeededRandomness, SystemRandomness

MODES = {
    "read": "read {host} as {guest}",
    "write": "read and write {host} as {guest}",
    "overlay": "read {host} as {guest}; what it changes there stays in memory",
    "memory": "use a tree in memory as {guest}",
}
NARROWER = {"write": ("write", "read"), "read": ("read",), "overlay": ("overlay",), "memory": ("memory",)}
WORDS: Mapping[object, str] = {
    "args": "a list of strings",
    "streams": 'a list of "stdin", "stdout" and "stderr"',
    "env": "a table of strings, as [env] and NAME = \"value\"",
    "limits": "a table of numbers, as [limits] and fuel = 1_000_000",
    "net": "a table, as [net] and connect = [\"HOST:PORT\"]",
    "net.listen": "a list of HOST:PORT",
    "net.connect": "a list of HOST:PORT",
}
KINDS: Mapping[object, str] = {str: "a string", int: "a whole number", list: "a list, whose tables begin with [[dir]]", dict: "a table"}
"""What to write, in messages about what was written."""

STREAMS = ("stdin", "stdout", "stderr")
LIMITS = ("fuel", "timeout", "memory_pages", "table_entries", "call_depth", "heap")


@dataclass(frozen=True, slots=True)
class Dir:
    """A tree that is lent under the path `guest`; `mode` is read, write, overlay or memory. `bytes` and `files` are a quota on what is
    written.

    Fails   ValueError
    """

    guest: str
    host: str = ""
    mode: str = "write"
    bytes: int | None = None
    files: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise PolicyError(f"the mode of a directory is {', '.join(MODES)}, not {self.mode!r}", ("mode",))
        if self.mode == "memory" and self.host:
            raise PolicyError(f"a directory in memory has no host path: {self.guest}", ("host",))
        if self.mode != "memory" and not self.host:
            raise PolicyError(f"host is missing, the path of this machine to lend as {self.guest}", ("host",))
        for name, path in (("guest", self.guest), ("host", self.host)):
            if "\0" in path or not (path or name == "host"):
                raise PolicyError(f"{name} cannot be {path!r}: a path is not empty, and has no NUL", (name,))
        for name, limit in (("bytes", self.bytes), ("files", self.files)):
            if limit is not None and limit < 0:
                raise PolicyError(f"{name} of {self.guest} cannot be {limit}", (name,))

    def quota(self) -> Quota:
        """What may be written; what is in memory has the usual limits where it has none of its own."""
        given = Quota(self.bytes, self.files)
        return quota_in_memory(given) if self.mode in ("overlay", "memory") else given

    def tree(self) -> Tree:
        if self.mode in ("read", "write"):
            limited = (self.bytes, self.files) != (None, None)
            return HostTree(self.host, readonly=self.mode == "read", quota=self.quota() if limited else None)
        return MemoryTree(quota=self.quota()) if self.mode == "memory" else OverlayTree(self.host, quota=self.quota())

    def is_within(self, other: Dir) -> bool:
        same = (self.guest, self.host) == (other.guest, other.host) and self.mode in NARROWER[other.mode]
        return same and not_more(self.bytes, other.bytes) and not_more(self.files, other.files)

    def explain(self) -> str:
        words = MODES[self.mode].format(host=self.host, guest=self.guest)
        quota = self.quota()
        limits = [f"{n} {unit}" for n, unit in ((quota.bytes, "bytes"), (quota.files, "new files")) if n is not None]
        return ", at most ".join([words, *([" and ".join(limits)] if limits else [])])


def not_more(value: float | None, other: float | None) -> bool:
    """Whether a limit is no looser than another; None is no limit."""
    return other is None or (value is not None and value <= other)


@dataclass(frozen=True)
class Policy:
    """Everything that a guest may reach; the default is nothing but the clocks and randomness of the system.

        policy = Policy.from_toml(text)
        print(policy.explain())

    `streams` are those of this process that the guest uses. `clock` is "system" or "fake", `random` "system" or a seed. `limits` has fuel,
    timeout (seconds), memory_pages, table_entries, call_depth and heap.

    Fails   PolicyError, a ValueError, for what means nothing
    """

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    dirs: tuple[Dir, ...] = ()
    streams: frozenset[str] = frozenset()
    clock: str = "system"
    random: str | int = "system"
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.clock not in ("system", "fake"):
            raise PolicyError(f"the clock is system or fake, not {self.clock!r}", ("clock",))
        if self.random != "system" and not is_whole(self.random):
            raise PolicyError(f"random is system or a number, not {self.random!r}", ("random",))
        for name in self.streams:
            if name not in STREAMS:
                raise PolicyError(f"a stream is {', '.join(STREAMS)}, not {name!r}", ("streams",))
        for name, value in self.limits.items():
            check_limit(name, value)
        for arg in self.args:
            if "\0" in arg:
                raise PolicyError(f"a NUL ends an argument, and cannot be in one: {arg!r}", ("args",))
        for name, variable in self.env.items():
            if not name or "=" in name or "\0" in name + variable:
                raise PolicyError(f"there is no variable like {f'{name}={variable}'!r}", ("env", name))
        self._check_places()

    def _check_places(self) -> None:
        for text in self.connect:
            try:
                Destination.parse(text)
            except ValueError as error:
                raise PolicyError(str(error), ("net", "connect")) from None
        guests = [entry.guest for entry in self.dirs]
        for i, guest in enumerate(guests):
            if guest in guests[:i]:
                raise PolicyError(f"two directories are lent under the same path: {guest}", ("dir", i, "guest"))

    # As TOML

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """Fails   PolicyError, which says where"""
        found = read(text)
        try:
            return cls._from_data(found)
        except PolicyError as error:
            raise PolicyError(error.message, error.key, place_of(text, error.key)) from None

    @classmethod
    def _from_data(cls, found: dict[str, Any]) -> Policy:
        net = table(found, "net")
        policy = cls(
            args=strings(found, "args"),
            env={name: typed(value, str, ("env", name)) for name, value in table(found, "env").items()},
            dirs=tuple(directory(entry, i) for i, entry in enumerate(typed(found.pop("dir", []), list, ("dir",)))),
            streams=frozenset(strings(found, "streams")),
            clock=typed(found.pop("clock", "system"), str, ("clock",)),
            random=found.pop("random", "system"),
            listen=strings(net, "listen", "net"),
            connect=strings(net, "connect", "net"),
            limits={name: typed(value, (int, float), ("limits", name)) for name, value in table(found, "limits").items()},
        )
        for key in (*((name,) for name in found), *(("net", name) for name in net)):
            raise PolicyError(f"a policy has nothing called {dotted(key)!r}", key)
        return policy

    def to_toml(self) -> str:
        """The same policy as text; `from_toml` reads it."""
        lines = [f"args = {quoted(self.args)}"] if self.args else []
        lines += [f"streams = {quoted(sorted(self.streams))}"] if self.streams else []
        lines += [f"clock = {quoted(self.clock)}", f"random = {quoted(self.random)}"]
        for name, values in (("env", self.env), ("limits", self.limits)):
            lines += ["", f"[{name}]", *(f"{quoted(key)} = {quoted(value)}" for key, value in values.items())] if values else []
        if self.listen or self.connect:
            lines += ["", "[net]", f"listen = {quoted(self.listen)}", f"connect = {quoted(self.connect)}"]
        for entry in self.dirs:
            given = {part.name: getattr(entry, part.name) for part in fields(entry)}
            lines += ["", "[[dir]]", *(f"{name} = {quoted(value)}" for name, value in given.items() if value not in (None, ""))]
        return "\n".join(lines) + "\n"

    # In words

    def explain(self) -> str:
        """A line for each thing that the guest may do; what is not there it may not."""
        yes = [f"arguments: {' '.join(self.args)}" if self.args else "no arguments"]
        yes.append(f"environment: {', '.join(f'{name}={value}' for name, value in self.env.items())}" if self.env else "no environment")
        yes += [f"use {name} of this process" for name in STREAMS if name in self.streams] or ["no stream of this process"]
        yes += [entry.explain() for entry in self.dirs] or ["no directory"]
        yes += [f"accept connections at {where}" for where in self.listen]
        yes += [f"connect to {where}" for where in self.connect]
        yes += [] if self.listen or self.connect else ["no network"]
        yes.append("clocks of the system" if self.clock == "system" else "clocks that move only when they are read")
        yes.append("random bytes of the system" if self.random == "system" else f"random bytes of the seed {self.random}")
        yes += [f"{name}: at most {value}" for name, value in self.limits.items()]
        return "\n".join(yes)

    # As things

    def trees(self) -> dict[str, Tree]:
        return {entry.guest: entry.tree() for entry in self.dirs}

    def clocks(self) -> Clocks:
        return FakeClocks() if self.clock == "fake" else SystemClocks()

    def randomness(self) -> Randomness:
        return SystemRandomness() if self.random == "system" else SeededRandomness(self.random)

    def listeners(self) -> list[Listener]:
        """Fails   OSError"""
        return [Listener.parse(text) for text in self.listen]

    def network(self) -> Network:
        return Network(self.connect)

    def wider_than(self, other: Policy) -> str | None:
        """What this policy allows that the other does not; None when there is nothing."""
        for name in ("clock", "random"):
            if getattr(self, name) != getattr(other, name):
                return name
        if self.args not in ((), other.args):
            return "args"
        if not self.env.items() <= other.env.items():
            return "env"
        for name in ("streams", "listen", "connect"):
            if not set(getattr(self, name)) <= set(getattr(other, name)):
                return name
        loose = (name for name in LIMITS if not not_more(self.limits.get(name), other.limits.get(name)))
        wide = (f"dir {entry.guest}" for entry in self.dirs if not any(map(entry.is_within, other.dirs)))
        return next(itertools.chain(loose, wide), None)


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_limit(name: str, value: float) -> None:
    """Fails   PolicyError"""
    if name not in LIMITS:
        raise PolicyError(f"a limit is {', '.join(LIMITS)}, not {name!r}", ("limits", name))
    if name == "timeout" and not 0 < value <= threading.TIMEOUT_MAX:
        raise PolicyError(f"timeout is a number of seconds, not {value}", ("limits", name))
    if name != "timeout" and not (is_whole(value) and value >= 0):
        raise PolicyError(f"{name} is a whole number that is not negative, not {value}", ("limits", name))


def table(found: dict[str, Any], name: str) -> dict[str, Any]:
    entries: dict[str, Any] = typed(found.pop(name, {}), dict, (name,))
    return entries


def strings(found: dict[str, Any], name: str, *above: str) -> tuple[str, ...]:
    key = (*above, name)
    return tuple(typed(entry, str, key) for entry in typed(found.pop(name, []), list, key))


def typed(value: Any, kind: type | tuple[type, ...], key: Key) -> Any:
    """Fails   PolicyError for a value of another type"""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = next((WORDS[name] for name in (dotted(key), key[0]) if name in WORDS), KINDS.get(kind, "something else"))
        raise PolicyError(f"{dotted(key)} cannot be {value!r}; it is {words}", key)
    return value


def dotted(key: Key) -> str:
    return ".".join(part for part in key if isinstance(part, str))


def directory(entry: Any, i: int) -> Dir:
    known = [part.name for part in fields(Dir)]
    given = typed(entry, dict, ("dir", i))
    for name, value in given.items():
        if name not in known:
            raise PolicyError(f"a dir has nothing called {name!r}", ("dir", i, name))
        typed(value, int if name in ("bytes", "files") else str, ("dir", i, name))
    if "guest" not in given:
        raise PolicyError("a dir has a guest: the path under which it is lent", ("dir", i))
    try:
        return Dir(**given)
    except PolicyError as error:
        raise PolicyError(error.message, ("dir", i, *error.key)) from None


def quoted(value: object) -> str:
    """A value in TOML; strings, numbers and lists of them are written there as in JSON."""
    return json.dumps(list(value) if isinstance(value, tuple | list) else value, ensure_ascii=False)

