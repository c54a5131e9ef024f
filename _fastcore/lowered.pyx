"""See lowered.pxd.

    16 bytes    how many functions; is there an instruction that names a data segment; two numbers of the engine's own
    functions   words, places, handlers of exceptions, frame, hdr, 0; then those words, places and handlers

All numbers but words have 32 bits. In a word that is an address stands a number: that of the handler, the word in the function that a label
is, the function's index among those that are defined, the type's index. Which words these are is known for each handler.

Whatever the bytes are, loading them reads and writes nothing outside, and all addresses are of what they should be. But what operations do
with slots is not looked at once more: only bytes that are known to come from here may be loaded (`embedding/serialized.py`).
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport bsearch, free, malloc, qsort
from libc.string cimport memcpy
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport HANDLE_ALL, HANDLE_DELEGATE, Code, Handler, W
from pywasm_ref._fastcore.reader cimport out_of_memory
from pywasm_ref._fastcore.tables cimport (
    HANDLERS, OPERATIONS, THIRD_CODE, THIRD_LABEL, THIRD_LABELS, THIRD_TYPE, Tables, tables,
)
from pywasm_ref._fastcore.unit cimport Unit

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char*, Py_ssize_t)

cdef enum:
    HEAD = 16
    FUNCTION = 24
    PLACE = 8
    HANDLER = 32
    LARGEST = 0x20000       # slots of a frame

cdef struct Known:
    # An address and its number.
    uint64_t address
    uint32_t number


# Either way


cdef uint64_t size_of_code(Code* code) noexcept nogil:
    return FUNCTION + <uint64_t>code.n_words * sizeof(W) + <uint64_t>code.n_places * PLACE + <uint64_t>code.n_handlers * HANDLER


cdef uint32_t span(const Tables* t, const W* w, uint32_t left) noexcept nogil:
    """Words of the operation whose handler's number is in w, of which so many are there; 0 when it is none, or does not end there."""
    cdef uint64_t n
    if w.u == 0 or w.u >= HANDLERS or left < t.spans[w.u]:
        return 0
    n = t.lengths[t.own[w.u]]
    if t.thirds[t.own[w.u]] == THIRD_LABELS:
        if left < 2:
            return 0
        n = 3 + <uint64_t>w[1].w[1]
    return <uint32_t>n if 0 < n <= left else 0


cdef int by_address(const void* a, const void* b) noexcept nogil:
    cdef uint64_t x = (<const Known*>a).address
    cdef uint64_t y = (<const Known*>b).address
    return -1 if x < y else x > y


# Out


cdef class Numbers:
    """The numbers of addresses."""

    cdef Known* known
    cdef uint32_t n

    def __cinit__(self, uint32_t room):
        self.known = <Known*>malloc((<uint64_t>room + 1) * sizeof(Known))
        if self.known == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.known)

    cdef void add(self, uint64_t address, uint32_t number) noexcept:
        self.known[self.n].address = address
        self.known[self.n].number = number
        self.n += 1

    cdef int sort(self) except -1:
        qsort(self.known, self.n, sizeof(Known), by_address)
        return 0

    cdef uint32_t of(self, uint64_t address) except? 0xffffffff:
        cdef Known wanted
        cdef Known* found
        wanted.address = address
        found = <Known*>bsearch(&wanted, self.known, self.n, sizeof(Known), by_address)
        if found == NULL:
            raise SystemError("code mentions an address that nobody knows")
        return found.number


cdef Numbers numbers_of_handlers():
    cdef Numbers numbers = Numbers(HANDLERS)
    cdef uint32_t i
    for i in range(1, HANDLERS):
        numbers.add(handler_word(i), i)
    numbers.sort()
    return numbers


cdef Numbers numbers_of_types(Unit* unit):
    """Equal types have one address, and any of their indices will do: the first, so that bytes are always the same."""
    cdef Numbers numbers = Numbers(unit.n_types)
    cdef uint32_t i
    cdef set seen = set()
    for i in range(unit.n_types):
        if <uint64_t>unit.types[i] not in seen:
            seen.add(<uint64_t>unit.types[i])
            numbers.add(<uint64_t>unit.types[i], i)
    numbers.sort()
    return numbers


cdef bytes dump_codes(Unit* unit):
    """The functions of a valid module."""
    cdef Numbers handlers = numbers_of_handlers()
    cdef Numbers types = numbers_of_types(unit)
    cdef uint64_t size = HEAD
    cdef uint32_t i
    cdef bytes data
    cdef uint8_t* at
    cdef uint32_t head[4]
    for i in range(unit.n_codes):
        size += size_of_code(&unit.codes[i])
    data = PyBytes_FromStringAndSize(NULL, size)
    at = <uint8_t*><const char*>data
    head[:] = [unit.n_codes, unit.uses_data, HANDLERS, OPERATIONS]
    memcpy(at, head, HEAD)
    at += HEAD
    for i in range(unit.n_codes):
        dump_one(unit, &unit.codes[i], handlers, types, at)
        at += size_of_code(&unit.codes[i])
    return data


cdef int dump_one(Unit* unit, Code* code, Numbers handlers, Numbers types, uint8_t* at) except -1:
    cdef uint32_t head[6]
    cdef uint32_t h[8]
    cdef uint32_t i
    cdef Handler* handler
    head[:] = [code.n_words, code.n_places, code.n_handlers, code.frame, code.hdr, 0]
    memcpy(at, head, FUNCTION)
    at += FUNCTION
    memcpy(at, code.entry, code.n_words * sizeof(W))
    number_words(unit, code, <W*>at, handlers, types)
    at += code.n_words * sizeof(W)
    memcpy(at, code.places, code.n_places * PLACE)
    at += code.n_places * PLACE
    for i in range(code.n_handlers):
        handler = &code.handlers[i]
        h[:] = [handler.start, handler.end, handler.landing, handler.slot, handler.tag, handler.depth,
                handler.copies | handler.keeps << 8 | handler.first << 16, 0]
        memcpy(at + i * HANDLER, h, HANDLER)
    return 0


