"""Which function states the typing rule of which form of instruction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pywasm_ref.features import Feature, Features
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Instr, Instrs
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.gates import require

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


@lru_cache(maxsize=64)
def rules_of(features: Features) -> Mapping[type[Instr], Rule]:
    """The typing rules where only these features are on: an instruction of any other is refused."""
    needed: dict[type[Instr], set[Feature]] = {}
    for op in OPS:
        needed.setdefault(op.form, set()).add(op.feature)
    return {form: rule if features >= needed.get(form, set()) else gated(rule) for form, rule in RULES.items()}


def gated(rule: Rule) -> Rule:
    """The rule, for a form of which some instructions came with a feature that is off."""

    def checked(c: Checker, i: Instr) -> Instrs | None:
        require(c.context.features, i.op.feature, i.op.mnemonic)
        return rule(c, i)

    return checked
