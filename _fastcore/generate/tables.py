"""Writes the tables that the translator reads: wasm opcodes, operations, variants. As bytes, which cost no time at import."""

from __future__ import annotations

import re

from _fastcore.generate.handlers import WIDE, length
from _fastcore.generate.joined import Joined, trie
from _fastcore.generate.model import CLASSES, CONSTANT, FORMATS, VALTYPES, Operation, Variant
from _fastcore.generate.numeric import LETTERS
from _fastcore.generate.vector import vector_opcode, vector_ops
from pywasm_ref.features import Feature
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Op

FAMILIES = ("none", "numeric", "load", "store", "atomic")
VECTOR_FAMILIES = ("none", "pure", "ternary", "extract", "replace", "load", "store", "load_lane", "store_lane", "const", "shuffle")
VECTOR_OPCODES = 0x114
THIRD_WORDS = {"label": r"pc\[2\]\.t\b", "labels": r"pc\[2 \+ i\]\.t\b", "code": r"pc\[2\]\.code\b", "type": r"pc\[2\]\.v\b"}
TYPED = re.compile(r"(struct_new|array_new|call_ref)")
"""What the third word of an operation may be the address of. Where an operation has one of these names, its body does not look at the type
that is there: a function does, or nobody."""
NAMED = ("halt", "restore", "lower", "copy", "stepped", "return_call_import", "return_call_indirect", "return_call_ref")
"""Handlers that the engine itself puts into code, or looks for."""


def identifier(name: str) -> str:
    return "OP_" + name.replace(".", "_").upper()


def _u16(*numbers: int) -> bytes:
    return b"".join(n.to_bytes(2, "little") for n in numbers)


def _opcode_rows(operations: tuple[Operation, ...]) -> tuple[bytes, bytes]:
    """Eight bytes for each opcode: family, operands, their types, result, alignment, operation."""
    numbers = {o.name: i for i, o in enumerate(operations, 1) if o.format in ("value", "load", "store")}
    plain, prefixed = [bytes(8)] * 256, [bytes(8)] * 32
    for op in OPS:
        code = op.code
        if op.mnemonic not in numbers or (isinstance(code, tuple) and code[0] != 0xFC):
            continue
        if op.mnemonic.startswith("memory.") or op.immediates not in ((), ("memarg",)):
            continue
        family = "numeric" if not op.immediates else "load" if "->" in op.type and op.type.split("->")[1].strip() else "store"
        left, right = (side.split() for side in op.type.replace("at ", "i32 ", 1).split("->"))
        ins = [VALTYPES[LETTERS[t]] for t in left]
        out = VALTYPES[LETTERS[right[0]]] if right else 0
        row = bytes([FAMILIES.index(family), len(ins), ins[0], ins[1] if len(ins) > 1 else 0, out, max(op.access, 1).bit_length() - 1])
        row += _u16(numbers[op.mnemonic])
        if isinstance(code, int):
            plain[code] = row
        else:
            prefixed[code[1]] = row
    return b"".join(plain), b"".join(prefixed)


def _atomic_rows(numbers: dict[str, int]) -> bytes:
    """Rows of the atomic accesses. What is narrower than its value is zero-extended, so the operation depends on the width alone."""
    rows = [bytes(8)] * 128
    for op in OPS:
        if isinstance(op.code, int) or op.code[0] != 0xFE or op.immediates != ("memarg",):
            continue
        left, right = (side.split() for side in op.type.split("->"))
        verb = re.sub(r"\d+|_u$", "", re.sub(r"^.*atomic\.(rmw\d*\.)?", "", op.mnemonic))
        name = f"atomic.{verb}" if verb == "notify" else f"atomic.{verb}.{op.access}"
        b, c = ([VALTYPES[LETTERS[t]] for t in left[1:]] + [0, 0])[:2]
        out = VALTYPES[LETTERS[right[0]]] if right else 0
        row = bytes([FAMILIES.index("atomic"), len(left) | c << 2, 0, b, out, op.access.bit_length() - 1])
        rows[op.code[1]] = row + _u16(numbers[name])
    return b"".join(rows)


def _vector_family(op: Op, left: list[str], right: list[str]) -> str:
    if op.immediates == ("memarg", "laneidx"):
        return "load_lane" if right else "store_lane"
    if op.immediates == ("memarg",):
        return "load" if right else "store"
    if op.immediates == ("laneidx",):
        return "replace" if len(left) == 2 else "extract"
    return {"v128": "const", "laneidx*16": "shuffle"}[op.immediates[0]] if op.immediates else "ternary" if len(left) == 3 else "pure"


