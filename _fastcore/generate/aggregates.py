"""Bodies of the instructions on structures, arrays and i31, and of casts. The words are those of `structural`."""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.model import Operation
from _fastcore.generate.structural import LOOK, raw

TOPIC = "aggregate"
LETTERS = {"i": "u32", "l": "u64", "f": "f32", "d": "f64", "p": "u64"}
"""How a field that is no vector is read. `p` is a reference, which goes to a slot and never to an accumulator."""

NULL_STRUCT = "if ea == 0: TRAP NULL_STRUCTURE_REFERENCE\n"
FIELD = "(<S*>(ea + pc[1].w[1]))"
ELEMENTS = {
    "8_u": ("i", "(<uint8_t*>(ea + 16))[i]"), "8_s": ("i", "<int32_t>(<int8_t*>(ea + 16))[i]"),
    "16_u": ("i", "(<uint16_t*>(ea + 16))[i]"), "16_s": ("i", "<int32_t>(<int16_t*>(ea + 16))[i]"),
    "i": ("i", "(<uint32_t*>(ea + 16))[i]"), "l": ("l", "(<uint64_t*>(ea + 16))[i]"),
    "f": ("f", "(<float*>(ea + 16))[i]"), "d": ("d", "(<double*>(ea + 16))[i]"), "p": ("p", "(<uint64_t*>(ea + 16))[i]"),
}  # fmt: skip
WIDTHS = {"8": "(<uint8_t*>(ea + 16))[i] = <uint8_t>{v}.u32", "16": "(<uint16_t*>(ea + 16))[i] = <uint16_t>{v}.u32",
          "32": "(<uint32_t*>(ea + 16))[i] = {v}.u32", "64": "(<uint64_t*>(ea + 16))[i] = {v}.u64"}  # fmt: skip
IN_ARRAY = "if ea == 0: TRAP NULL_ARRAY_REFERENCE\nif i >= (<Array*>ea).length: TRAP OUT_OF_BOUNDS_ARRAY\n"

TESTS = {
    "type": """if sub != NULL:
    while sub.depth > (<Type*>pc[2].v).depth:
        sub = sub.jump if sub.jump.depth >= (<Type*>pc[2].v).depth else sub.parent
    n = <void*>sub == pc[2].v
""",
    "kind": "n = sub != NULL and sub.kind == pc[2].u\n",
    "eq": "n = sub != NULL\n",
}
"""Whether what is no i31 belongs to a type, or to all structures, all arrays, all that can be compared. `sub` is its own type."""


def aggregates() -> Iterator[Operation]:
    yield from _making()
    yield from _fields()
    yield from _elements()
    yield from _many()
    yield from _casts()


def _making() -> Iterator[Operation]:
    """Up to three fields are taken from wherever they are. The last word: which kind of cell, and how many bytes it has."""
    for n in range(4):
        stores = "".join(f"(<S*>at)[{i + 1}].u64 = fp[pc[1].h[{place}]].u64\n" for i, place in zip(range(n), (0, 2, 3), strict=False))
        body = "bump = &ctx.heap.bumps[pc[3].w[0]]\nat = bump.at\nif at == bump.end:\n    REFILL\nbump.at = at + pc[3].w[1]\n"
        yield raw(f"struct_new_{n}", body + "(<S*>at)[0].u64 = pc[2].u\n" + stores + "fp[pc[1].h[1]].v = at\n", 4, topic=TOPIC)
    for name in ("struct_new", "array_new", "array_new_fixed", "array_new_data", "array_new_elem"):
        yield _called(name, 4)


def _fields() -> Iterator[Operation]:
    for letter, part in LETTERS.items():
        body = "ea = {a}\n" + NULL_STRUCT + f"= {FIELD}.{part}"
        yield Operation(f"struct_get_{letter}", "load", "l", letter, body, ("s",), False, TOPIC, 2)
    for bits in (8, 16):
        body = "ea = {a}\n" + NULL_STRUCT + f"= <int32_t><int{bits}_t>{FIELD}.u32"
        yield Operation(f"struct_get_{bits}_s", "load", "l", "i", body, ("s",), False, TOPIC, 2)
    stores = {"l": "u64 = {b}", "f": "u64 = bits32({b})", "d": "f64 = {b}"}
    for letter, store in stores.items():
        kinds = ("ss", "sr", "sk") if letter == "l" else ("ss", "sr")
        body = "ea = {a}\n" + NULL_STRUCT + f"{FIELD}.{store}\n"
        yield Operation(f"struct_set_{letter}", "store", "l" + letter, "", body, kinds, False, TOPIC)
    for bits in (8, 16):
        body = "ea = {a}\n" + NULL_STRUCT + f"{FIELD}.u64 = {{b}} & {(1 << bits) - 1}\n"
        yield Operation(f"struct_set_{bits}", "store", "li", "", body, ("ss", "sr", "sk"), False, TOPIC)
    place = "(<S*>(ea + pc[2].u))"
    both = "fp[pc[1].h[1]].u64 = {place}[0].u64\nfp[pc[1].h[1] + 1].u64 = {place}[1].u64\n".replace("{place}", place)
    yield raw("struct_get_v", "ea = fp[pc[1].h[0]].u64\n" + NULL_STRUCT + both, 3, topic=TOPIC)
    both = "{place}[0].u64 = fp[pc[1].h[2]].u64\n{place}[1].u64 = fp[pc[1].h[2] + 1].u64\n".replace("{place}", place)
    yield raw("struct_set_v", "ea = fp[pc[1].h[0]].u64\n" + NULL_STRUCT + both, 3, topic=TOPIC)


