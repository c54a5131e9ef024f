"""The host of the lab as a module, so that a script meets the same one: its functions count their calls and give numbers that follow."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.modules import Export, ExternKind, Func, Global, Mem, Module, Table, Tag
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, FuncTypeUse, GlobalType, MemType, RefType, TableType, TagType, ValType
from pywasm_ref.tools.difftest.generate.space import const, make
from pywasm_ref.tools.difftest.observe import GLOBAL, THROWS, TRAPS, host_number

COUNTED = 0
"""The global that counts calls: -1 before the first, so that during a call it is the number that answers go by."""

STEP = host_number(I64, 1) - host_number(I64, 0)
FROM_I64: dict[ValType, tuple[Instr, ...]] = {
    I32: (make("i32.wrap_i64"),),
    I64: (),
    F32: (make("i32.wrap_i64"), make("f32.reinterpret_i32")),
    F64: (make("f64.reinterpret_i64"),),
    V128: (make("i64x2.splat"), const(V128, 2**64 - 1), make("v128.and")),
}
"""How the number of a call becomes a value of a type."""


def host_module(module: Module) -> Module | None:
    """A module with exports for all imports, None where there are none."""
    if not module.imports:
        return None
    counter = Global(GlobalType(True, I64), Expr((const(I64, 2**64 - 1),)))
    parts: dict[str, list[object]] = {"funcs": [], "globals": [counter], "mems": [], "tables": [], "tags": []}
    exports = []
    for entry in module.imports:
        name, kind, made = _provided(module, entry.name, entry.type)
        exports.append(Export(entry.name, kind, len(parts[name])))
        parts[name].append(made)
    return Module(types=module.types, exports=tuple(exports), **{name: tuple(made) for name, made in parts.items()})  # type: ignore[arg-type]


def _provided(module: Module, name: str, t: object) -> tuple[str, ExternKind, object]:
    match t:
        case FuncTypeUse(type=int() as x):
            return "funcs", ExternKind.FUNC, Func(x, (), Expr(_function(module, name, x)))
        case GlobalType():
            return "globals", ExternKind.GLOBAL, Global(t, Expr(_initial(t.type)))
        case MemType():
            return "mems", ExternKind.MEM, Mem(t)
        case TableType():
            return "tables", ExternKind.TABLE, Table(t)
        case TagType():
            return "tags", ExternKind.TAG, Tag(t)
    raise TypeError(f"nobody imports {t!r}")


def _initial(t: ValType) -> Instrs:
    return (make("ref.null", t.heap) if isinstance(t, RefType) else const(t, host_number(t, GLOBAL)),)


def _function(module: Module, name: str, x: int) -> Instrs:
    """Count, do not come back where it is the time for it, and give what is wanted."""
    counting = (make("global.get", COUNTED), const(I64, 1), make("i64.add"), make("global.set", COUNTED))
    _, results = _sides(module, x)
    return (*counting, *_ending(module, name), *_values(results))


def _ending(module: Module, name: str) -> Instrs:
    tag = next((entry.type for entry in reversed(module.imports) if isinstance(entry.type, TagType)), None)
    if name.startswith(TRAPS):
        return _at(4, (make("unreachable"),))
    if name.startswith(THROWS) and tag is not None and isinstance(tag.type, int):
        last = sum(isinstance(entry.type, TagType) for entry in module.imports) - 1
        return _at(2, (*_values(_sides(module, tag.type)[0]), make("throw", last)))
    return ()


def _at(period: int, then: Instrs) -> Instrs:
    """Code for the last of so many calls."""
    return (make("global.get", COUNTED), const(I64, period - 1), make("i64.and"), const(I64, period - 1), make("i64.eq"),
            make("if", None, then, ()))  # fmt: skip


def _values(types: Sequence[ValType]) -> Instrs:
    code: list[Instr] = []
    for t in types:
        if isinstance(t, RefType):
            code.append(make("ref.null", t.heap))
        else:
            code += [make("global.get", COUNTED), const(I64, STEP), make("i64.mul"), const(I64, 1), make("i64.add"), *FROM_I64[t]]
    return tuple(code)


def _sides(module: Module, x: int) -> tuple[Sequence[ValType], Sequence[ValType]]:
    comp = [sub.comp for group in module.types for sub in group.subtypes][x]
    return getattr(comp, "params", ()), getattr(comp, "results", ())
