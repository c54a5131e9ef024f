"""Table instructions.

Spec    valid/instructions.html#table-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32, I64, NumType, RefType
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.matching import match_reftype


@types(form.TableGet, "Instr_ok/table.get")
def table_get(c: Checker, i: form.TableGet) -> None:
    t = c.table(i.table)
    c.pop(t.addr)
    c.push(t.elem)


@types(form.TableSet, "Instr_ok/table.set")
def table_set(c: Checker, i: form.TableSet) -> None:
    t = c.table(i.table)
    c.pop_vals((t.addr, t.elem))


@types(form.TableSize, "Instr_ok/table.size")
def table_size(c: Checker, i: form.TableSize) -> None:
    c.push(c.table(i.table).addr)


@types(form.TableGrow, "Instr_ok/table.grow")
def table_grow(c: Checker, i: form.TableGrow) -> None:
    t = c.table(i.table)
    c.pop_vals((t.elem, t.addr))
    c.push(t.addr)


@types(form.TableFill, "Instr_ok/table.fill")
def table_fill(c: Checker, i: form.TableFill) -> None:
    t = c.table(i.table)
    c.pop_vals((t.addr, t.elem, t.addr))


@types(form.TableCopy, "Instr_ok/table.copy")
def table_copy(c: Checker, i: form.TableCopy) -> None:
    target, source = c.table(i.target), c.table(i.source)
    require_elem(c, source.elem, target.elem, "source element type")
    c.pop_vals((target.addr, source.addr, smaller(target.addr, source.addr)))


@types(form.TableInit, "Instr_ok/table.init")
def table_init(c: Checker, i: form.TableInit) -> None:
    t = c.table(i.table)
    require_elem(c, c.elem(i.elem), t.elem, "element segment's type")
    c.pop_vals((t.addr, I32, I32))


@types(form.ElemDrop, "Instr_ok/elem.drop")
def elem_drop(c: Checker, i: form.ElemDrop) -> None:
    c.elem(i.elem)


def require_elem(c: Checker, given: RefType, elem: RefType, what: str) -> None:
    """Fails   Invalid  "type mismatch"  when the references do not fit the table"""
    if not match_reftype(given, elem):
        raise Invalid(f"type mismatch: {what} {c.words(given)} does not match table's element type {c.words(elem)}")


def smaller(at1: NumType, at2: NumType) -> NumType:
    """The address type that counts what is copied between two tables or memories."""
    return I64 if at1 is at2 is I64 else I32
