"""Expressions: code walked in the order it is written, however deep it nests; and which code is constant.

Spec    valid/instructions.html#expressions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pywasm_ref.errors import Exhaustion, Invalid
from pywasm_ref.features import Feature, Features
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.types import ValType
from pywasm_ref.validation.context import WORK, Checker, Clause
from pywasm_ref.validation.instructions.registry import RULES, Rule, rules_of

Leave = Callable[[Checker], Clause | None]


def check(c: Checker, expr: Expr, rules: Mapping[type[Instr], Rule] | None = None, leave: Leave = Checker.leave) -> None:
    """Check an expression that the checker has been started for, by the rules of its features if there are no others.

    Fails   Invalid     by the rule of some instruction; the error says which, and stands at its place
            Exhaustion  when types are so long, and used so often, that checking would not end
    """
    rules = rules_of(c.context.features) if rules is None else rules
    c.work += WORK * len(expr.places)
    open_bodies = [iter(expr.body)]
    place = -1
    i: Instr | None = None
    try:
        while open_bodies:
            for i in open_bodies[-1]:
                place += 1
                body = rules[type(i)](c, i)
                if body is not None:
                    open_bodies.append(iter(body))
                    break
            else:
                i = None
                place += 1  # `end`, or what opens the next clause
                open_bodies.pop()
                clause = leave(c)
                if clause is not None:
                    open_bodies.append(iter(clause.body))
                    place -= clause.implied
    except (Invalid, Exhaustion) as error:
        at = expr.places[place] if place < len(expr.places) else None
        raise type(error)(f"{error.message} ({i.op.mnemonic if i else 'end'} in {c.where})", at) from None


class Recorder:
    """Notes what is known of the operand stack before each opcode of the linear code: entries stand as in `Expr.places`."""

    def __init__(self, features: Features) -> None:
        self.seen: list[tuple[ValType, ...]] = []
        self.rules = {key: self.watched(rule) for key, rule in rules_of(features).items()}
        self.implied = False

    def watched(self, rule: Rule) -> Rule:
        def record_and_check(c: Checker, i: Instr) -> Instrs | None:
            self.seen.append(tuple(c.vals))
            return rule(c, i)

        return record_and_check

    def leave(self, c: Checker) -> Clause | None:
        """An `else` that is not written has no opcode, so what ends it has been noted already."""
        if not self.implied:
            self.seen.append(tuple(c.vals))
        clause = c.leave()
        self.implied = clause is not None and clause.implied
        return clause


# Constant expressions


def check_element(c: Checker, expr: Expr, t: ValType) -> None:
    """Check an entry of an element segment; a function stood there before `ref.func` was an instruction.

    Fails   Invalid  as any constant expression does
    """
    check_constant(c, expr, t, RULES if len(expr.body) == 1 and isinstance(expr.body[0], form.RefFunc) else None)


def check_constant(c: Checker, expr: Expr, t: ValType, rules: Mapping[type[Instr], Rule] | None = None) -> None:
    """Check an expression that is computed when the module is instantiated.

    Fails   Invalid  "constant expression required", or as any expression does
    Spec    valid/instructions.html#constant-expressions
    """
    for place, i in enumerate(expr.body):
        try:
            require_constant(c, i)
        except Invalid as error:
            error.at = expr.places[place] if place < len(expr.places) else None
            raise
    c.start("constant expression", 0, (), (t,))
    check(c, expr, rules)


ALWAYS_CONSTANT = frozenset(
    {
        form.Const,
        form.VConst,
        form.RefNull,
        form.RefFunc,
        form.RefI31,
        form.StructNew,
        form.StructNewDefault,
        form.ArrayNew,
        form.ArrayNewDefault,
        form.ArrayNewFixed,
        form.AnyConvertExtern,
        form.ExternConvertAny,
    }
)
EXTENDED = frozenset({"i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul"})


def require_constant(c: Checker, i: Instr) -> None:
    """Fails   Invalid  "constant expression required", "unknown global" """
    if type(i) in ALWAYS_CONSTANT:
        return
    features = c.context.features
    if isinstance(i, form.GlobalGet):
        t = c.global_(i.index)
        if i.index >= c.context.imported_globals and Feature.GC not in features:
            raise Invalid(f"unknown global {i.index}: only imported globals are constant without the feature gc")
        if not t.mut:
            return
    elif i.op.mnemonic in EXTENDED and Feature.EXTENDED_CONST in features:
        return
    raise Invalid(f"constant expression required: {i.op.mnemonic} is not constant")
