"""Texts: whether a parser takes one, and which module it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b

from pywasm_ref import binary, text
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.errors import WasmError
from pywasm_ref.features import ALL
from pywasm_ref.source import Source
from pywasm_ref.syntax.modules import Names
from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome

UNREADABLE = "cannot be read"

Parser = Callable[[str], bytes]
"""From a text to a binary.

Fails   WasmError
"""


def read(engine: Engine, parser: Parser, job: Job) -> Answer:
    """Whether the text is taken; if it is, what the module is and whether the engine finds it valid."""
    try:
        data = parser(job.text or "")
    except WasmError as error:
        return Answer(Outcome("malformed", error.message))
    return Answer(Outcome("returned"), state={"module": meaning(data), "validation": validity(engine, data, job)})


def ours(source: str) -> bytes:
    """Our own parser, with all features: which of them a module may use is asked of its binary."""
    return binary.encode(text.parse(Source("text", source), ALL))


def meaning(data: bytes) -> str:
    """The module without what is for people, as one that means the same has it, too."""
    try:
        module = binary.decode(data, ALL)
    except WasmError as error:
        return f"{UNREADABLE}: {error.message}"
    plain = text.print_module(replace(module, customs=(), names=Names()))
    return blake2b(plain.encode(), digest_size=10).hexdigest()


def validity(engine: Engine, data: bytes, job: Job) -> str:
    try:
        functions.module_validate(functions.module_decode(engine, data, job.features))
    except WasmError:
        return "refused"
    return "accepted"
