"""Table instructions.

Spec    exec/instructions.html#table-instructions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.allocation import growtable, table_can_grow
from pywasm_ref.execution.instructions import bulk
from pywasm_ref.execution.instructions.memory import minus_one
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import Ref
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


def _get_case(z: Machine, i: form.TableGet) -> bool:
    return bool(z.values[-1] >= len(z.module.tables[i.table].refs))


@reduces(form.TableGet, "Step_read/table.get-val", "Step_read/table.get-oob", case=_get_case)
def table_get(z: Machine, i: form.TableGet) -> None:
    """Traps   "out of bounds table access"

    Spec    exec/instructions.html#exec-table-get
    """
    refs = z.module.tables[i.table].refs
    index = z.values[-1]
    if index >= len(refs):
        raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)
    z.values[-1] = refs[index]


def _set_case(z: Machine, i: form.TableSet) -> bool:
    return bool(z.values[-2] >= len(z.module.tables[i.table].refs))


@reduces(form.TableSet, "Step/table.set-val", "Step/table.set-oob", case=_set_case)
def table_set(z: Machine, i: form.TableSet) -> None:
    """Traps   "out of bounds table access"

    Spec    exec/instructions.html#exec-table-set
    """
    refs = z.module.tables[i.table].refs
    ref, index = z.values.pop(), z.values.pop()
    if index >= len(refs):
        raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)
    refs[index] = ref


@reduces(form.TableSize, "Step_read/table.size")
def table_size(z: Machine, i: form.TableSize) -> None:
    """Spec    exec/instructions.html#exec-table-size"""
    z.values.append(len(z.module.tables[i.table].refs))


def _grow_case(z: Machine, i: form.TableGrow) -> bool:
    return not table_can_grow(z.module.tables[i.table], z.values[-1])


@reduces(form.TableGrow, "Step/table.grow-succeed", "Step/table.grow-fail", case=_grow_case)
def table_grow(z: Machine, i: form.TableGrow) -> None:
    """The size before, or -1 when the table cannot grow.

    Spec    exec/instructions.html#exec-table-grow
    """
    table = z.module.tables[i.table]
    n, ref = z.values.pop(), z.values[-1]
    size = growtable(table, n, ref)
    z.values[-1] = minus_one(table.type.addr) if size is None else size


def _fill_case(z: Machine, i: form.TableFill) -> int:
    start, _, n = z.values[-3:]
    return 0 if start + n > len(z.module.tables[i.table].refs) else 2 if n else 1


@reduces(form.TableFill, "Step_read/table.fill-oob", "Step_read/table.fill-zero", "Step_read/table.fill-succ", case=_fill_case)
def table_fill(z: Machine, i: form.TableFill) -> None:
    """All steps of the rule at once.

    Traps   "out of bounds table access"  before anything is written
    Spec    exec/instructions.html#exec-table-fill
    """
    values = z.values
    n, ref, start = values.pop(), values.pop(), values.pop()
    refs = z.module.tables[i.table].refs
    check_bounds(refs, start, n)
    bulk.fill(z, refs, start, [ref], n)


def check_bounds(refs: Sequence[Ref], start: int, n: int) -> None:
    """Traps   "out of bounds table access"  when the range is not inside"""
    if start + n > len(refs):
        raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)


def _copy_case(z: Machine, i: form.TableCopy) -> int:
    target, source, n = z.values[-3:]
    tables = z.module.tables
    if target + n > len(tables[i.target].refs) or source + n > len(tables[i.source].refs):
        return 0
    return 1 if n == 0 else 2 if target <= source else 3


@reduces(
    form.TableCopy,
    "Step_read/table.copy-oob", "Step_read/table.copy-zero", "Step_read/table.copy-le", "Step_read/table.copy-gt",
    case=_copy_case,
)  # fmt: skip
def table_copy(z: Machine, i: form.TableCopy) -> None:
    """All steps of the rule at once; the ranges may overlap.

    Traps   "out of bounds table access"  before anything is written
    Spec    exec/instructions.html#exec-table-copy
    """
    values = z.values
    n, start, to = values.pop(), values.pop(), values.pop()
    target, source = z.module.tables[i.target].refs, z.module.tables[i.source].refs
    check_bounds(target, to, n)
    check_bounds(source, start, n)
    bulk.copy(z, target, to, source, start, n)


def _init_case(z: Machine, i: form.TableInit) -> int:
    to, start, n = z.values[-3:]
    if to + n > len(z.module.tables[i.table].refs) or start + n > len(z.module.elems[i.elem].refs):
        return 0
    return 2 if n else 1


@reduces(form.TableInit, "Step_read/table.init-oob", "Step_read/table.init-zero", "Step_read/table.init-succ", case=_init_case)
def table_init(z: Machine, i: form.TableInit) -> None:
    """All steps of the rule at once.

    Traps   "out of bounds table access"  before anything is written
    Spec    exec/instructions.html#exec-table-init
    """
    values = z.values
    n, start, to = values.pop(), values.pop(), values.pop()
    target, source = z.module.tables[i.table].refs, z.module.elems[i.elem].refs
    check_bounds(target, to, n)
    check_bounds(source, start, n)
    bulk.copy(z, target, to, source, start, n)


@reduces(form.ElemDrop, "Step/elem.drop")
def elem_drop(z: Machine, i: form.ElemDrop) -> None:
    """Spec    exec/instructions.html#exec-elem-drop"""
    z.module.elems[i.elem].refs = []