def _elements() -> Iterator[Operation]:
    for name, (letter, value) in ELEMENTS.items():
        body = "ea = {a}\ni = {b}\n" + IN_ARRAY + f"= {value}"
        yield Operation(f"array_get_{name}", "value", "li", letter, body, ("ss", "sr", "sk"), False, TOPIC)
    place = "ea = fp[pc[1].h[0]].u64\ni = fp[pc[1].h[2]].u32\n" + IN_ARRAY
    for name, store in WIDTHS.items():
        yield raw(f"array_set_{name}", place + store.replace("{v}", "fp[pc[1].h[3]]") + "\n", 2, topic=TOPIC)
    source = "(<S*>(ea + 16))[2 * i + {k}]"
    both = "".join(f"fp[pc[1].h[1] + {k}].u64 = {source.replace('{k}', str(k))}.u64\n" for k in (0, 1))
    yield raw("array_get_v", place + both, 2, topic=TOPIC)
    both = "".join(f"{source.replace('{k}', str(k))}.u64 = fp[pc[1].h[3] + {k}].u64\n" for k in (0, 1))
    yield raw("array_set_v", place + both, 2, topic=TOPIC)
    length = "ea = {a}\nif ea == 0: TRAP NULL_ARRAY_REFERENCE\n= <uint32_t>(<Array*>ea).length"
    yield Operation("array_len", "value", "l", "i", length, ("s",), False, TOPIC)


def _many() -> Iterator[Operation]:
    for name, length in (("array_fill", 2), ("array_copy", 2), ("array_init_data", 3), ("array_init_elem", 3)):
        yield _called(name, length)


def _called(name: str, length: int) -> Operation:
    """A function does it; see `arrays` for what it counts."""
    body = f"status = {name}(ctx, pc, fp)\nif status != 0: RETURN status\n{LOOK}pc = pc + {length}\nGOTO\n"
    return raw(name, body, length, topic=TOPIC)


def _casts() -> Iterator[Operation]:
    yield Operation("ref_i31", "value", "i", "p", "= ({a} << 1 | 1) & 0xffffffffU", ("s", "r"), False, TOPIC)
    null = "i = {a}\nif i == 0: TRAP NULL_I31_REFERENCE\n"
    yield Operation("i31_get_s", "value", "l", "i", null + "= <int32_t><uint32_t>i >> 1", ("s",), False, TOPIC)
    yield Operation("i31_get_u", "value", "l", "i", null + "= <uint32_t>i >> 1", ("s",), False, TOPIC)
    yield from _tests("i31", "n = i & 1 if i != 0 else pc[1].w[1]\n")
    yield from _tests("func", _inside("if i == 0:\n    n = pc[1].w[1]\nelse:\n    sub = (<Fn*>i).type\n    n = 0\n", TESTS["type"]))
    yield from _tests("null", "n = pc[2].u if i != 0 else pc[1].w[1]\n")
    for name, test in TESTS.items():
        scalar = "n = 1\n" if name == "eq" else "n = 0\n"
        head = f"if i == 0:\n    n = pc[1].w[1]\nelif i & 1:\n    {scalar}else:\n    sub = (<Head*>i).type\n    n = 0\n"
        yield from _tests(name, _inside(head, test))


def _inside(head: str, test: str) -> str:
    return head + "".join(f"    {line}\n" for line in test.splitlines())


def _tests(name: str, test: str) -> Iterator[Operation]:
    """The question as a number, and as a cast. In the third word what is asked for, in the second whether null counts."""
    yield Operation(f"test_{name}", "load", "l", "i", "i = {a}\n" + test + "= <uint32_t>n", ("s",), False, TOPIC, 3)
    body = "i = fp[pc[1].h[0]].u64\n" + test + "if n == 0: TRAP CAST_FAILURE\n"
    yield raw(f"cast_{name}", body, 3, topic=TOPIC)
