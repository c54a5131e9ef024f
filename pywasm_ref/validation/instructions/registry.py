"""Which function states the typing rule of which form of instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pywasm_ref.syntax.instructions import Instr, Instrs
from pywasm_ref.validation.context import Checker

Rule = Callable[[Checker, Any], Instrs | None]
"""Checks an instruction against the stacks. One that enters a block answers with the body, to be checked next."""
F = TypeVar("F", bound=Rule)

RULES: dict[type[Instr], Rule] = {}
CLAIMS: dict[str, Rule] = {}
"""Rules of the formal specification, with the one function that states each."""


def types(form: type[Instr], *rules: str) -> Callable[[F], F]:
    """Register a function as the typing rule of a form, under the names that the formal specification has for it."""

    def register(function: F) -> F:
        twice = [rule for rule in rules if rule in CLAIMS]
        if twice or form in RULES:
            raise ValueError(f"claimed twice: {form.__name__} {twice}")
        RULES[form] = function
        CLAIMS.update(dict.fromkeys(rules, function))
        return function

    return register
