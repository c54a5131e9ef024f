"""What is asked of an engine and what it answers, as plain data that goes through a pipe and into a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pywasm_ref.features import WASM_3, Feature, Features

FUEL = "of fuel"
"""The words of an exhaustion that came when it had to."""

Argument = int | str | None
"""The bits of a number; None for null; `extern n` for a reference to something of the host."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an export."""

    name: str
    args: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A module, and what to do with it: nothing but to say whether it is valid, when there are no calls and `instantiate` is off.

    An engine that can tell which instructions it executes is to tell it when the job is `watched`. Of a `text`, it is to say what module
    that is, there being no other.

    Units   `fuel` in instructions for the start and for each call, None for no end; who cannot count runs on
    """

    data: bytes
    calls: tuple[Call, ...] = ()
    features: Features = WASM_3
    instantiate: bool = True
    watched: bool = False
    fuel: int | None = None
    text: str | None = None

    def plain(self) -> dict[str, Any]:
        return {
            "data": self.data.hex(),
            "calls": [[call.name, list(call.args)] for call in self.calls],
            "features": sorted(feature.value for feature in self.features),
            "instantiate": self.instantiate,
            "watched": self.watched,
            "fuel": self.fuel,
            "text": self.text,
        }

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Job:
        calls = tuple(Call(name, tuple(args)) for name, args in plain["calls"])
        features = frozenset(map(Feature, plain["features"]))
        rest = (plain[name] for name in ("instantiate", "watched", "fuel", "text"))
        return cls(bytes.fromhex(plain["data"]), calls, features, *rest)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How something ended: returned, trap, exception, exhaustion, malformed, invalid, unlinkable, unsupported, crash, hang or memory.

    `words` say more: the reason of a trap, the tag of an exception, the message of a refusal.
    """

    kind: str
    words: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.words, " ".join(self.values)) if part)


@dataclass(slots=True)
class Answer:
    """All that can be seen of a run: how the module came to life, every call, calls of the host, and what memories, globals and tables
    held in the end. `fuel` is what was left of it, where it is limited. `executed` is for whoever counts instructions; engines are not
    compared by it."""

    start: Outcome
    calls: list[Outcome] = field(default_factory=list)
    host: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)
    fuel: list[int] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Answer:
        def outcome(row: dict[str, Any]) -> Outcome:
            return Outcome(row["kind"], row["words"], tuple(row["values"]))

        outcomes = [outcome(row) for row in plain["calls"]]
        return cls(outcome(plain["start"]), outcomes, plain["host"], plain["state"], plain.get("fuel", []), plain.get("executed", []))
