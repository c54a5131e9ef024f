"""Short beginnings of loops that end in a br_table, as interpreters have them, stand once more where the code goes back to them.

So each arm of the loop dispatches by itself, with one jump fewer, and processors can tell the arms apart. A copy shares the jump table, and
takes from the accumulator what the arm has just made, which is mostly the counter of the interpreter's program.
"""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Ctrl, Tr

cdef void note_head(Tr* tr, uint32_t loop, uint32_t n) noexcept nogil
cdef bint repeat_head(Tr* tr, Ctrl* c) noexcept nogil
