"""Walking the frames of the value stack: which function a word of code belongs to, and who called it."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Mark, S, W
from pywasm_ref._fastcore.unit cimport Unit

cdef struct Place:
    # An instruction that is being executed, in a frame.
    Ctx* ctx
    W* pc                   # its first word; for a call that is under way, some word of it
    S* fp
    Code* code              # NULL where no function of a guest is
    Mark* mark              # that of the frame that was left last, or NULL

cdef Code* code_at(Ctx* ctx, W* pc) noexcept nogil
cdef bint stand(Place* place, Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef bint outward(Place* place) noexcept nogil
cdef uint32_t offset_of(Place* place) noexcept nogil
cdef S* end_of_frame(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef void set_words(uint64_t (*word)(uint32_t) noexcept nogil) noexcept nogil
cdef uint64_t halt_word() noexcept nogil
cdef uint64_t lower_word() noexcept nogil
cdef W* restore_word() noexcept nogil
cdef bint restores(W* back) noexcept nogil
cdef bint is_tail_call(W* pc) noexcept nogil
