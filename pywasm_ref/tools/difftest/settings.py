"""What a campaign does: the engines, the kinds of work, and the shards that these come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.generate import PROFILES
from pywasm_ref.tools.difftest.opcodes import possible
from pywasm_ref.tools.difftest.peers import KINDS, kind
from pywasm_ref.tools.difftest.shards import FIRST_SIZE, FRESH_SIZE, SIZE, Shard, name_of
from pywasm_ref.tools.difftest.work import BROKEN, USUAL, WORK, corpus_files


@dataclass(frozen=True, slots=True)
class Settings:
    """What a campaign does.

    Units   `seconds` of wall-clock time, `most` in jobs of each kind of work and release; None for no end
    """

    engines: tuple[str, ...] = ("reference", "fast", "wasmtime")
    releases: tuple[str, ...] = ("1.0", "2.0", "3.0")
    work: tuple[str, ...] = USUAL
    seed: int = 0
    seconds: float | None = None
    most: int | None = None
    jobs: int = 1
    corpus: str = ""
    reduce_seconds: float = 60.0
    bounds: Bounds = BOUNDS

    def identity(self) -> dict[str, Any]:
        """What must be the same for one campaign to go on as another."""
        return {
            "engines": list(self.engines),
            "releases": list(self.releases),
            "work": list(self.work),
            "seed": self.seed,
            "corpus": self.corpus,
            **({"files": self._files()} if self.corpus else {}),
        }

    def _files(self) -> str:
        """What tells a corpus from one in which something has changed: a number stands for a file by its place among them."""
        known = blake2b(digest_size=10)
        for name in corpus_files(self.corpus):
            known.update(f"{name} {Path(name).stat().st_size}\n".encode(errors="surrogateescape"))
        return known.hexdigest()

    def fresh(self) -> bool:
        """Whether a program is started for each call."""
        return any(kind(name).fresh for name in self.engines)

    def names(self) -> tuple[str, ...]:
        """Each kind of work in each release, as figures name it."""
        if self.corpus:
            return (name_of("corpus", self.releases[-1]),)
        return tuple(name_of(work, release) for work in self.work for release in self.releases)

    def opcodes(self) -> frozenset[str]:
        """The instructions that this campaign can execute and count."""
        runs = self.corpus or any(work in WORK and work not in BROKEN for work in self.work)
        if not runs or not any(kind(name).watched for name in self.engines):
            return frozenset()
        return possible(frozenset().union(*(PROFILES[release].features for release in self.releases)))

    def shards(self) -> Iterator[Shard]:
        """All shards in order: each kind of work in each release by turns, of each a few first; of a corpus, its files in order."""
        size = FRESH_SIZE if self.fresh() else SIZE
        if self.corpus:
            files = len(corpus_files(self.corpus))
            yield from (Shard("corpus", self.releases[-1], first, min(size, files - first), self.corpus) for first in range(0, files, size))
            return
        first, count = self.seed, min(size, FIRST_SIZE)
        while (end := self.seed + self.most if self.most is not None else first + count) > first:
            count = min(count, end - first)
            for work in self.work:
                for release in self.releases:
                    yield Shard(work, release, first, count)
            first, count = first + count, size


def engines_named(text: str) -> tuple[str, ...]:
    """Engines in a list with commas, which commands may have, too."""
    names: list[str] = []
    for part in text.split(","):
        if names and names[-1].startswith("cmd:") and part.strip().partition(":")[0] not in KINDS:
            names[-1] += f",{part}"
        else:
            names.append(part.strip())
    return tuple(name for name in names if name)
