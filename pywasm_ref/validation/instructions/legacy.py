"""Legacy exception instructions: `try` with its clauses, and `rethrow`.

Spec    https://github.com/WebAssembly/exception-handling, legacy/exceptions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Instrs, LegacyCatch
from pywasm_ref.validation.context import Checker, Clause
from pywasm_ref.validation.instructions.registry import types


@types(form.Try)
def try_(c: Checker, i: form.Try) -> Instrs:
    """The label of `delegate` is one around the block."""
    params, results = c.blocktype(i.type)
    c.pop_vals(params)
    if i.delegate is not None:
        c.frame(i.delegate)
    c.enter(results, params, results, [catch(c, clause) for clause in i.catches])
    return i.body


def catch(c: Checker, clause: LegacyCatch) -> Clause:
    """A clause starts with the arguments of its tag on the stack.

    Fails   Invalid  "unknown tag"
    """
    return Clause(() if clause.tag is None else c.tag(clause.tag).params, clause.body, catching=True)


@types(form.Rethrow)
def rethrow(c: Checker, i: form.Rethrow) -> None:
    """The label names a `try` in one of whose catches this stands."""
    if not c.frame(i.label).catching:
        raise Invalid(f"invalid rethrow label {i.label}")
    c.unreachable()
