"""Emitters of reference and aggregate instructions."""

from __future__ import annotations

from pywasm_ref.features import Feature
from pywasm_ref.isa import BY_CODE
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Op
from pywasm_ref.syntax.modules import Mode
from pywasm_ref.syntax.types import (
    EXNREF,
    I32,
    ArrayType,
    FieldType,
    NumType,
    PackType,
    RefType,
    StructType,
    VecType,
)
from pywasm_ref.tools.difftest.generate.addresses import masked
from pywasm_ref.tools.difftest.generate.body import Body, Left, emits
from pywasm_ref.tools.difftest.generate.making import can_make, defaultable
from pywasm_ref.tools.difftest.generate.memories import within
from pywasm_ref.tools.difftest.generate.operands import WIDTHS
from pywasm_ref.tools.difftest.generate.space import unpacked
from pywasm_ref.tools.difftest.generate.types import BOTTOMS, H

# Reference instructions


@emits(form.RefNull)
def ref_null(body: Body, op: Op) -> Left:
    t = RefType(True, body.types.reference().heap)
    body.add(form.RefNull(op, t.heap))
    return [t]


@emits(form.RefIsNull)
def ref_is_null(body: Body, op: Op) -> Left:
    body.need([RefType(True, body.types.reference().heap)])
    body.add(form.RefIsNull(op))
    return [I32]


@emits(form.RefFunc)
def ref_func(body: Body, op: Op) -> Left:
    x = body.choices.below(len(body.space.funcs))
    body.add(form.RefFunc(op, x))
    frozen = body.types.frozen or 0
    known = body.space.has(Feature.FUNCTION_REFERENCES) and body.space.funcs[x] < frozen
    return [RefType(False, body.space.funcs[x]) if known else RefType(True, H.FUNC)]


@emits(form.RefEq)
def ref_eq(body: Body, op: Op) -> Left:
    body.need([RefType(True, H.EQ)] * 2)
    body.add(form.RefEq(op))
    return [I32]


@emits(form.RefAsNonNull)
def ref_as_non_null(body: Body, op: Op) -> Left:
    t = body.types.reference()
    if t.heap in BOTTOMS or not can_make(body, t.heap):
        return None
    body.need([RefType(not body.safe(), t.heap)] if t.heap is not H.EXN else [EXNREF])
    body.add(form.RefAsNonNull(op))
    return [RefType(False, t.heap)]


def related(body: Body) -> tuple[RefType, RefType]:
    """Two types of one hierarchy, to cast from and to: the top or something above, and something below."""
    target = body.types.reference()
    top = {H.FUNC: H.FUNC, H.NOFUNC: H.FUNC, H.EXTERN: H.EXTERN, H.NOEXTERN: H.EXTERN, H.EXN: H.EXN, H.NOEXN: H.EXN}
    source = RefType(True, top.get(body.types.abstract(target.heap), body.choices.choose((H.ANY, H.EQ))))
    if source.heap is H.EQ and target.heap is H.ANY:
        source = RefType(True, H.ANY)
    return source, target


@emits(form.RefTest)
def ref_test(body: Body, op: Op) -> Left:
    source, target = related(body)
    if body.choices.chance(50):
        body.need([source])
    else:
        body.produce(RefType(False, source.heap) if can_make(body, source.heap) else source)
    body.add(form.RefTest(op, RefType(op.code == (0xFB, 21), target.heap)))
    return [I32]


@emits(form.RefCast)
def ref_cast(body: Body, op: Op) -> Left:
    """Behind a test of the same, or of a value that is known to fit; now and then of any value."""
    source, target = related(body)
    null = op.code == (0xFB, 23)
    target = RefType(null, target.heap)
    if not null and (target.heap in BOTTOMS or not can_make(body, target.heap) or target.heap is H.EXN):
        return None
    if not body.safe():
        body.need([source])
    elif body.choices.chance(50):
        body.need([target])
    else:
        x = body.local(source)
        body.need([source])
        body.put("local.tee", x)
        body.put("ref.test", target) if not null else body.add(form.RefTest(_TEST_NULL, target))
        then = body.nested((target,), (), (target,), lambda: _cast_local(body, op, x, target))
        orelse = body.nested((target,), (), (target,), lambda: None)
        body.put("if", body.block_type((), (target,)), then, orelse)
        return [target]
    body.add(form.RefCast(op, target))
    return [target]


def _cast_local(body: Body, op: Op, x: int, target: RefType) -> None:
    body.put("local.get", x)
    body.add(form.RefCast(op, target))
    body.stack = [target]


_TEST_NULL = BY_CODE[0xFB, 21]


@emits(form.BrOnCast, form.BrOnCastFail)
def br_on_cast(body: Body, op: Op) -> Left:
    """In a block of its own, whose result is what goes with the branch."""
    source, target = related(body)
    if not body.types.match_heap(target.heap, source.heap):
        return None
    rest = RefType(source.null and not target.null, source.heap)
    other = rest if op.form is form.BrOnCast else target
    result = RefType(True, source.heap)

    def inside() -> None:
        body.produce(source)
        body.put_op(op, 0, source, target)
        body.stack = [other]

    body.put("block", result, body.nested((result,), (), (result,), inside))
    return [result]


