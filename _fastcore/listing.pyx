"""What the translator made of a module's functions: for people, and for the choice of superinstructions."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport Code, W
from pywasm_ref._fastcore.modules cimport Module
from pywasm_ref._fastcore.sections cimport meter
from pywasm_ref._fastcore.tables cimport HANDLERS, tables

from pywasm_ref._fastcore.tables import HANDLER_NAMES


def listing(Module module not None, bint metered=False) -> list:
    """For each defined function its operations: the word where each begins, the handler's name, and the words that it may branch to.

    A superinstruction is listed as the operations that it stands for, the first one with the name of all.
    """
    cdef Code* codes
    module.check()
    if metered and meter(module.unit) < 0:
        raise MemoryError
    codes = module.unit.metered if metered else module.unit.codes
    numbers = {handler_word(i): i for i in range(1, HANDLERS)}
    return [operations(&codes[i], numbers) for i in range(module.unit.n_codes)]


cdef list operations(Code* code, dict numbers):
    cdef uint32_t at = 0
    cdef W* w
    cdef list found = []
    while at < code.n_words:
        w = code.entry + at
        name = HANDLER_NAMES[numbers[w.u]]
        own = name.partition("__")[0]
        targets = []
        length = tables().lengths[HANDLER_NAMES.index(own)]
        if own.startswith("br_table_shared"):
            step = 2 if own.startswith("br_table_shared_paid") else 1
            targets = [w[2].t[step * i].t - code.entry for i in range(w[1].w[1] + 1)]
        elif own.startswith("br_table"):
            step = 2 if own.startswith("br_table_paid") else 1
            targets = [w[2 + step * i].t - code.entry for i in range(w[1].w[1] + 1)]
            length += step * len(targets)
        elif own.startswith("br"):
            targets = [w[2].t - code.entry]
        found.append((at, name, targets))
        at += length
    return found
