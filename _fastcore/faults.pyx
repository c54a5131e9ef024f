"""See faults.pxd."""

from libc.stdint cimport uint8_t
from pywasm_ref._fastcore.names cimport read_names
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.unit cimport *

from pywasm_ref.errors import Exhaustion, Invalid, Malformed
from pywasm_ref.isa import BY_CODE

DELIMITERS = (0x05, 0x07, 0x0B, 0x18, 0x19)


cdef str mnemonic(Unit* unit):
    """Of the instruction at the fault; what ends a block, or a part of one, is `end`."""
    cdef Reader r = unit.r
    cdef uint8_t byte
    r.at = r.start + r.fault_at
    r.end = r.at + 8
    byte = r.at[0]
    if byte in DELIMITERS:
        return "end"
    r.at += 1
    code: object = byte
    if 0xFB <= byte <= 0xFE:
        code = (byte, u32(&r))
    return BY_CODE[code].mnemonic


cdef str where(Unit* unit, names):
    if unit.where == AT_NO_CONSTANT:
        return f": {mnemonic(unit)} is not constant"
    if unit.where == AT_CONSTANT_EXPRESSION:
        return f" ({mnemonic(unit)} in constant expression)"
    if unit.where == AT_ENTRY:
        return ""
    funcs = read_names(unit).get("funcs", {}) if names is None else names.funcs
    name = funcs.get(unit.where_func)
    function = f"function {unit.where_func}" if name is None else f"function {unit.where_func} ${name}"
    return f" ({mnemonic(unit)} in {function})"


cdef object fault_error(Unit* unit, names):
    """None when there is no fault. A module that was parsed from a text brings its names, else the binary has them."""
    cdef int fault = unit.r.fault
    if fault == FAULT_NONE:
        return None
    if fault == FAULT_MEMORY or unit.r.words == NULL:
        return MemoryError()
    words = unit.r.words.decode()
    if fault == FAULT_MALFORMED:
        return Malformed(words, unit.r.fault_at)
    if fault == FAULT_INVALID:
        return Invalid(words + where(unit, names), unit.r.fault_at)
    if fault == FAULT_LIMIT:
        return Exhaustion(words + where(unit, names), unit.r.fault_at)
    return NotImplementedError(f"{words} @{unit.r.fault_at:#x}")
