"""Emitters of memory and table instructions."""

from __future__ import annotations

from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Op
from pywasm_ref.syntax.modules import Mode
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, NumType, RefType, ValType
from pywasm_ref.tools.difftest.generate.addresses import address, masked
from pywasm_ref.tools.difftest.generate.body import Body, Left, emits, lanes
from pywasm_ref.tools.difftest.generate.space import TABLE_SIZE

_TYPES: dict[str, ValType] = {"i32": I32, "i64": I64, "f32": F32, "f64": F64, "v128": V128}


# Loads and stores


@emits(form.Load, form.LoadPack, form.VLoad, form.VLoadPack, form.VLoadSplat, form.VLoadZero)
def load(body: Body, op: Op) -> Left:
    memory, memarg = address(body, op)
    body.put_op(op, memory, *memarg)
    return [_TYPES[op.mnemonic.partition(".")[0]]]


@emits(form.VLoadLane)
def load_lane(body: Body, op: Op) -> Left:
    memory, memarg = address(body, op)
    body.produce(V128)
    body.put_op(op, memory, *memarg, body.choices.below(lanes(op)))
    return [V128]


@emits(form.Store, form.StorePack, form.VStore)
def store(body: Body, op: Op) -> Left:
    memory, memarg = address(body, op)
    body.produce(_TYPES[op.mnemonic.partition(".")[0]])
    body.put_op(op, memory, *memarg)
    return []


@emits(form.VStoreLane)
def store_lane(body: Body, op: Op) -> Left:
    memory, memarg = address(body, op)
    body.produce(V128)
    body.put_op(op, memory, *memarg, body.choices.below(lanes(op)))
    return []


# Whole memories


def some_memory(body: Body) -> tuple[int, NumType]:
    x = body.choices.below(len(body.space.mems))
    return x, body.space.mems[x].addr


@emits(form.MemorySize)
def memory_size(body: Body, op: Op) -> Left:
    x, t = some_memory(body)
    body.add(form.MemorySize(op, x))
    return [t]


@emits(form.MemoryGrow)
def memory_grow(body: Body, op: Op) -> Left:
    x, t = some_memory(body)
    if body.safe():
        body.const(t, body.choices.below(3))
    else:
        body.produce(t)
    body.add(form.MemoryGrow(op, x))
    return [t]


@emits(form.MemoryFill)
def memory_fill(body: Body, op: Op) -> Left:
    x, t = some_memory(body)
    masked(body, t, 0x1FF)
    body.produce(I32)
    masked(body, t, 0x3F)
    body.add(form.MemoryFill(op, x))
    return []


@emits(form.MemoryCopy)
def memory_copy(body: Body, op: Op) -> Left:
    (x, t1), (y, t2) = some_memory(body), some_memory(body)
    masked(body, t1, 0x3F)
    masked(body, t2, 0x3F)
    masked(body, I64 if t1 is t2 is I64 else I32, 0x1F)
    body.add(form.MemoryCopy(op, x, y))
    return []


@emits(form.MemoryInit)
def memory_init(body: Body, op: Op) -> Left:
    """From a passive segment, and mostly not the one that may be dropped."""
    x, t = some_memory(body)
    y = some_data(body)
    masked(body, t, 0xFF)
    within(body, len(body.space.datas[y].init) if body.space.datas[y].mode is Mode.PASSIVE else 0)
    body.add(form.MemoryInit(op, x, y))
    return []


def some_data(body: Body) -> int:
    """The index of a data segment, rather a passive one than not."""
    passive = [x for x, data in enumerate(body.space.datas) if data.mode is Mode.PASSIVE]
    return body.choices.choose(passive) if passive and body.safe() else body.choices.below(len(body.space.datas))


def within(body: Body, size: int, width: int = 1) -> None:
    """Two constants, start and count, that stay within a size mostly; `width` is what each of the count takes."""
    if not body.safe():
        size += 2
    start = body.choices.below(size + 1)
    body.const(I32, start)
    body.const(I32, body.choices.below((size - start) // width + 1))


@emits(form.DataDrop)
def data_drop(body: Body, op: Op) -> Left:
    """Now and then; what uses the segment later traps."""
    if not body.space.datas or body.choices.chance(60):
        return None
    body.add(form.DataDrop(op, len(body.space.datas) - 1))
    return []


# Tables: table 0 is left as it is


def some_table(body: Body) -> tuple[int, NumType, RefType]:
    x = body.choices.between(1, len(body.space.tables) - 1)
    tt = body.space.tables[x]
    return x, tt.addr, tt.elem


def has_tables(body: Body) -> bool:
    return len(body.space.tables) > 1


@emits(form.TableGet)
def table_get(body: Body, op: Op) -> Left:
    x = body.choices.below(len(body.space.tables))
    tt = body.space.tables[x]
    masked(body, tt.addr, 3 if x == 0 and len(body.space.funcs) >= 4 else 0 if x == 0 else TABLE_SIZE - 1)
    body.add(form.TableGet(op, x))
    return [tt.elem]


@emits(form.TableSet)
def table_set(body: Body, op: Op) -> Left:
    if not has_tables(body):
        return None
    x, t, elem = some_table(body)
    masked(body, t, TABLE_SIZE - 1)
    body.produce(elem)
    body.add(form.TableSet(op, x))
    return []


@emits(form.TableSize)
def table_size(body: Body, op: Op) -> Left:
    x = body.choices.below(len(body.space.tables))
    body.add(form.TableSize(op, x))
    return [body.space.tables[x].addr]


@emits(form.TableGrow)
def table_grow(body: Body, op: Op) -> Left:
    if not has_tables(body):
        return None
    x, t, elem = some_table(body)
    body.produce(elem)
    body.const(t, body.choices.below(3))
    body.add(form.TableGrow(op, x))
    return [t]


@emits(form.TableFill)
def table_fill(body: Body, op: Op) -> Left:
    if not has_tables(body):
        return None
    x, t, elem = some_table(body)
    masked(body, t, 3)
    body.produce(elem)
    masked(body, t, 3)
    body.add(form.TableFill(op, x))
    return []


@emits(form.TableCopy)
def table_copy(body: Body, op: Op) -> Left:
    if not has_tables(body):
        return None
    x, t1, elem = some_table(body)
    sources = [y for y, tt in enumerate(body.space.tables) if body.types.match(tt.elem, elem)]
    y = body.choices.choose(sources)
    t2 = body.space.tables[y].addr
    masked(body, t1, 3)
    masked(body, t2, 3 if y else 0)
    masked(body, I64 if t1 is t2 is I64 else I32, 3 if y else 1)
    body.add(form.TableCopy(op, x, y))
    return []


@emits(form.TableInit)
def table_init(body: Body, op: Op) -> Left:
    if not has_tables(body):
        return None
    x, t, elem = some_table(body)
    fitting = [y for y, segment in enumerate(body.space.elems) if body.types.match(segment.type, elem)]
    passive = [y for y in fitting if body.space.elems[y].mode is Mode.PASSIVE]
    if not fitting:
        return None
    y = body.choices.choose(passive if passive and body.safe() else fitting)
    masked(body, t, 1)
    within(body, len(body.space.elems[y].inits) if y in passive else 0)
    body.add(form.TableInit(op, x, y))
    return []


@emits(form.ElemDrop)
def elem_drop(body: Body, op: Op) -> Left:
    if len(body.space.elems) < 2 or body.choices.chance(60):
        return None
    body.add(form.ElemDrop(op, len(body.space.elems) - 1))
    return []
