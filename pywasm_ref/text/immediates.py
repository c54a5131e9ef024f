"""Immediates: one reader for each combination of kinds that the instruction table has.

Spec    text/instructions.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pywasm_ref.syntax.instructions import Catch, CatchKind, Op
from pywasm_ref.text import values
from pywasm_ref.text.lexer import Tokens
from pywasm_ref.text.names import Context
from pywasm_ref.text.types import heaptype, reftype, typeuse, valtypes

Parts = tuple[Any, ...]
Reader = Callable[[Context, Op], Parts]


def nothing(c: Context, op: Op) -> Parts:
    """No immediates, or none that a text writes down."""
    return ()


# Indices


def labelidx(c: Context, op: Op) -> Parts:
    return (c.index(c.labels),)


def labels(c: Context, op: Op) -> Parts:
    """All labels, of which the last one is the default."""
    indices = [c.index(c.labels)]
    while c.has_index():
        indices.append(c.index(c.labels))
    return tuple(indices[:-1]), indices[-1]


def castop(c: Context, op: Op) -> Parts:
    """A label, and the types from which and to which is cast."""
    return c.index(c.labels), reftype(c), reftype(c)


def funcidx(c: Context, op: Op) -> Parts:
    return (c.index(c.funcs),)


def typeidx(c: Context, op: Op) -> Parts:
    return (c.index(c.types),)


def localidx(c: Context, op: Op) -> Parts:
    return (c.index(c.locals),)


def globalidx(c: Context, op: Op) -> Parts:
    return (c.index(c.globals),)


def tagidx(c: Context, op: Op) -> Parts:
    return (c.index(c.tags),)


def elemidx(c: Context, op: Op) -> Parts:
    return (c.index(c.elems),)


def dataidx(c: Context, op: Op) -> Parts:
    c.uses_data = True
    return (c.index(c.datas),)


def tableidx(c: Context, op: Op) -> Parts:
    return (c.optional_index(c.tables),)


def memidx(c: Context, op: Op) -> Parts:
    return (c.optional_index(c.mems),)


def two_tables(c: Context, op: Op) -> Parts:
    """Both or none."""
    return (c.index(c.tables), c.index(c.tables)) if c.has_index() else (0, 0)


def two_memories(c: Context, op: Op) -> Parts:
    """Both or none."""
    return (c.index(c.mems), c.index(c.mems)) if c.has_index() else (0, 0)


def table_and_type(c: Context, op: Op) -> Parts:
    return c.optional_index(c.tables), typeuse(c)


def table_and_elem(c: Context, op: Op) -> Parts:
    """The table may be left out."""
    return (c.index(c.tables) if _two_indices(c) else 0, c.index(c.elems))


def memory_and_data(c: Context, op: Op) -> Parts:
    """The memory may be left out."""
    c.uses_data = True
    return (c.index(c.mems) if _two_indices(c) else 0, c.index(c.datas))


def _two_indices(c: Context) -> bool:
    """Whether an index follows the one that stands here."""
    start = c.tokens.i
    if not c.has_index():
        raise c.tokens.unexpected("an index")
    c.tokens.i += 1
    two = c.has_index()
    c.tokens.i = start
    return two


def type_and_field(c: Context, op: Op) -> Parts:
    """The names of fields belong to the type."""
    x = c.index(c.types)
    if x in c.fields:
        return x, c.index(c.fields[x])
    if c.tokens.text.startswith("$"):
        raise c.tokens.error(f"unknown field {c.tokens.text}")
    return x, c.tokens.natural(32)


def type_and_count(c: Context, op: Op) -> Parts:
    return c.index(c.types), c.tokens.natural(32)


def type_and_data(c: Context, op: Op) -> Parts:
    c.uses_data = True
    return c.index(c.types), c.index(c.datas)


def type_and_elem(c: Context, op: Op) -> Parts:
    return c.index(c.types), c.index(c.elems)


def two_types(c: Context, op: Op) -> Parts:
    return c.index(c.types), c.index(c.types)


# Types


def heap(c: Context, op: Op) -> Parts:
    return (heaptype(c),)


def reference(c: Context, op: Op) -> Parts:
    return (reftype(c),)


def results(c: Context, op: Op) -> Parts:
    """`(result t*)*`; None where there is not even an empty one."""
    if not c.tokens.opens("result"):
        return (None,)
    types = []
    while c.tokens.enter("result"):
        types += valtypes(c)
    return (tuple(types),)


# Memory arguments


def memarg(c: Context, op: Op) -> Parts:
    """The memory, the logarithm of the alignment, and the offset, all of which may be left out."""
    memory = c.optional_index(c.mems)
    return memory, *_align_and_offset(c.tokens, op)


def memarg_and_lane(c: Context, op: Op) -> Parts:
    """A number on its own is the lane, not the memory."""
    tokens = c.tokens
    tokens.i += 1
    followed = c.has_index() or tokens.text.startswith(("offset=", "align="))
    tokens.i -= 1
    memory = c.index(c.mems) if followed and c.has_index() else 0
    return memory, *_align_and_offset(tokens, op), tokens.natural(8)


def _align_and_offset(tokens: Tokens, op: Op) -> tuple[int, int]:
    """From `offset=n` and `align=n`, which stand in that order; the alignment is natural where it is left out."""
    offset = _equals(tokens, "offset=") or 0
    at = tokens.at
    align = _equals(tokens, "align=")
    if align is None:
        return op.access.bit_length() - 1, offset
    if align == 0 or align & (align - 1):
        raise tokens.error("alignment must be a power of two", at)
    return align.bit_length() - 1, offset


def _equals(tokens: Tokens, prefix: str) -> int | None:
    text = tokens.text
    if not text.startswith(prefix):
        return None
    if not values.is_nat(text[len(prefix) :]):
        raise tokens.unexpected(f"`{prefix}` and a number")
    tokens.i += 1
    return tokens.placed(lambda text: values.natural(text[len(prefix) :], 64), tokens.i - 1)


# Constants and lanes


def _constant(kind: str) -> Reader:
    read = values.CONSTANTS[kind]
    return lambda c, op: (c.tokens.number(read),)


def v128(c: Context, op: Op) -> Parts:
    """A shape and its lanes."""
    return (vector(c.tokens),)


def vector(tokens: Tokens) -> int:
    """The 128 bits that a shape and its lanes give."""
    shape = tokens.text
    if shape not in values.SHAPES:
        raise tokens.unexpected("a shape of lanes")
    tokens.i += 1
    first = tokens.i
    lanes = tokens.numbers()
    tokens.check_known()
    return tokens.placed(lambda _: values.vector(shape, lanes), first)


def laneidx(c: Context, op: Op) -> Parts:
    return (c.tokens.natural(8),)


def sixteen_lanes(c: Context, op: Op) -> Parts:
    """The lanes of a shuffle."""
    first = c.tokens.i
    texts = c.tokens.numbers()
    c.tokens.check_known()
    if len(texts) != 16:
        raise c.tokens.error("invalid lane length", c.tokens.starts[first])
    return (c.tokens.placed(lambda _: tuple(values.natural(text, 8) for text in texts), first),)


READ: dict[tuple[str, ...], Reader] = {
    (): nothing,
    ("zero",): nothing,
    ("labelidx",): labelidx,
    ("labelidx*", "labelidx"): labels,
    ("labelidx castop",): castop,
    ("funcidx",): funcidx,
    ("typeidx",): typeidx,
    ("localidx",): localidx,
    ("globalidx",): globalidx,
    ("tagidx",): tagidx,
    ("elemidx",): elemidx,
    ("dataidx",): dataidx,
    ("tableidx",): tableidx,
    ("memidx",): memidx,
    ("tableidx", "tableidx"): two_tables,
    ("memidx", "memidx"): two_memories,
    ("tableidx typeidx",): table_and_type,
    ("tableidx elemidx",): table_and_elem,
    ("memidx dataidx",): memory_and_data,
    ("typeidx", "fieldidx"): type_and_field,
    ("typeidx", "u32"): type_and_count,
    ("typeidx", "dataidx"): type_and_data,
    ("typeidx", "elemidx"): type_and_elem,
    ("typeidx", "typeidx"): two_types,
    ("heaptype",): heap,
    ("ref heaptype",): reference,
    ("ref null heaptype",): reference,
    ("valtype*",): results,
    ("memarg",): memarg,
    ("memarg", "laneidx"): memarg_and_lane,
    ("i32",): _constant("i32"),
    ("i64",): _constant("i64"),
    ("f32",): _constant("f32"),
    ("f64",): _constant("f64"),
    ("v128",): v128,
    ("laneidx",): laneidx,
    ("laneidx*16",): sixteen_lanes,
}
"""By the immediates of a row; those of structured instructions are read in `instructions.py`."""

# The clauses of `try_table`

_CATCHES = {
    "catch": CatchKind.CATCH,
    "catch_ref": CatchKind.CATCH_REF,
    "catch_all": CatchKind.CATCH_ALL,
    "catch_all_ref": CatchKind.CATCH_ALL_REF,
}
_WITH_TAG = (CatchKind.CATCH, CatchKind.CATCH_REF)


def catches(c: Context) -> tuple[Catch, ...]:
    """`(catch x l)` and its kin; the labels are those outside of the block."""
    clauses = []
    tokens = c.tokens
    while tokens.text == "(" and (kind := _CATCHES.get(tokens.texts[tokens.i + 1])) is not None:
        tokens.i += 2
        tag = c.index(c.tags) if kind in _WITH_TAG else None
        clauses.append(Catch(kind, tag, c.index(c.labels)))
        tokens.expect(")")
    return tuple(clauses)
