"""The kinds of work: what is to be done for a number, or for a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pywasm_ref import binary, text
from pywasm_ref.embedding import functions, selection
from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.modules import Module
from pywasm_ref.syntax.types import DefType, ExternType, FuncTypeUse, RefType
from pywasm_ref.tools.difftest.generate import PROFILES, Generated, Profile, Seeded, portable, seeded
from pywasm_ref.tools.difftest.jobs import Argument, Call, Job
from pywasm_ref.tools.difftest.mutate import bytes_mutant, text_mutant, words_mutant
from pywasm_ref.tools.difftest.noise import HANG_LIMIT, module_of_noise
from pywasm_ref.tools.difftest.peers import kind
from pywasm_ref.tools.difftest.single import single
from pywasm_ref.tools.difftest.twist import twisted
from pywasm_ref.validation.types import functype

FUEL = 1_000_000
"""For a call of a module from elsewhere, which may never end."""

SHORT = 1500
"""More than most calls of generated modules need."""

FEW = 8
"""Calls of a generated module where a program is started for each of them."""


def profile_for(release: str, engines: Sequence[str]) -> Profile:
    """The profile of a release that suits all these engines."""
    profile, kinds = PROFILES[release], [kind(name) for name in engines]
    profile = replace(profile, fresh=any(one.fresh for one in kinds))
    return portable(profile) if any(one.portable for one in kinds) else profile


# Work that comes from modules


def generated(seed: int, profile: Profile) -> Generated:
    """A module that ends by itself. Of four, one is metered, and of eight of these, one may run out of fuel."""
    whole = seeded(seed, profile)
    if seed % 4 != 3 or profile.fresh:
        return whole
    return replace(whole, fuel=random.Random(f"fuel {seed}").randint(1, SHORT) if seed % 32 == 31 else FUEL)


SOURCES: Mapping[str, Callable[[int, Profile], Generated]] = {"modules": generated, "single": single}
"""Work whose jobs come from a module, which can be made smaller."""


def made(work: str, seed: int, profile: Profile) -> Generated:
    """What such work makes for a number, with some of the calls only where each of them is the start of a program."""
    whole = SOURCES[work](seed, profile)
    if not profile.fresh:
        return whole
    choices, left = Seeded(f"calls {seed}"), list(whole.calls)
    return replace(whole, calls=tuple(left.pop(choices.below(len(left))) for _ in range(min(FEW, len(left)))))


# Work on what is not meant to run


def mutant(seed: int, profile: Profile) -> Job:
    """A generated module with wounds, to be accepted or refused: by turns in its bytes and in its instructions."""
    rng = random.Random(f"mutant {seed}")
    small = replace(profile, funcs=3, instructions=25)
    if seed % 2:
        return Job(binary.encode(twisted(rng, seeded(seed, small).module)), (), profile.features, instantiate=False)
    data = bytes_mutant(rng, seeded(seed, small).job().data, seeded(seed // 7, small).job().data)
    return Job(data, (), profile.features, instantiate=False)


def words(seed: int, profile: Profile) -> Job:
    """A generated module in the text format, with wounds: of four, three where words end, and one anywhere."""
    rng = random.Random(f"text {seed}")
    small = replace(profile, funcs=2, instructions=15)
    source, other = (text.print_module(seeded(n, small).module) for n in (seed, seed // 7))
    wounded = (words_mutant if seed % 4 else text_mutant)(rng, source, other)
    return Job(b"", (), profile.features, instantiate=False, text=wounded)


BROKEN: Mapping[str, Callable[[int, Profile], Job]] = {"mutants": mutant, "texts": words}


# Modules from elsewhere


def noise(seed: int, profile: Profile) -> Job:
    """What Binaryen makes of noise. Its modules count calls and rounds of loops themselves, and are told to begin anew before each call."""
    job = corpus_job(module_of_noise(seed, profile), profile)
    if not any(call.name == HANG_LIMIT for call in job.calls):
        return job
    return replace(job, calls=tuple(part for call in job.calls if call.name != HANG_LIMIT for part in (Call(HANG_LIMIT, ()), call)))


def corpus_job(data: bytes, profile: Profile) -> Job:
    """Call every export that a host can call, with zeros and with small numbers."""
    try:
        exports = functions.module_exports(functions.module_decode(selection.engine("reference"), data, profile.features))
    except WasmError:
        return Job(data, (), profile.features, instantiate=False)
    calls = [Call(name, args) for name, t in exports for args in arguments(t, profile)]
    return Job(data, tuple(calls), profile.features, fuel=FUEL)


def arguments(t: ExternType, profile: Profile) -> list[tuple[Argument, ...]]:
    """What to call something with: once or twice, or never where it is no function or wants what a host has not."""
    if not isinstance(t, FuncTypeUse) or not isinstance(t.type, DefType):
        return []
    params = functype(t.type).params
    if any(isinstance(p, RefType) and (profile.plain_host or not p.null) for p in params):
        return []
    return list(dict.fromkeys(tuple(None if isinstance(p, RefType) else n for p in params) for n in (0, 3)))


@lru_cache(maxsize=4)
def corpus_files(folder: str) -> tuple[str, ...]:
    """The modules of a folder, at any depth; or one module. Folders, pipes and links to nowhere may have such names, too."""
    if Path(folder).is_file():
        return (folder,)
    return tuple(sorted(str(path) for path in Path(folder).rglob("*.wasm") if path.is_file()))


# All of it

USUAL = ("modules", "mutants", "single")
WORK = (*SOURCES, *BROKEN, "noise")


def job_of(work: str, seed: int, profile: Profile, corpus: str) -> Job:
    """What is to be done for a seed, or for a file of a corpus."""
    return task(work, seed, profile, corpus)[0]


def task(work: str, seed: int, profile: Profile, corpus: str) -> tuple[Job, Module | None]:
    """The same with its module, where that can be read and is to be run."""
    if work in SOURCES:
        found = made(work, seed, profile)
        return found.job(), found.module
    if work in BROKEN:
        return BROKEN[work](seed, profile), None
    job = corpus_job(Path(corpus_files(corpus)[seed]).read_bytes(), profile) if corpus else noise(seed, profile)
    return job, binary.decode(job.data, job.features) if job.instantiate else None