cdef int number_words(Unit* unit, Code* code, W* words, Numbers handlers, Numbers types) except -1:
    """Numbers in the place of addresses."""
    cdef const Tables* t = tables()
    cdef uint32_t at = 0, n, i
    cdef uint8_t third
    cdef W* w
    while at < code.n_words:
        w = words + at
        w[0].u = handlers.of(w[0].u)
        third = t.thirds[t.own[w[0].u]]
        n = span(t, w, code.n_words - at)
        if n == 0:
            raise SystemError("code does not consist of operations")
        if third == THIRD_LABEL or third == THIRD_LABELS:
            for i in range(2, 3 if third == THIRD_LABEL else n):
                w[i].u = w[i].t - code.entry
        elif third == THIRD_CODE:
            w[2].u = w[2].code - unit.codes
        elif third == THIRD_TYPE:
            w[2].u = types.of(w[2].u)
        at += n
    return 0


# In


cdef int load_codes(Unit* unit, const uint8_t* data, uint64_t size) noexcept nogil:
    """Take the functions that a module defines, of which types and numbers are known. -1 for bytes that do not fit, or without memory."""
    cdef uint32_t head[4]
    cdef uint32_t i
    cdef uint64_t used
    if size < HEAD:
        return -1
    memcpy(head, data, HEAD)
    if head[0] != unit.n_codes or head[2] != HANDLERS or head[3] != OPERATIONS:
        return -1
    unit.uses_data = head[1] != 0
    data += HEAD
    size -= HEAD
    for i in range(unit.n_codes):
        used = load_one(unit, &unit.codes[i], data, size)
        if used == 0:
            return -1
        data += used
        size -= used
    return 0 if size == 0 else -1


cdef uint64_t load_one(Unit* unit, Code* code, const uint8_t* data, uint64_t size) noexcept nogil:
    """How many bytes of them belong to the function; 0 when something does not fit. What is allocated is freed with the unit."""
    cdef uint32_t head[6]
    if size < FUNCTION:
        return 0
    memcpy(head, data, FUNCTION)
    code.n_words, code.n_places, code.n_handlers, code.frame, code.hdr = head[0], head[1], head[2], head[3], head[4]
    code.cost = 1
    if size_of_code(code) > size or code.n_words == 0 or not fits_frame(code):
        code.n_words = code.n_places = code.n_handlers = 0
        return 0
    code.entry = <W*>malloc(code.n_words * sizeof(W))
    code.places = <uint32_t*>malloc((<uint64_t>code.n_places + 1) * PLACE)
    code.handlers = <Handler*>malloc(code.n_handlers * sizeof(Handler)) if code.n_handlers else NULL
    if code.entry == NULL or code.places == NULL or (code.n_handlers and code.handlers == NULL):
        out_of_memory(&unit.r)
        return 0
    data += FUNCTION
    memcpy(code.entry, data, code.n_words * sizeof(W))
    data += code.n_words * sizeof(W)
    memcpy(code.places, data, code.n_places * PLACE)
    if not address_words(unit, code) or not load_handlers(unit, code, data + code.n_places * PLACE):
        return 0
    return size_of_code(code)


cdef bint fits_frame(Code* code) noexcept nogil:
    return max(code.type.param_slots, code.type.result_slots) <= code.hdr and <uint64_t>code.hdr + 2 <= code.frame <= LARGEST


cdef bint address_words(Unit* unit, Code* code) noexcept nogil:
    """Addresses in the place of numbers; False when a number is too large."""
    cdef const Tables* t = tables()
    cdef uint32_t at = 0, n, i
    cdef uint8_t third
    cdef W* w
    while at < code.n_words:
        w = code.entry + at
        n = span(t, w, code.n_words - at)
        if n == 0:
            return False
        third = t.thirds[t.own[w[0].u]]
        w[0].u = handler_word(<uint32_t>w[0].u)
        if third == THIRD_LABEL or third == THIRD_LABELS:
            for i in range(2, 3 if third == THIRD_LABEL else n):
                if w[i].u >= code.n_words:
                    return False
                w[i].t = code.entry + w[i].u
        elif third == THIRD_CODE:
            if w[2].u >= unit.n_codes:
                return False
            w[2].code = &unit.codes[w[2].u]
        elif third == THIRD_TYPE:
            if w[2].u >= unit.n_types:
                return False
            w[2].v = unit.types[w[2].u]
        at += n
    return True


cdef bint load_handlers(Unit* unit, Code* code, const uint8_t* data) noexcept nogil:
    cdef uint32_t h[8]
    cdef uint32_t i
    cdef Handler* handler
    for i in range(code.n_handlers):
        memcpy(h, data + i * HANDLER, HANDLER)
        handler = &code.handlers[i]
        handler.start, handler.end, handler.landing, handler.slot, handler.tag, handler.depth = h[0], h[1], h[2], h[3], h[4], h[5]
        handler.copies, handler.keeps, handler.first = <uint8_t>h[6], <uint8_t>(h[6] >> 8), <uint8_t>(h[6] >> 16)
        if handler.tag == HANDLE_DELEGATE:
            continue
        if handler.landing >= code.n_words or handler.slot > code.frame or (handler.tag != HANDLE_ALL and handler.tag >= unit.n_tags):
            return False
    return True
