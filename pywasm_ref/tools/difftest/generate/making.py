"""References: how to make one of each type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.features import Feature
from pywasm_ref.syntax.instructions import Catch, CatchKind
from pywasm_ref.syntax.types import I32, ArrayType, FieldType, FuncType, RefType, StructType
from pywasm_ref.tools.difftest.generate.space import unpacked
from pywasm_ref.tools.difftest.generate.types import BOTTOMS, H

if TYPE_CHECKING:
    from pywasm_ref.tools.difftest.generate.body import Body


def reference(body: Body, t: RefType) -> None:
    """A reference of that type on top of the stack; null where that is all there is, or by chance."""
    heap = t.heap
    ends = body.depth > 5 or body.budget <= 0
    if t.null and (ends or heap in BOTTOMS or body.choices.chance(25) or not can_make(body, heap)):
        body.put("ref.null", heap)
    elif isinstance(heap, int):
        defined(body, heap)
    elif heap is H.FUNC:
        body.put("ref.func", body.choices.below(len(body.space.funcs)))
    elif heap is H.EXN:
        exception(body)
    elif heap is H.EXTERN:
        reference(body, RefType(False, H.ANY))
        body.put("extern.convert_any")
    else:
        internal(body, heap)


def can_make(body: Body, heap: object) -> bool:
    if heap is H.EXN:
        return body.space.has(Feature.EXCEPTIONS) and bool(body.space.tags) and body.budget > 0
    return heap is H.FUNC or heap is not H.EXTERN or body.types.gc


def internal(body: Body, heap: object) -> None:
    """An i31, a structure or an array, as the abstract type allows."""
    if heap is H.I31 or (heap in (H.ANY, H.EQ) and body.choices.chance(40)):
        body.produce(I32)
        body.put("ref.i31")
        return
    kinds = [StructType] if heap is H.STRUCT else [ArrayType] if heap is H.ARRAY else [StructType, ArrayType]
    known = [x for kind in kinds for x in body.types.of(kind)]
    simple = body.depth > 4 or body.budget <= 0
    defined(body, known[0] if simple else body.choices.choose(known))


def defined(body: Body, x: int) -> None:
    """A reference to a function, structure or array of that type, or of one below it."""
    comp = body.types.comp(x)
    if isinstance(comp, FuncType):
        body.put("ref.func", body.choices.choose(body.space.funcs_of(x)))
        return
    if body.budget > 0 and body.depth < 5 and body.choices.chance(30):
        x = body.choices.choose([y for y in range(len(body.types.flat)) if body.types.below(y, x)])
        comp = body.types.comp(x)
    if isinstance(comp, StructType):
        new_struct(body, x, comp)
    elif isinstance(comp, ArrayType):
        new_array(body, x, comp)


def defaultable(field: FieldType) -> bool:
    return not isinstance(field.storage, RefType) or field.storage.null


def new_struct(body: Body, x: int, comp: StructType) -> None:
    if all(defaultable(field) for field in comp.fields) and (body.budget <= 0 or body.depth > 5 or body.choices.chance(40)):
        body.put("struct.new_default", x)
        return
    for field in comp.fields:
        body.produce(unpacked(field.storage))
    body.put("struct.new", x)


def new_array(body: Body, x: int, comp: ArrayType) -> None:
    if defaultable(comp.field) and (body.budget <= 0 or body.depth > 5 or body.choices.chance(30)):
        body.small(9)
        body.put("array.new_default", x)
    elif body.choices.chance(50):
        body.produce(unpacked(comp.field.storage))
        body.small(9)
        body.put("array.new", x)
    else:
        n = body.choices.between(0, 4)
        for _ in range(n):
            body.produce(unpacked(comp.field.storage))
        body.put("array.new_fixed", x, n)


def exception(body: Body) -> None:
    """Throw and catch: an exception as a value."""
    tag = body.choices.below(len(body.space.tags))

    def around() -> None:
        inside = body.nested((), (), (), throwing)
        body.put("try_table", None, (Catch(CatchKind.CATCH_ALL_REF, None, 0),), inside)
        body.put("unreachable")

    def throwing() -> None:
        for t in body.tag_types(tag):
            body.produce(t)
        body.put("throw", tag)

    caught = RefType(not body.space.has(Feature.FUNCTION_REFERENCES), H.EXN)
    body.put("block", caught, body.nested((caught,), (), (), around))
