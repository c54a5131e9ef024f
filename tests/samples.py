"""Instructions of every row of the table, with immediates at their edges."""

from pywasm_ref.binary.immediates import NESTED
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Catch, CatchKind, Instr, Op
from pywasm_ref.syntax.types import I32, AbsHeapType, RefType

SAMPLES: dict[str, tuple[tuple[object, ...], ...]] = {
    "u32": ((0,), (2**32 - 1,)),
    "memidx": ((0,), (3,)),
    "tableidx typeidx": ((0, 1), (200, 300)),
    "memidx dataidx": ((0, 1), (200, 300)),
    "tableidx elemidx": ((0, 1), (200, 300)),
    "labelidx*": (((),), ((1, 2, 300),)),
    "blocktype": ((None,), (I32,), (5,), (300,), (RefType(False, 7),)),
    "catch*": (((),), ((Catch(CatchKind.CATCH, 1, 2), Catch(CatchKind.CATCH_ALL_REF, None, 300)),)),
    "memarg": ((0, 2, 0), (0, 0, 2**64 - 1), (9, 3, 128)),
    "laneidx": ((0,), (255,)),
    "laneidx*16": ((tuple(range(16)),),),
    "i32": ((0,), (2**31,), (2**32 - 1,), (63,), (64,)),
    "i64": ((0,), (2**63,), (2**64 - 1,)),
    "f32": ((0,), (0x7FA00001,)),
    "f64": ((0,), (0x7FF4000000000001,)),
    "v128": ((0,), (2**128 - 2,)),
    "heaptype": ((AbsHeapType.FUNC,), (AbsHeapType.NOEXN,), (0,), (64,), (2**32 - 1,)),
    "ref heaptype": ((RefType(False, AbsHeapType.ANY),), (RefType(False, 70),)),
    "ref null heaptype": ((RefType(True, AbsHeapType.ANY),), (RefType(True, 70),)),
    "valtype*": (((),), ((I32,),), ((I32, RefType(True, AbsHeapType.EXTERN), RefType(True, 3)),)),
    "labelidx castop": ((1, RefType(True, AbsHeapType.ANY), RefType(False, 300)), (0, RefType(False, 1), RefType(True, 2))),
    "zero": ((),),
}
INDEX: tuple[tuple[object, ...], ...] = ((0,), (127,), (128,), (2**32 - 1,))


def instances(row: Op) -> list[Instr]:
    """Instructions of a row, with all samples of its first immediate and the first of the others."""
    kinds = [kind for kind in row.immediates if kind not in NESTED]
    nested: tuple[object, ...] = tuple(() for kind in row.immediates if kind in NESTED)
    if row.form is form.Try:
        nested = ((), (), None)
    rest = tuple(part for kind in kinds[1:] for part in SAMPLES.get(kind, INDEX)[0])
    firsts = SAMPLES.get(kinds[0], INDEX) if kinds else ((),)
    return [row.form(row, *first, *rest, *nested) for first in firsts]
