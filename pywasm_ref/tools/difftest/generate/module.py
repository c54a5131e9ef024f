"""A whole module, and the calls to make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from pywasm_ref import binary
from pywasm_ref.features import Features
from pywasm_ref.syntax.instructions import Expr, Instrs
from pywasm_ref.syntax.modules import Export, ExternKind, Func, Module
from pywasm_ref.syntax.types import I32, V128, RefType, ValType
from pywasm_ref.tools.difftest.generate import control, memories, operands, references  # noqa: F401  their import registers the emitters
from pywasm_ref.tools.difftest.generate.body import Body, Menu
from pywasm_ref.tools.difftest.generate.choices import Choices, Seeded
from pywasm_ref.tools.difftest.generate.nans import canonical
from pywasm_ref.tools.difftest.generate.profile import Profile
from pywasm_ref.tools.difftest.generate.space import Space, const, make
from pywasm_ref.tools.difftest.generate.types import H, Types
from pywasm_ref.tools.difftest.jobs import Argument, Call, Job

RESET = "reset"
"""The exported function that fills up the fuel."""

UNREACHABLE: Instrs = (make("unreachable"),)
"""The body of a function that plays no part any more."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A valid module, and calls of its exports, each with so much fuel. With `canonical`, NaNs are made canonical in what an engine gets
    to see."""

    module: Module
    calls: tuple[Call, ...]
    features: Features
    canonical: bool
    fuel: int | None = None

    def job(self) -> Job:
        data = binary.encode(canonical(self.module) if self.canonical else self.module)
        return Job(data, self.calls, self.features, fuel=self.fuel)

    def size(self) -> int:
        """The number of instructions in functions that do more than trap."""
        return sum(count(func.body.body) for func in self.module.funcs if func.body.body != UNREACHABLE)


def count(instrs: Instrs) -> int:
    """Instructions, nested ones included."""
    return len(instrs) + sum(count(getattr(i, name)) for i in instrs for name in ("body", "then", "orelse") if hasattr(i, name))


@lru_cache(maxsize=32)
def menu_of(features: Features, relaxed: bool) -> Menu:
    return Menu(features, relaxed)


def seeded(seed: int, profile: Profile) -> Generated:
    """The module of that number: the same on every machine."""
    return generate(Seeded(seed), profile)


def generate(choices: Choices, profile: Profile) -> Generated:
    """A module as the choices go."""
    space = Space(choices, profile, Types(choices, profile))
    space.build()
    menu = menu_of(profile.features, profile.relaxed)
    defined = space.funcs[space.imported_funcs :]
    funcs = [Body(space, menu, space.types.func(x)).function(x) for x in defined]
    funcs.append(_reset(space))
    start = _start(space)
    return Generated(_assemble(space, funcs, start), _calls(space), profile.features, profile.canonical)


def _reset(space: Space) -> Func:
    body = (const(I32, space.profile.fuel), make("global.set", space.fuel))
    return Func(space.types.block((), ()), (), Expr(body))


def _start(space: Space) -> int | None:
    """Sometimes a function without parameters and results, to run at once."""
    fitting = [
        f
        for f, x in enumerate(space.funcs)
        if f >= space.imported_funcs and not space.types.func(x).params and not space.types.func(x).results
    ]
    return space.choices.choose(fitting) if fitting and space.choices.chance(25) else None


def callable_functions(space: Space) -> list[int]:
    """Functions whose parameters a host can give; to a plain one, they give numbers only, too."""
    found = []
    for f, x in enumerate(space.funcs):
        t = space.types.func(x)
        plain = not any(isinstance(u, RefType) or u is V128 for u in (*t.params, *t.results))
        if f >= space.imported_funcs and all(map(_from_host, t.params)) and (plain or not space.profile.plain_host):
            found.append(f)
    return found


def _from_host(t: ValType) -> bool:
    return not isinstance(t, RefType) or t.null


def _exports(space: Space) -> tuple[Export, ...]:
    exports = [Export(f"func{f}", ExternKind.FUNC, f) for f in callable_functions(space)]
    exports.append(Export(RESET, ExternKind.FUNC, len(space.funcs)))
    exports += [Export(f"memory{x}", ExternKind.MEM, x) for x in range(len(space.mems))]
    exports += [Export(f"table{x}", ExternKind.TABLE, x) for x in range(len(space.tables))]
    exports += [Export(f"global{x}", ExternKind.GLOBAL, x) for x in range(len(space.globals))]
    exports += [Export(f"tag{x}", ExternKind.TAG, x) for x in range(len(space.tags))]
    return tuple(exports)


def _assemble(space: Space, funcs: list[Func], start: int | None) -> Module:
    return Module(
        types=tuple(space.types.groups),
        imports=tuple(space.imports),
        tags=tuple(space.tag_defs),
        globals=tuple(space.global_defs),
        mems=tuple(space.mem_defs),
        tables=tuple(space.table_inits),
        funcs=tuple(funcs),
        datas=tuple(space.datas),
        elems=tuple(space.elems),
        start=start,
        exports=_exports(space),
    )


def _calls(space: Space) -> tuple[Call, ...]:
    """Each function a few times, with the fuel filled up before each call."""
    calls = []
    for f in callable_functions(space):
        for _ in range(space.profile.calls):
            if not space.profile.fresh:
                calls.append(Call(RESET, ()))
            calls.append(Call(f"func{f}", tuple(_argument(space.choices, t) for t in space.types.func(space.funcs[f]).params)))
    return tuple(calls)


def _argument(choices: Choices, t: ValType) -> Argument:
    """A number, or a reference that the host makes: null, or one of its own where it can be given."""
    if not isinstance(t, RefType):
        return operands.number(choices, t)
    return f"extern {choices.below(4)}" if t.heap is H.EXTERN and choices.chance(70) else None