# Aggregate instructions


def known_struct(body: Body, mutable: bool = False) -> tuple[int, list[tuple[int, FieldType]]] | None:
    """A structure type that has fields, and these."""
    found = []
    for x in body.types.of(StructType):
        comp = body.types.comp(x)
        fields = [(i, f) for i, f in enumerate(comp.fields) if f.mut or not mutable] if isinstance(comp, StructType) else []
        if fields:
            found.append((x, fields))
    return body.choices.choose(found) if found else None


def known_array(body: Body, mutable: bool = False) -> tuple[int, FieldType] | None:
    found = []
    for x in body.types.of(ArrayType):
        comp = body.types.comp(x)
        if isinstance(comp, ArrayType) and (comp.field.mut or not mutable):
            found.append((x, comp.field))
    return body.choices.choose(found) if found else None


def target(body: Body, x: int) -> None:
    """A structure or array to work on; null, which traps, now and then."""
    body.produce(RefType(not body.safe(), x))


@emits(form.RefI31)
def ref_i31(body: Body, op: Op) -> Left:
    body.need([I32])
    body.add(form.RefI31(op))
    return [RefType(False, H.I31)]


@emits(form.I31Get)
def i31_get(body: Body, op: Op) -> Left:
    body.need([RefType(not body.safe(), H.I31)])
    body.add(form.I31Get(op))
    return [I32]


@emits(form.StructNew, form.StructNewDefault)
def struct_new(body: Body, op: Op) -> Left:
    x = body.choices.choose(body.types.of(StructType))
    comp = body.types.comp(x)
    if not isinstance(comp, StructType):
        return None
    if op.form is form.StructNewDefault:
        if not all(defaultable(field) for field in comp.fields):
            return None
    else:
        body.need([unpacked(field.storage) for field in comp.fields])
    body.put_op(op, x)
    return [RefType(False, x)]


@emits(form.StructGet)
def struct_get(body: Body, op: Op) -> Left:
    found = known_struct(body)
    if found is None:
        return None
    x, fields = found
    fitting = [(i, f) for i, f in fields if isinstance(f.storage, PackType) == (op.sx is not None)]
    if not fitting:
        return None
    i, f = body.choices.choose(fitting)
    target(body, x)
    body.put_op(op, x, i)
    return [unpacked(f.storage)]


@emits(form.StructSet)
def struct_set(body: Body, op: Op) -> Left:
    found = known_struct(body, mutable=True)
    if found is None:
        return None
    x, fields = found
    i, f = body.choices.choose(fields)
    target(body, x)
    body.produce(unpacked(f.storage))
    body.put_op(op, x, i)
    return []


@emits(form.ArrayNew, form.ArrayNewDefault, form.ArrayNewFixed)
def array_new(body: Body, op: Op) -> Left:
    found = known_array(body)
    if found is None:
        return None
    x, f = found
    if op.form is form.ArrayNewFixed:
        n = body.choices.between(0, 4)
        body.need([unpacked(f.storage)] * n)
        body.add(form.ArrayNewFixed(op, x, n))
        return [RefType(False, x)]
    if op.form is form.ArrayNewDefault:
        if not defaultable(f):
            return None
    else:
        body.produce(unpacked(f.storage))
    body.small(9)
    body.put_op(op, x)
    return [RefType(False, x)]


def numbers_array(body: Body, mutable: bool = False) -> tuple[int, int] | None:
    """An array type of numbers, and the bytes that each takes."""
    found = []
    for x in body.types.of(ArrayType):
        comp = body.types.comp(x)
        if isinstance(comp, ArrayType) and (comp.field.mut or not mutable) and not isinstance(comp.field.storage, RefType):
            found.append((x, _bytes(comp.field)))
    return body.choices.choose(found) if found else None


def _bytes(f: FieldType) -> int:
    if isinstance(f.storage, PackType):
        return 1 if f.storage is PackType.I8 else 2
    return WIDTHS[f.storage] // 8 if isinstance(f.storage, NumType | VecType) else 0


def _passive_data(body: Body) -> int | None:
    passive = [x for x, data in enumerate(body.space.datas) if data.mode is Mode.PASSIVE]
    return body.choices.choose(passive) if passive else None


@emits(form.ArrayNewData)
def array_new_data(body: Body, op: Op) -> Left:
    found, y = numbers_array(body), _passive_data(body)
    if found is None or y is None:
        return None
    within(body, len(body.space.datas[y].init), found[1])
    body.add(form.ArrayNewData(op, found[0], y))
    return [RefType(False, found[0])]


@emits(form.ArrayInitData)
def array_init_data(body: Body, op: Op) -> Left:
    found, y = numbers_array(body, mutable=True), _passive_data(body)
    if found is None or y is None:
        return None
    long_array(body, found[0])
    body.small(3)
    within(body, 4 * found[1], found[1])
    body.add(form.ArrayInitData(op, found[0], y))
    return []


