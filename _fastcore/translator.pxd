"""State of the one pass that validates a function and lowers it to code words."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Code, Handler, Type, W
from pywasm_ref._fastcore.reader cimport Reader
from pywasm_ref._fastcore.tables cimport Tables
from pywasm_ref._fastcore.unit cimport Unit

cdef enum ValKind:
    # Where a value of the abstract stack is. The numbers of the last three are those of operand kinds in `tables.variants`.
    AT_LOCAL = 0            # not read yet: in local `index`
    AT_SLOT = 1             # in its canonical slot
    AT_REGISTER = 2         # in the accumulator of its class, and nowhere else
    AT_CONSTANT = 3         # not made yet: `bits`

cdef struct Val:
    uint32_t type
    uint32_t slot           # canonical
    uint32_t index
    int32_t producer        # operation of this block that made it, or -1
    uint64_t bits
    uint8_t kind

cdef struct Ctrl:
    uint8_t opcode
    bint unreachable
    bint live               # was the code before it reachable
    bint wanted             # does anything branch to it
    uint32_t height         # values below it
    uint32_t slots          # the first slot above those
    Type* type              # of the block
    uint32_t label          # where a branch goes
    uint32_t otherwise      # the label of `else`
    uint32_t stub           # of a br_table: label that moves values and goes on to this one
    uint32_t stub_round
    uint32_t next_stub      # the block, + 1, that the br_table had a stub for before this one
    uint32_t start          # of a try: where its words begin, and end
    uint32_t end
    uint32_t waiting        # its handlers among those that wait
    uint32_t handler        # of a legacy catch
    const uint8_t* at       # its opcode
    uint32_t inits          # how many locals without a default had been set before it
    uint32_t head           # of a loop: its first operations, see repeats.pyx, where they begin in `Tr.heads`, and how many
    uint32_t head_ops
    uint32_t head_words

cdef struct Ir:
    uint16_t op
    uint8_t ka
    uint8_t kb
    uint8_t writes          # the result is wanted in slot `dst` too
    uint8_t reads           # a bit for each of a, b, x that is a slot that is read
    uint8_t places          # may trap or call: belongs into the table of places
    uint8_t extras          # words behind the second
    uint32_t a
    uint32_t b
    uint32_t x
    uint32_t dst
    uint64_t k              # constant operand, or offset
    uint64_t extra
    uint64_t offset
    uint32_t label          # + 1; the third word is its address
    uint32_t at             # byte offset in the module
    uint32_t handler        # once it is encoded
    uint32_t word
    uint32_t stretch        # of metered code, see fuel.pyx: where it belongs
    uint32_t paid           # instructions of the stretch up to this one

cdef enum:
    MAX_SLOT = 65535        # that an operation can name

cdef struct Run:
    # Locals of one type beyond those that have entries from the beginning; see locals.pxd.
    uint32_t first
    uint32_t type
    uint32_t slot           # of the first
    uint32_t shared         # the entry, + 1, of all of them: they are too many to be laid out

cdef struct Fix:
    uint32_t word
    uint32_t label

cdef struct Point:
    # A place in metered code: behind so many instructions of a stretch.
    uint32_t stretch
    uint32_t paid

cdef struct Charge:
    # The second half-word of a word of a branch or of `fuel`, which is known when all stretches are.
    uint32_t word
    uint32_t label          # NO_LABEL for `fuel`
    Point at

cdef struct Step:
    uint32_t word
    uint32_t handler
    Point at

cdef enum:
    NO_LABEL = 0xffffffffU
    LONGEST_STRETCH = 30000 # so that the difference of two prices fits in half a word

cdef struct Tr:
    bint metered
    bint owing              # the next stretch begins here, and its `fuel` is not there yet
    bint ended              # nothing falls into what comes next
    uint32_t stretch
    uint32_t paid           # instructions of this stretch so far
    uint32_t* totals        # of each stretch
    uint32_t cap_totals
    Point* points           # of labels
    uint32_t cap_points
    Charge* charges
    uint32_t n_charges, cap_charges
    Step* steps             # each operation
    uint32_t n_steps, cap_steps
    Code* codes             # of the functions that the module defines, for calls
    Unit* unit
    Reader* r
    Tables* tables
    Code* code
    Type* type
    uint64_t work           # values that blocks, calls and branches of the module have pushed and compared by their types, and long parameters
    bint live
    bint entering           # this is the first block, and its first operation makes locals zero
    bint failed
    bint giant              # its frame is larger than operations can say: it is validated, and calling it exhausts the stack
    const uint8_t* at       # the opcode that is being read
    Val* vals
    uint32_t n_vals, cap_vals
    Ctrl* ctrls
    uint32_t n_ctrls, cap_ctrls
    Ir* irs
    uint32_t n_irs, cap_irs
    W* words
    uint32_t n_words, cap_words
    uint32_t* labels
    uint32_t n_labels, cap_labels
    Fix* fixes
    uint32_t n_fixes, cap_fixes
    uint32_t* places
    uint32_t n_places, cap_places
    Handler* handlers       # landing: a label until the end
    uint32_t n_handlers, cap_handlers
    Handler* waiting        # those of blocks that are not at their end
    uint32_t n_waiting, cap_waiting
    uint32_t n_tries        # blocks with handlers around here
    uint32_t tag            # the last index of a tag
    uint32_t* targets       # labels of the br_tables of this block
    uint32_t n_targets, cap_targets
    Ir* heads               # operations at the beginnings of loops around here
    uint32_t n_heads, cap_heads
    uint64_t repeatable     # words that may still stand once more
    uint32_t opened         # the loop, + 1, that this block of operations is the beginning of
    uint64_t* vectors       # constants of this function, two words each; `bits` of a value is the index of the first
    uint32_t n_vectors, cap_vectors
    uint32_t* local_types
    uint32_t* local_slots
    uint32_t* local_pending # values of the stack that are AT_LOCAL here
    uint8_t* local_set      # locals without a default that have a value here
    uint32_t n_locals, cap_locals, cap_locals2, cap_locals3, cap_locals4
    uint32_t* inits         # those locals, in the order in which they were set
    uint32_t n_inits, cap_inits
    uint32_t all_locals     # as many as are claimed
    uint32_t n_exact        # those whose entries have their indices
    uint32_t* named         # the locals of the other entries, in their order
    uint32_t n_named, cap_named
    uint32_t* entry_of      # entries, + 1, of locals that are laid out and were named; all 0 between functions
    Run* runs
    uint32_t n_runs, cap_runs
    uint32_t hdr
    uint32_t max_slots
    uint32_t flushed        # values below this index are AT_SLOT
    uint32_t barrier        # operations before this index are not redirected into a local
    uint32_t round
    int32_t holder[4]       # the value that is only in this accumulator, or -1
    int64_t known[4]        # a slot that the accumulator equals, or -1

cdef bint grow(Tr* tr, void** array, uint32_t* capacity, uint64_t wanted, uint64_t size) noexcept nogil

cdef inline bint reserve(Tr* tr, void** array, uint32_t* capacity, uint64_t wanted, uint64_t size) noexcept nogil:
    """Make room for so many elements. What does not fit leaves the translator failed, with room for one kept in place."""
    return wanted <= capacity[0] or grow(tr, array, capacity, wanted, size)

# ---- the abstract stack
cdef Val* push(Tr* tr, uint32_t type, int kind) noexcept nogil
cdef uint32_t slot_height(Tr* tr) noexcept nogil
cdef void forget(Tr* tr, Val* v) noexcept nogil
cdef void drop_to(Tr* tr, uint32_t height) noexcept nogil
cdef void save_pending(Tr* tr, uint32_t local) noexcept nogil

# ---- operations
cdef Ir* new_ir(Tr* tr, uint32_t op) noexcept nogil
cdef void into_slot(Tr* tr, Val* v, uint32_t slot) noexcept nogil
cdef uint32_t slot_of(Tr* tr, Val* v) noexcept nogil
cdef void clobber(Tr* tr, int acc) noexcept nogil
cdef void clobber_all(Tr* tr) noexcept nogil
cdef void flush(Tr* tr, uint32_t start) noexcept nogil
cdef Ir* emit(Tr* tr, uint32_t op, Val* a, Val* b, uint64_t offset, uint32_t result) noexcept nogil
cdef bint has(Tr* tr, uint32_t op, int ka, int kb) noexcept nogil
cdef void emit_branch(Tr* tr, Val* cond, bint sense, uint32_t label) noexcept nogil
cdef void note_write(Tr* tr, uint32_t slot, int acc) noexcept nogil
cdef bint invert_last(Tr* tr, Val* v) noexcept nogil
cdef void set_local(Tr* tr, uint32_t local, Val* v) noexcept nogil

cdef inline uint32_t local_of(Tr* tr, uint32_t entry) noexcept nogil:
    """The index of the local that an entry was made for."""
    return entry if entry < tr.n_exact else tr.named[entry - tr.n_exact]

cdef inline int acc_of(uint32_t type) noexcept nogil:
    """Which accumulator holds values of a type: 1 r0, 2 f0, 3 g0, 0 none."""
    if type == 1 or type == 2:
        return 1
    return 2 if type == 4 else 3 if type == 3 else 0
