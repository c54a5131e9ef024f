"""The host module `spectest`, which scripts may import from without registering it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Extern, Store, Value
from pywasm_ref.features import Feature, Features
from pywasm_ref.syntax.types import F32, F64, FUNCREF, I32, I64, FuncType, GlobalType, Limits, MemType, TableType, ValType
from pywasm_ref.validation.types import functype_deftype

PRINTERS: dict[str, tuple[ValType, ...]] = {
    "print": (),
    "print_i32": (I32,),
    "print_i64": (I64,),
    "print_f32": (F32,),
    "print_f64": (F64,),
    "print_i32_f32": (I32, F32),
    "print_f64_f64": (F64, F64),
}
GLOBALS: dict[str, tuple[ValType, Value]] = {
    "global_i32": (I32, 666),
    "global_i64": (I64, 666),
    "global_f32": (F32, int.from_bytes(struct.pack("<f", 666.6), "little")),
    "global_f64": (F64, int.from_bytes(struct.pack("<d", 666.6), "little")),
}


def spectest(store: Store, features: Features) -> dict[str, Extern]:
    """The exports by name, fresh in this store. The print functions take their arguments and stay silent."""
    exports: dict[str, Extern] = {}
    for name, params in PRINTERS.items():
        exports[name] = functions.func_alloc(store, functype_deftype(FuncType(params, ())), _silent)
    for name, (t, value) in GLOBALS.items():
        exports[name] = functions.global_alloc(store, GlobalType(False, t), value)
    exports["table"] = functions.table_alloc(store, TableType(I32, Limits(10, 20), FUNCREF), None)
    exports["table64"] = functions.table_alloc(store, TableType(I64, Limits(10, 20), FUNCREF), None)
    exports["memory"] = functions.mem_alloc(store, MemType(I32, Limits(1, 2)))
    if Feature.THREADS in features:
        exports["shared_memory"] = functions.mem_alloc(store, MemType(I32, Limits(1, 2), shared=True))
    return exports


def _silent(args: Sequence[Value]) -> Sequence[Value]:
    return ()