def _vector_rows(numbers: dict[str, int]) -> bytes:
    """The same for what stands behind 0xFD; the number of lanes stands in the place of the alignment where there is none."""
    rows = [bytes(8)] * VECTOR_OPCODES
    for op in vector_ops():
        left, right = (side.split() for side in op.type.replace("at ", "i32 ", 1).split("->"))
        family = _vector_family(op, left, right)
        ins = [VALTYPES[LETTERS[t]] for t in left[:2]]
        out = VALTYPES[LETTERS[right[0]]] if right else 0
        shape = op.mnemonic.split(".")[0]
        last = op.access.bit_length() - 1 if op.access else 128 // int(shape[1 : shape.index("x")]) if shape != "v128" else 0
        row = bytes([VECTOR_FAMILIES.index(family), len(left), *ins, *[0] * (2 - len(ins)), out, last])
        rows[vector_opcode(op)] = row + _u16(numbers.get(op.mnemonic, 0))
    return b"".join(rows)


def _literal(data: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def third_word(v: Variant) -> str:
    """What the third word of an operation is the address of."""
    if TYPED.match(v.operation.name):
        return "type"
    return next((what for what, pattern in THIRD_WORDS.items() if re.search(pattern, v.operation.body)), "none")


def _rows_of_handlers(found: list[Variant], rows: list[Joined]) -> dict[str, str]:
    """For each handler the first operation's own one, and the words of all its operations; for each of these, what the third word is."""
    own, spans, thirds = [0], [0], [0]
    handlers: list[Variant | Joined] = [*found, *rows]
    for handler in handlers:
        own.append(handler.parts[0].number)
        spans.append(sum(map(length, handler.parts)))
    for v in found:
        thirds.append(("none", *THIRD_WORDS).index(third_word(v)))
    return {"own": _literal(_u16(*own)), "spans": _literal(bytes(spans)), "thirds": _literal(bytes(thirds))}


def tables(operations: tuple[Operation, ...], found: list[Variant], rows: list[Joined], sources: str) -> tuple[str, str]:
    """The header and the module."""
    numbers = {o.name: i for i, o in enumerate(operations, 1)}
    infos = [bytes(18)]
    grid = [[0] * 32 for _ in range(len(operations) + 1)]
    for o in operations:
        fused = [numbers.get(o.fused.get(key, ""), 0) for key in ("true", "false", "inverse", "wide", "far", "folded", "load")]
        wide = any(kind == CONSTANT and letter in WIDE for kinds in o.kinds for kind, letter in zip(kinds, o.operands, strict=False))
        infos.append(bytes([FORMATS.index(o.format), CLASSES[o.result], int(o.commutative), int(wide)]) + _u16(*fused))
    lengths = [0]
    for v in found:
        grid[numbers[v.operation.name]][v.index] = v.number
        lengths.append(length(v))
    plain, prefixed = _opcode_rows(operations)
    names = "".join(f"    {identifier(name)} = {number}\n" for name, number in numbers.items())
    handlers = "".join(f"    H_{v.name.upper()} = {v.number}\n" for v in found if v.operation.name in NAMED)
    features = "".join(f"    F_{feature.name} = {1 << i:#x}\n" for i, feature in enumerate(Feature))
    families = ", ".join(f"VECTOR_{family.upper()}" for family in VECTOR_FAMILIES)
    counts = {"count": len(found) + len(rows) + 1, "operations": len(operations) + 1, "vector_opcodes": VECTOR_OPCODES}
    header = HEADER.format(features=features, names=names, handlers=handlers, vector_families=families, **counts)
    flat = _u16(*(n for row in grid for n in row))
    names_of_handlers = " ".join(["none", *(v.name for v in found), *(row.name for row in rows)])
    first, starts, edges, handlers_of_nodes = (_literal(_u16(*numbers)) for numbers in trie(rows, len(found)))
    module = MODULE.format(first=first, starts=starts, edges=edges, joined=handlers_of_nodes,
                           plain=_literal(plain), prefixed=_literal(prefixed), atomic=_literal(_atomic_rows(numbers)),
                           vector=_literal(_vector_rows(numbers)), rows=_literal(b"".join(infos)), grid=_literal(flat),
                           lengths=_literal(bytes(lengths)), names=names_of_handlers, sources=sources,
                           **_rows_of_handlers(found, rows))  # fmt: skip
    return header, module


HEADER = '''# Generated by _fastcore/generate; do not edit.
"""The numbers of operations and handlers, and what the translator knows about them."""

from libc.stdint cimport uint8_t, uint16_t

cdef enum:
    HANDLERS = {count}
    OPERATIONS = {operations}
    VECTOR_OPCODES = {vector_opcodes}
{handlers}
cdef enum:
{names}
cdef enum:
{features}
cdef enum Third:
    # What the third word is the address of: a word of the function, as is each behind it, another function, a type.
    THIRD_NONE, THIRD_LABEL, THIRD_LABELS, THIRD_CODE, THIRD_TYPE

cdef enum Family:
    FAMILY_NONE, FAMILY_NUMERIC, FAMILY_LOAD, FAMILY_STORE, FAMILY_ATOMIC

cdef enum VectorFamily:
    {vector_families}

cdef enum Format:
    FORMAT_VALUE, FORMAT_LOAD, FORMAT_STORE, FORMAT_BRANCH, FORMAT_RAW

cdef struct Opcode:
    uint8_t family
    uint8_t n_operands
    uint8_t a
    uint8_t b
    uint8_t result
    uint8_t align           # a power of two; or a number of lanes
    uint16_t operation

cdef struct Operation:
    uint8_t format
    uint8_t acc             # the accumulator that the result is left in
    uint8_t commutative
    uint8_t wide            # a constant operand takes a word of its own
    uint16_t when           # the branch that is taken when the result is not 0
    uint16_t unless
    uint16_t inverse        # the opposite comparison
    uint16_t wide_op        # the same access to memory 0 with 64-bit addresses
    uint16_t far_op         # and to any memory
    uint16_t folded         # the operation that loads the second operand itself
    uint16_t load           # what that is when it stands alone

cdef struct Tables:
    const Opcode* plain     # 256 opcodes of one byte
    const Opcode* numeric   # 32 behind 0xFC
    const Opcode* atomic    # 128 behind 0xFE; the two lower bits of n_operands count, the others are the type of the third
    const Opcode* vector    # VECTOR_OPCODES behind 0xFD
    const Operation* operations
    const uint16_t* variants    # 32 for each operation: a << 3 | b << 1 | writes
    const uint8_t* lengths      # words of each handler
    const uint16_t* first       # superinstructions as a tree: the node behind each handler, or 0
    const uint16_t* starts      # where the edges of each node begin
    const uint16_t* edges       # pairs of handler and node
    const uint16_t* joined      # the handler of each node for the row that leads to it, or 0
    const uint16_t* own         # of each handler, superinstructions too: the handler of its first operation alone
    const uint8_t* spans        # words of all its operations
    const uint8_t* thirds       # of each handler of one operation: what its third word is

cdef Tables* tables() noexcept nogil
'''
MODULE = '''# Generated by _fastcore/generate; do not edit.
"""See tables.pxd."""

from libc.stdlib cimport malloc
from libc.string cimport memcpy

cdef void* aligned(bytes data) except NULL:
    """The same bytes where structures may stand; they live as long as the process."""
    cdef void* place = malloc(len(data))
    if place == NULL:
        raise MemoryError
    memcpy(place, <const char*>data, len(data))
    return place

cdef Tables TABLES
TABLES.plain = <const Opcode*>aligned({plain})
TABLES.numeric = <const Opcode*>aligned({prefixed})
TABLES.atomic = <const Opcode*>aligned({atomic})
TABLES.vector = <const Opcode*>aligned({vector})
TABLES.operations = <const Operation*>aligned({rows})
TABLES.variants = <const uint16_t*>aligned({grid})
TABLES.lengths = <const uint8_t*>aligned({lengths})
TABLES.first = <const uint16_t*>aligned({first})
TABLES.starts = <const uint16_t*>aligned({starts})
TABLES.edges = <const uint16_t*>aligned({edges})
TABLES.joined = <const uint16_t*>aligned({joined})
TABLES.own = <const uint16_t*>aligned({own})
TABLES.spans = <const uint8_t*>aligned({spans})
TABLES.thirds = <const uint8_t*>aligned({thirds})

HANDLER_NAMES = "{names}".split()
SOURCES = "{sources}"


cdef Tables* tables() noexcept nogil:
    return &TABLES
'''
