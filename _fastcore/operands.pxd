"""What every rule does with the abstract stack: take, give and compare types; and the words when they do not fit.

A rule with several operands says first what it `expect`s of the stack, all at once, and then takes them with VT_BOT.
"""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.translator cimport Tr, Val
from pywasm_ref._fastcore.words cimport Words

cdef Val pop(Tr* tr, uint32_t wanted) noexcept nogil
cdef Val pop_ref(Tr* tr) noexcept nogil
cdef bint expect(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil
cdef bint expect_with(Tr* tr, const uint32_t* types, uint32_t n, uint32_t last) noexcept nogil
cdef bint expect2(Tr* tr, uint32_t t1, uint32_t t2) noexcept nogil
cdef bint expect3(Tr* tr, uint32_t t1, uint32_t t2, uint32_t t3) noexcept nogil
cdef void check_top(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil
cdef bint check_end(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil
cdef void push_types(Tr* tr, const uint32_t* types, uint32_t n, int kind) noexcept nogil
cdef void set_unreachable(Tr* tr) noexcept nogil
cdef bint affordable(Tr* tr, uint64_t n) noexcept nogil

cdef void put_stack(Words* w, Tr* tr, uint32_t n) noexcept nogil
cdef bint exists(Tr* tr, const char* words, uint32_t x, uint32_t n) noexcept nogil
cdef void refuse_at(Tr* tr, const char* words, uint64_t x) noexcept nogil
cdef void mismatch(Tr* tr) noexcept nogil
cdef void mismatch_of(Tr* tr, const char* one, uint32_t t1, const char* other, uint32_t t2) noexcept nogil
cdef void mismatch_lists(Tr* tr, const char* one, const uint32_t* types1, uint32_t n1, const char* other, const uint32_t* types2,
                         uint32_t n2) noexcept nogil

cdef uint32_t value_type(Tr* tr) noexcept nogil
cdef uint32_t heap_type(Tr* tr) noexcept nogil
cdef bint data_index(Tr* tr, uint32_t x) noexcept nogil

cdef bint is_set(Tr* tr, uint32_t x) noexcept nogil
cdef bint note_set(Tr* tr, uint32_t x) noexcept nogil
cdef void forget_set(Tr* tr, uint32_t height) noexcept nogil
