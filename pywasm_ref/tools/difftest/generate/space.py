"""What a module under construction has, besides code: its index spaces, and how its imports, segments and globals come about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pywasm_ref.features import Feature
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Expr, Instr, Op
from pywasm_ref.syntax.modules import Active, Data, Elem, Global, Import, Mem, Mode, Table, Tag
from pywasm_ref.syntax.types import (
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    V128,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    NumType,
    PackType,
    RefType,
    StorageType,
    StructType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.tools.difftest.generate import operands
from pywasm_ref.tools.difftest.generate.choices import Choices
from pywasm_ref.tools.difftest.generate.profile import Profile
from pywasm_ref.tools.difftest.generate.types import H, Types
from pywasm_ref.tools.difftest.observe import THROWS, TRAPS

OP: dict[str, Op] = {op.mnemonic: op for op in reversed(OPS)}
"""Rows by name; of those that share a name, the first."""

CONST: dict[ValType, Op] = {t: OP[f"{t.value}.const"] for t in (I32, I64, F32, F64, V128)}
PAGE = 65_536
TABLE_SIZE = 8


def instr(op: Op, *immediates: object) -> Instr:
    """An instruction of a row, with the immediates that its form wants."""
    form: Callable[..., Instr] = op.form
    return form(op, *immediates)


def make(name: str, *immediates: object) -> Instr:
    return instr(OP[name], *immediates)


def const(t: ValType, bits: int) -> Instr:
    return instr(CONST[t], bits)


@dataclass(slots=True)
class Space:
    """The index spaces. Table 0 holds every function and is never changed, so that there are indirect calls that go well."""

    choices: Choices
    profile: Profile
    types: Types
    imports: list[Import] = field(default_factory=list)
    funcs: list[int] = field(default_factory=list)
    imported_funcs: int = 0
    tables: list[TableType] = field(default_factory=list)
    table_inits: list[Table] = field(default_factory=list)
    mems: list[MemType] = field(default_factory=list)
    mem_defs: list[Mem] = field(default_factory=list)
    globals: list[GlobalType] = field(default_factory=list)
    global_defs: list[Global] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    tag_defs: list[Tag] = field(default_factory=list)
    datas: list[Data] = field(default_factory=list)
    elems: list[Elem] = field(default_factory=list)
    fuel: int = 0
    tables_begun: bool = False

    def has(self, feature: Feature) -> bool:
        return self.profile.has(feature)

    # Building, in the order in which things may refer to each other

    def build(self) -> None:
        """Everything but code: types first, then functions, since constants may mention them."""
        for _ in range(self.choices.between(1, self.profile.funcs)):
            self.types.block(self._host_params(), self.types.results())
        self._import_things()
        self._functions()
        self._globals()
        self._memories()
        self._tables()
        self.tables_begun = False
        self._tags()
        self._segments()

    def _host_params(self) -> tuple[ValType, ...]:
        return tuple(self.host_type() for _ in range(self.choices.between(0, 4)))

    def host_type(self) -> ValType:
        """A type of which a host can make values: a number, or a reference that may be null."""
        plain = self.profile.plain_host or not self.has(Feature.REFERENCE_TYPES)
        if plain:
            return self.choices.weighted({t: n for t, n in self.types.numbers.items() if t is not V128})
        if self.choices.chance(85):
            return self.types.number()
        return self.choices.choose((RefType(True, H.EXTERN), FUNCREF))

    def _import_things(self) -> None:
        """Some of everything from the host; what is imported stands first in its index space."""
        if self.profile.fresh:
            return
        for _ in range(self.choices.between(0, 3)):
            x = self.types.block(self._host_params()[:3], tuple(self.host_type() for _ in range(self.choices.between(0, 1))))
            self.imports.append(Import("host", f"{self._host_name()}{len(self.funcs)}", FuncTypeUse(x)))
            self.funcs.append(x)
        self.imported_funcs = len(self.funcs)
        for _ in range(self.choices.between(0, 2)):
            gt = GlobalType(self.choices.chance(40), self.choices.weighted({t: n for t, n in self.types.numbers.items() if t is not V128}))
            self.imports.append(Import("host", f"global{len(self.globals)}", gt))
            self.globals.append(gt)
        if self.choices.chance(25):
            mt = MemType(I32, Limits(1, 3))
            self.imports.append(Import("host", "memory", mt))
            self.mems.append(mt)
        throwing = any(entry.name.startswith(THROWS) for entry in self.imports)
        if self.has(Feature.EXCEPTIONS) and (throwing or self.choices.chance(30)):
            x = self.types.block((I32,), ())
            self.imports.append(Import("host", "tag", TagType(x)))
            self.tags.append(x)

    def _host_name(self) -> str:
        """What a function of the host is called, which says whether it always comes back."""
        if self.profile.plain_host or not self.choices.chance(45):
            return "func"
        return THROWS if self.has(Feature.EXCEPTIONS) and self.choices.chance(65) else TRAPS

    def _functions(self) -> None:
        """A function of each type that refers to functions, so that each such reference has a value; others of types made for them."""
        known = self.types.of(FuncType)
        self.funcs += [x for x in known if x not in self.funcs]
        while len(self.funcs) - self.imported_funcs < self.profile.funcs:
            self.funcs.append(self.choices.choose(known))
        self.types.frozen = len(self.types.flat)

    def _globals(self) -> None:
        """Some globals, and the one that counts down while code runs."""
        for _ in range(self.choices.between(1, 6)):
            gt = GlobalType(self.choices.chance(75), self.types.value())
            self.global_defs.append(Global(gt, self.constant(gt.type)))
            self.globals.append(gt)
        self.fuel = len(self.globals)
        self.globals.append(GlobalType(True, I32))
        self.global_defs.append(Global(self.globals[-1], Expr((const(I32, self.profile.fuel),))))

    def _memories(self) -> None:
        several = self.has(Feature.MULTI_MEMORY)
        for _ in range(self.choices.between(1, 3) if several else 1 - len(self.mems)):
            addr = I64 if self.has(Feature.MEMORY64) and self.choices.chance(35) else I32
            pages = 0 if self.choices.chance(2) else self.choices.between(1, 2)
            mt = MemType(addr, Limits(pages, pages + self.choices.between(0, 3)))
            self.mems.append(mt)
            self.mem_defs.append(Mem(mt))

    def _tables(self) -> None:
        self.tables_begun = True
        self._table(TableType(I32, Limits(len(self.funcs), None), FUNCREF))
        if not self.has(Feature.REFERENCE_TYPES):
            return
        for _ in range(self.choices.between(0, 3)):
            addr: NumType = I64 if self.has(Feature.MEMORY64) and self.choices.chance(30) else I32
            elem = self.types.reference()
            size = TABLE_SIZE + self.choices.below(4)
            self._table(TableType(addr, Limits(size, size + self.choices.below(6)), elem))

    def _table(self, tt: TableType) -> None:
        """A table; with an initial value where there is no null, or where one may be given."""
        may_be_given = len(self.tables) > 0 and self.has(Feature.FUNCTION_REFERENCES)
        given = not tt.elem.null or (may_be_given and self.choices.chance(40))
        self.tables.append(tt)
        self.table_inits.append(Table(tt, self.constant(tt.elem) if given else None))

    def _tags(self) -> None:
        if self.has(Feature.EXCEPTIONS):
            for _ in range(self.choices.between(1, 3)):
                x = self.types.block(tuple(self.types.value() for _ in range(self.choices.between(0, 3))), ())
                self.tags.append(x)
                self.tag_defs.append(Tag(TagType(x)))

    def _segments(self) -> None:
        """Element segment 0 fills table 0 and declares every function. Other segments are passive, or active where they fit."""
        everything = tuple(Expr((make("ref.func", x),)) for x in range(len(self.funcs)))
        self.elems.append(Elem(RefType(False, H.FUNC), everything, Active(0, Expr((const(I32, 0),)))))
        bulk = self.has(Feature.BULK_MEMORY)
        for _ in range(self.choices.between(0, 2) + bulk):
            data = bytes(self.choices.below(256) for _ in range(self.choices.between(8, 40)))
            mode = Mode.PASSIVE if bulk and self.choices.chance(70) else self._active_data()
            self.datas.append(Data(data, mode))
        if self.has(Feature.REFERENCE_TYPES):
            for _ in range(self.choices.between(1, 3)):
                self._elem()

    def _active_data(self) -> Active | Mode:
        filled = [x for x, mt in enumerate(self.mems) if mt.limits.min]
        if not filled:
            return Active(0, Expr((const(self.mems[0].addr, PAGE * 9),)))
        x = self.choices.choose(filled)
        return Active(x, self._offset(self.mems[x].addr, 64))

    def _offset(self, addr: NumType, most: int) -> Expr:
        if self.has(Feature.EXTENDED_CONST) and self.choices.chance(30):
            sides = (const(addr, self.choices.below(most // 2)), const(addr, self.choices.below(most // 2)))
            return Expr((*sides, make(f"{addr.value}.add")))
        return Expr((const(addr, self.choices.below(most)),))

    def _elem(self) -> None:
        """A segment of some table's type, passive more often than active; the last one may be dropped by code."""
        x = self.choices.below(len(self.tables))
        elem = self.tables[x].elem if x else self.types.reference()
        inits = tuple(self.constant(elem) for _ in range(self.choices.between(2, 6)))
        active = x > 0 and self.choices.chance(30)
        self.elems.append(Elem(elem, inits, Active(x, self._offset(self.tables[x].addr, 3)) if active else Mode.PASSIVE))

    # Constant expressions

    def constant(self, t: ValType) -> Expr:
        return Expr(tuple(self._constant(t)))

    def _constant(self, t: ValType, inside: bool = False) -> list[Instr]:
        if isinstance(t, RefType):
            return self._constant_reference(t, inside)
        usable = [x for x, imported in enumerate(self.globals) if imported == GlobalType(False, t) and self._readable(x)]
        if usable and self.choices.chance(40):
            return [make("global.get", self.choices.choose(usable))]
        if self.has(Feature.EXTENDED_CONST) and t in (I32, I64) and self.choices.chance(25):
            op = self.choices.choose(("add", "sub", "mul"))
            return [*self._constant(t), *self._constant(t), make(f"{t.value}.{op}")]
        return [const(t, operands.number(self.choices, t))]

    def _readable(self, x: int) -> bool:
        """Before the garbage collector came, constants could read imported globals only; those of tables still do."""
        return (self.has(Feature.GC) and not self.tables_begun) or x < len(self.globals) - len(self.global_defs)

    def _constant_reference(self, t: RefType, inside: bool) -> list[Instr]:
        """What stands inside of a structure or array is null where it may be: types refer to each other in circles."""
        if t.null and (inside or self.choices.chance(40)):
            return [make("ref.null", t.heap)]
        heap = t.heap
        if isinstance(heap, int):
            return self._constant_defined(heap)
        if heap is H.FUNC:
            return [make("ref.func", self.choices.below(len(self.funcs)))]
        if heap in (H.I31, H.EQ, H.ANY, H.STRUCT, H.ARRAY) and self.types.gc:
            if heap is H.STRUCT or (heap is not H.I31 and heap is not H.ARRAY and self.choices.chance(30)):
                return self._constant_defined(0)
            if heap is H.ARRAY:
                return self._constant_defined(1)
            return [*self._constant(I32), make("ref.i31")]
        if heap is H.EXTERN and self.types.gc:
            return [*self._constant(I32), make("ref.i31"), make("extern.convert_any")]
        return [make("ref.null", heap)]

    def _constant_defined(self, x: int) -> list[Instr]:
        comp = self.types.comp(x)
        if isinstance(comp, FuncType):
            return [make("ref.func", self.choices.choose(self.funcs_of(x)))]
        if isinstance(comp, StructType):
            parts = [part for f in comp.fields for part in self._constant(unpacked(f.storage), True)]
            return [*parts, make("struct.new", x)]
        n = self.choices.between(1, 4)
        parts = [part for _ in range(n) for part in self._constant(unpacked(comp.field.storage), True)]
        return [*parts, make("array.new_fixed", x, n)]

    def funcs_of(self, x: int) -> list[int]:
        """The functions whose type is x or declares it above itself."""
        return [f for f, y in enumerate(self.funcs) if self.types.below(y, x)]

    # What is where

    def globals_of(self, t: ValType) -> list[int]:
        """Globals that can be read where t is wanted."""
        return [x for x, gt in enumerate(self.globals) if x != self.fuel and self.types.match(gt.type, t)]

    def targets_of(self, t: ValType) -> list[int]:
        """Globals that a value of type t can be written to."""
        return [x for x, gt in enumerate(self.globals) if x != self.fuel and gt.mut and self.types.match(t, gt.type)]


def unpacked(t: StorageType) -> ValType:
    return I32 if isinstance(t, PackType) else t
