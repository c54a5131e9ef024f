"""Known deviations of other engines: how to tell that a difference is one, and what the specification says.

A deviation is told by what it does, not by the words of a message alone, so that another fault beside it is still found.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pywasm_ref import binary
from pywasm_ref.errors import Malformed, WasmError
from pywasm_ref.features import Feature, Features
from pywasm_ref.tools.difftest import texts
from pywasm_ref.tools.difftest.compare import Difference
from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.validation import validate

MOST_SIGNS = 8
EMPTY_TYPE = re.compile(r"\(\s*(?:param|result)\s*\)")

ON_FOR_GOOD = frozenset((Feature.SIGN_EXTENSION, Feature.SATURATING_FLOAT_TO_INT, Feature.MUTABLE_GLOBALS, Feature.EXTENDED_CONST))
ALWAYS_ON = "wasmtime cannot turn off the feature without which the module is none, as sign extension"

Deviation = Callable[[str, Answer], bool]
"""Whether an answer to a text comes from the deviation."""


def reason(job: Job, difference: Difference, answer: Answer) -> str:
    """Why the second engine is known to give that answer; nothing where that is not known."""
    if not difference.second.startswith("wasmtime"):
        return ""
    if job.text is None:
        return ALWAYS_ON if answer.start.kind == "returned" and is_always_on(job) else ""
    return next((words for words, is_one in OF_WAT2WASM.items() if is_one(job.text, answer)), "")


def is_always_on(job: Job) -> bool:
    """Whether a binary is refused for want of features that wasmtime cannot turn off, and is right with them."""
    return not valid(job.data, job.features) and valid(job.data, job.features | ON_FOR_GOOD)


def valid(data: bytes, features: Features) -> bool:
    try:
        validate(binary.decode(data, features), features)
    except WasmError:
        return False
    return True


def confusing(source: str, answer: Answer) -> bool:
    return "confusing unicode" in answer.start.words


def empty(source: str, answer: Answer) -> bool:
    return answer.start.kind == "malformed" and accepted(f"(module){source}") is not None


def unreadable(source: str, answer: Answer) -> bool:
    """A text that nobody else takes, of which it makes a binary that nobody can read."""
    return answer.state.get("module", "").startswith(texts.UNREADABLE) and accepted(source) is None


def signed(source: str, answer: Answer) -> bool:
    """Without signs before unsigned integers, the text is right and has the meaning that was found."""
    for _ in range(MOST_SIGNS):
        try:
            return texts.meaning(texts.ours(source)) == answer.state.get("module")
        except Malformed as error:
            if error.at is None or source[error.at : error.at + 1] != "+":
                return False
            source = source[: error.at] + source[error.at + 1 :]
    return False


def empty_type(source: str, answer: Answer) -> bool:
    return "inline function type doesn't match" in answer.start.words and EMPTY_TYPE.search(source) is not None


def accepted(source: str) -> str | None:
    """What our parser makes of a text, if it takes it."""
    try:
        return texts.meaning(texts.ours(source))
    except WasmError:
        return None


OF_WAT2WASM: dict[str, Deviation] = {
    "wat2wasm refuses characters that may confuse readers; the specification allows them in strings and comments": confusing,
    "wat2wasm refuses a text without anything in it, which is a module": empty,
    "wat2wasm takes what is no text of WebAssembly 3.0, and writes a binary that is no module": unreadable,
    "wat2wasm takes a sign before an unsigned integer, which has none": signed,
    "wat2wasm compares an empty (param) or (result) with the type that is named; it stands for nothing": empty_type,
}
