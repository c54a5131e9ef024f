"""The engines that can take part, by name. What an engine needs is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pywasm_ref.embedding import selection
from pywasm_ref.tools.difftest import texts
from pywasm_ref.tools.difftest.compare import Ability
from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.difftest.opcodes import watched


class Peer(Protocol):
    """An engine in this process that does a job."""

    def run(self, job: Job) -> Answer: ...


class Ours:
    """An engine of this package, chosen by its name; what follows a colon tells several of one engine apart."""

    def __init__(self, name: str) -> None:
        self.engine = selection.engine(name.partition(":")[0])

    def run(self, job: Job) -> Answer:
        if job.text is not None:
            return texts.read(self.engine, texts.ours, job)
        answer = observe(self.engine, job)
        return watched(self.engine, job, answer) if job.watched else answer


@dataclass(frozen=True, slots=True)
class Kind:
    """How a peer is made from its full name, and what it can tell. Generated modules must leave a `portable` one no choice; one that is
    `watched` can tell what it executes; one that is `fresh` makes a new instance for each call."""

    make: Callable[[str], Peer]
    ability: Ability
    portable: bool = False
    watched: bool = False
    fresh: bool = False


def _late(module: str, attribute: str) -> Callable[[str], Peer]:
    """The peer of a module that is imported only when the peer is wanted."""

    def make(name: str) -> Peer:
        found: Callable[[str], Peer] = getattr(importlib.import_module(f"pywasm_ref.tools.difftest.{module}"), attribute)
        return found(name)

    return make


VAGUE = Ability(words=False, refusals=False, exact=False, fuel=False)
PLAIN = Ability(words=False, refusals=False, reasons=False, nans=False, state=False, fuel=False)
KINDS: Mapping[str, Kind] = {
    "reference": Kind(Ours, Ability(), watched=True),
    "fast": Kind(Ours, Ability()),
    "wasmtime": Kind(_late("wasmtime_peer", "peer"), VAGUE),
    "pywasm3": Kind(_late("outsiders", "Pywasm3"), PLAIN, portable=True),
    "pywasm": Kind(_late("outsiders", "Pywasm"), PLAIN, portable=True),
    "node": Kind(_late("outsiders", "Node"), PLAIN, portable=True),
    "cmd": Kind(_late("outsiders", "Command"), PLAIN, portable=True, fresh=True),
}
"""By the part of a name before the colon: `wasmtime:winch`, `cmd:wasm-interp {file} …`."""


def kind(name: str) -> Kind:
    """What is known of a peer.

    Fails   ValueError for a name that there is not
    """
    found = KINDS.get(name.partition(":")[0])
    if found is None:
        raise ValueError(f"there is no engine {name!r}; there are {', '.join(KINDS)}")
    return found


def peer(name: str) -> Peer:
    """The peer of that name, ready to work.

    Fails   ValueError for a name that there is not, ImportError for an engine that is not installed
    """
    return kind(name).make(name)