def _references_array(body: Body, mutable: bool) -> tuple[int, int] | None:
    """An array type of references, and a passive segment that fits it."""
    found = []
    for x in body.types.of(ArrayType):
        comp = body.types.comp(x)
        if isinstance(comp, ArrayType) and (comp.field.mut or not mutable) and isinstance(comp.field.storage, RefType):
            for y, segment in enumerate(body.space.elems):
                if body.types.match(segment.type, comp.field.storage):
                    found.append((x, y))
    return body.choices.choose(found) if found else None


def _length(body: Body, y: int) -> int:
    return len(body.space.elems[y].inits) if body.space.elems[y].mode is Mode.PASSIVE else 0


@emits(form.ArrayNewElem)
def array_new_elem(body: Body, op: Op) -> Left:
    found = _references_array(body, mutable=False)
    if found is None:
        return None
    within(body, _length(body, found[1]))
    body.add(form.ArrayNewElem(op, *found))
    return [RefType(False, found[0])]


@emits(form.ArrayInitElem)
def array_init_elem(body: Body, op: Op) -> Left:
    found = _references_array(body, mutable=True)
    if found is None:
        return None
    long_array(body, found[0])
    body.small(3)
    within(body, min(3, _length(body, found[1])))
    body.add(form.ArrayInitElem(op, *found))
    return []


def long_array(body: Body, x: int) -> None:
    """An array of that very type with eight elements, in most cases."""
    comp = body.types.comp(x)
    if not isinstance(comp, ArrayType) or not body.safe():
        target(body, x)
        return
    body.produce(unpacked(comp.field.storage))
    body.const(I32, 8)
    body.put("array.new", x)


@emits(form.ArrayGet)
def array_get(body: Body, op: Op) -> Left:
    found = known_array(body)
    if found is None or isinstance(found[1].storage, PackType) != (op.sx is not None):
        return None
    long_array(body, found[0])
    masked(body, I32, 7)
    body.put_op(op, found[0])
    return [unpacked(found[1].storage)]


@emits(form.ArraySet)
def array_set(body: Body, op: Op) -> Left:
    """On an array that stays reachable through a local, so that the change can be seen."""
    found = known_array(body, mutable=True)
    if found is None:
        return None
    x, f = found
    long_array(body, x)
    at = body.local(RefType(True, x))
    body.put("local.tee", at)
    masked(body, I32, 7)
    body.produce(unpacked(f.storage))
    body.add(form.ArraySet(op, x))
    body.put("local.get", at)
    return [RefType(True, x)]


@emits(form.ArrayLen)
def array_len(body: Body, op: Op) -> Left:
    body.need([RefType(not body.safe(), H.ARRAY)])
    body.add(form.ArrayLen(op))
    return [I32]


@emits(form.ArrayFill)
def array_fill(body: Body, op: Op) -> Left:
    found = known_array(body, mutable=True)
    if found is None:
        return None
    x, f = found
    long_array(body, x)
    masked(body, I32, 3)
    body.produce(unpacked(f.storage))
    masked(body, I32, 3)
    body.add(form.ArrayFill(op, x))
    return []


@emits(form.ArrayCopy)
def array_copy(body: Body, op: Op) -> Left:
    found = known_array(body, mutable=True)
    if found is None:
        return None
    x, f = found
    long_array(body, x)
    at = body.local(RefType(True, x))
    body.put("local.tee", at)
    if body.choices.chance(60):
        y = x
        _copied_onto_itself(body, x, f, at)
    else:
        y = body.choices.choose([y for y in body.types.of(ArrayType) if _copies(body, y, f)])
        masked(body, I32, 3)
        long_array(body, y)
        masked(body, I32, 3)
        masked(body, I32, 3)
    body.add(form.ArrayCopy(op, x, y))
    body.put("local.get", at)
    return [RefType(True, x)]


def _copied_onto_itself(body: Body, x: int, f: FieldType, at: int) -> None:
    """What a copy takes, after the array itself, which is on the stack: ranges that overlap, mostly upwards, and the first of the elements
    that are copied is not like the others. Else nobody sees in which order they are."""
    start, by = body.choices.between(0, 2), body.choices.between(1, 2)
    body.const(I32, start)
    body.produce(unpacked(f.storage))
    body.put("array.set", x)
    to = start + by
    if body.choices.chance(20):
        start, to = to, start
    for offset in (to, start):
        body.put("local.get", at)
        if body.safe():
            body.put("ref.as_non_null")
        body.const(I32, offset)
    body.const(I32, 3)


def _copies(body: Body, y: int, f: FieldType) -> bool:
    """Whether elements of array type y fit into the field."""
    comp = body.types.comp(y)
    if not isinstance(comp, ArrayType):
        return False
    source = comp.field.storage
    if isinstance(source, PackType) or isinstance(f.storage, PackType):
        return source is f.storage
    return body.types.match(source, f.storage)


@emits(form.AnyConvertExtern, form.ExternConvertAny)
def convert(body: Body, op: Op) -> Left:
    source, result = (H.EXTERN, H.ANY) if op.form is form.AnyConvertExtern else (H.ANY, H.EXTERN)
    null = not body.choices.chance(60)
    body.need([RefType(null, source)])
    body.put_op(op)
    return [RefType(null, result)]
