"""See words.pxd. The notation is that of the reference validator: defined types by their first index in the module."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, strlen
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.types cimport type_of
from pywasm_ref._fastcore.unit cimport Unit

cdef enum:
    MOST_SHOWN = 20

cdef const char* PLAIN[8]
cdef const char* HEAPS[13]
cdef const char* SHORT[13]
PLAIN[:] = [b"bot", b"i32", b"i64", b"f32", b"f64", b"v128", b"i8", b"i16"]
HEAPS[:] = [b"func", b"extern", b"any", b"eq", b"i31", b"struct", b"array", b"none", b"nofunc", b"exn", b"noexn", b"noextern", b"bot"]
SHORT[:] = [b"funcref", b"externref", b"anyref", b"eqref", b"i31ref", b"structref", b"arrayref", b"nullref", b"nullfuncref", b"exnref",
            b"nullexnref", b"nullexternref", b"botref"]


cdef Words begin_words() noexcept nogil:
    cdef Words w
    w.n = 0
    w.text[0] = 0
    return w


cdef void put(Words* w, const char* text) noexcept nogil:
    """What does not fit is left out."""
    cdef size_t size = strlen(text)
    if w.n + size >= sizeof(w.text):
        return
    memcpy(w.text + w.n, text, size + 1)
    w.n += <uint32_t>size


cdef void put_number(Words* w, uint64_t x) noexcept nogil:
    cdef char digits[24]
    snprintf(digits, sizeof(digits), b"%llu", <unsigned long long>x)
    put(w, digits)


cdef void put_heap(Words* w, Unit* unit, uint32_t heap) noexcept nogil:
    """One that the module does not have is named by its kind."""
    cdef uint32_t i
    if heap < HT_DEFINED:
        put(w, HEAPS[heap])
        return
    for i in range(unit.n_types):
        if unit.types[i].heap == heap:
            put_number(w, i)
            return
    put(w, b"<")
    put(w, HEAPS[type_of(heap).kind])
    put(w, b">")


cdef void put_type(Words* w, Unit* unit, uint32_t t) noexcept nogil:
    """`i32`, `funcref`, `(ref null 3)`."""
    if not t & VT_REF:
        put(w, PLAIN[t])
    elif t & VT_NULL and t & VT_HEAP < HT_DEFINED:
        put(w, SHORT[t & VT_HEAP])
    else:
        put(w, b"(ref null " if t & VT_NULL else b"(ref ")
        put_heap(w, unit, t & VT_HEAP)
        put(w, b")")


cdef void put_types(Words* w, Unit* unit, const uint32_t* types, uint32_t n) noexcept nogil:
    """`[i32 i64]`; of a long list the last ones, which are the top of the stack."""
    cdef uint32_t i
    put(w, b"[")
    if n > MOST_SHOWN:
        put(w, b"\xe2\x80\xa6 ")
    for i in range(n - MOST_SHOWN if n > MOST_SHOWN else 0, n):
        put_type(w, unit, types[i])
        if i + 1 < n:
            put(w, b" ")
    put(w, b"]")
