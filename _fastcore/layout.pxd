"""What every part of the engine agrees on: slots, code words, functions, memories, tables, and the context of an instance.

See README.md beside this file for the reasons. All of it is plain C, so that the executor needs no Python to run.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef union S:
    # A slot of the value stack. An i32 stands zero-extended, so that reading 64 bits after writing never stalls.
    uint32_t u32
    int32_t s32
    uint64_t u64
    int64_t s64
    float f32
    double f64
    S* p
    W* w
    Fn* fn
    void* v

cdef union W:
    # A word of code: the address of a handler, operands, or an immediate.
    uint64_t u
    int64_t i
    double f
    uint16_t h[4]
    uint32_t w[2]
    int32_t s[2]
    float g[2]
    W* t
    S* p
    Fn* fn
    Code* code
    void* v

cdef struct Type:
    # A closed defined type; equal types are one object, so `==` on pointers is equality. Whoever refers to one sees to it that its group stays.
    uint32_t heap           # what stands for it as a heap type in a value type
    uint8_t kind            # HT_FUNC, HT_STRUCT or HT_ARRAY
    uint8_t final
    uint32_t depth          # how many supertypes it has
    Type* parent            # the declared supertype, or NULL
    Type* jump              # a supertype further up, or itself at the root: any one is found in a logarithmic number of steps
    Group* group            # with which it is recursive
    uint32_t index          # in the group
    uint32_t n_params       # of a function; 0 otherwise
    uint32_t n_results
    uint32_t param_slots
    uint32_t result_slots
    uint32_t n_fields       # of a structure; 1 of an array
    uint32_t* valtypes      # parameters, then results; or the storage types of fields
    uint32_t* places        # of fields: the slot in the structure, its type being in slot 0
    uint32_t* traced        # places of fields that are references, those to functions with TRACED_FUNC
    uint32_t n_traced
    uint32_t n_slots        # of a structure, the type included
    uint8_t width           # of an array: the logarithm of the bytes of an element
    uint8_t holds           # of an array: what its elements refer to
    uint8_t* muts           # of fields: may they be written

cdef struct Group:
    # A recursive group. `words` spell it with positions in the place of references to itself: equal groups have equal words.
    Group* next             # in its bucket
    uint64_t hash
    uint64_t n_words
    uint32_t* words
    Type* types
    uint32_t n_types
    uint64_t refs           # from each `Held` that it is in, and from groups that mention it, as often as they do
    uint64_t size           # bytes
    bint mentions           # types of other groups
    Group* older            # among those that nobody refers to any more
    Group* newer

cdef struct Held:
    # Groups that somebody keeps, as a set: a module those of all types that it has, a store those of what the host made.
    Group** table
    uint64_t n
    uint64_t cap            # a power of two, or 0
    uint64_t refs           # the module, and stores where something may have its types; changed with the GIL

cdef struct Handler:
    # What catches an exception that is thrown between two words of a function. Inner ones stand before outer ones.
    uint32_t start
    uint32_t end
    uint32_t landing        # the word to go on at
    uint32_t slot           # where its values are left
    uint32_t tag            # index of a tag; HANDLE_ALL, or HANDLE_DELEGATE: only handlers of depth `slot` or less are left
    uint32_t depth          # how many blocks are around the one that it belongs to
    uint8_t copies          # the values of the exception are wanted
    uint8_t keeps           # a reference to the exception is wanted: behind the values, or before them
    uint8_t first           # before them

cdef struct Code:
    # A function of a module, shared by all its instances.
    W* entry                # where a call jumps to
    uint32_t frame          # slots from fp to the end of its operands; what a call compares with the end of the stack
    uint32_t hdr            # the slot of the return address; the caller's fp is in the next one
    int32_t cost            # what entering it takes from the ticks: 1, or the fuel of its first stretch, see fuel.pyx
    Type* type
    uint32_t n_words
    uint32_t n_places
    uint32_t* places        # pairs (word, byte offset in the module), ascending; traps and backtraces look here
    uint32_t index
    uint32_t n_handlers
    Handler* handlers
    uint32_t n_steps
    uint32_t* steps         # of metered code: (word, what has been paid for the instructions behind it, handler), ascending

cdef struct TagInst:
    # A tag instance: which exception this is, by address.
    Type* type
    uint32_t refs

cdef union Head:
    # What everything in the heap begins with.
    Type* type              # of a structure or array; NULL of a box
    uint64_t tag            # of an exception: its TagInst*, with the lowest bit set

cdef struct Struct:
    Head head
    S fields[1]             # at `Type.places`, counted from the head

cdef struct Array:
    Head head
    uint64_t length
    uint8_t elems[8]        # as wide as their type says

cdef struct ExnInst:
    # An exception; what an exnref points to.
    Head head
    S values[1]

cdef struct Box:
    # An object of the host as a reference.
    Head head
    void* value             # borrowed PyObject*; `Room.boxes` owns it
    Box* next               # of those that nobody refers to any more
    bint dead               # it is one of them

cdef struct Bump:
    # Cells that are free, one behind the other: where the next object of a size goes.
    char* at
    char* end

cdef enum:
    SIZES = 27              # of cells; there is a kind for each, and a second one for exceptions of that size
    BOXES = 2 * 27          # the kind of boxes
    KINDS = 2 * 27 + 1
    HOLDS_OBJECTS = 1       # `Type.holds`: structures, arrays, boxes or exceptions
    HOLDS_FUNCS = 2
    TRACED_FUNC = 0x80000000U

cdef struct Heap:
    # Where structures, arrays, exceptions and boxes of a store live; see heap.pyx.
    Bump bumps[55]          # KINDS of each
    Block* first[55]
    Block* at[55]           # the block that the cells of a kind come from
    Block* large            # objects that have a block each
    Block* spare            # blocks without content
    uint32_t n_spare
    Block** set             # all blocks, by address
    uint64_t n_set
    uint64_t set_size       # a power of two
    uint64_t units          # alive or promised, as `Limits.heap` counts
    uint64_t most
    uint64_t bytes          # handed out since the last collection
    uint64_t threshold      # so many, and there is one
    uint64_t wanted         # units that did not fit, for the message
    uint64_t* work          # what is marked, and not looked into
    uint64_t n_work
    uint64_t cap_work
    bint overflow           # there was no room for all of it
    bint funcs              # references to functions matter: some instances or functions of the host are orphans
    uint32_t epoch          # of the collection
    Ctx* gray               # instances that are reached, and not looked into
    Box* dead
    uint64_t collections
    uint64_t cost           # what the last one looked at

cdef struct Block:
    Block* next
    Heap* heap
    uint32_t kind           # LARGE of what has a block to itself
    uint32_t n_cells
    uint32_t reciprocal     # 2**32 / bytes of a cell, rounded up; 0 of a large one
    uint32_t cursor         # cells before this one have been handed out since the last collection, if they were free
    uint64_t size           # bytes of a cell
    uint64_t units          # of a large one
    uint64_t alloc[8]       # cells in use, while a collection looks
    uint64_t mark[8]        # cells that it found reached

cdef struct Suspended:
    # A guest that waits for Python: in a call of the host, or where it looked for signals.
    Suspended* outer
    Ctx* ctx
    W* pc
    S* fp
    bint calls              # in a call of the host

cdef struct Mark:
    # A frame of which is known how deep it is; see depth.pyx. While the innermost mark is of this frame, `end` is what calls take for the
    # end of the stack.
    W word                  # the return address of the frame: the operation `lower`, or `halt` when the host called
    W* back                 # where the frame returns to behind `lower`; NULL when the host called
    S* fp
    S* end
    uint64_t depth          # calls that have not returned, this one included; 0 while nobody has counted
    Suspended* around       # who waited when the host called
    Mark* outer

cdef struct Quota:
    # So much of something the store may have at once.
    uint64_t used
    uint64_t most

cdef struct Parked:
    # An operation that is run alone, and the registers behind it.
    W* copy                 # NULL while none is
    W* end
    W* pc                   # where it stands in the code
    uint8_t* mem
    uint64_t lim
    uint64_t r0
    double f0
    float g0

cdef struct Thread:
    # What all instances of a store share while one of them runs.
    Ctx* ctx                # the one that trapped, or where an exception landed: go on at its pc and fp
    ExnInst* raised         # the exception that is on its way
    uint64_t detail         # which element of a table is not there
    Heap* heap              # NULL until something is in it
    uint64_t heap_most      # units that it may have
    void* room              # borrowed PyObject* of the `Room`
    Suspended* suspended
    Ctx* first              # all instances of the store
    uint64_t n_instances
    S* shallow              # no frame that ends before here is too deep, however small frames are
    S* stack_end            # of all slots
    uint64_t call_depth     # calls that there may be
    Mark* mark              # the innermost
    Mark* spare             # marks of frames that are gone
    void* away              # the thread state while the GIL is given back, else NULL: see gil.pxd
    Quota memory            # in bytes
    Quota tables            # in entries
    int64_t fuel            # that is left besides the ticks of the context that runs; below 0 while a stretch cannot be paid
    Parked parked

cdef struct Fn:
    # A function instance: what a funcref points to.
    Code* code              # NULL for a function of the host
    Ctx* ctx                # the instance it belongs to, NULL for the host
    Type* type
    void* door              # the Python object that stands for it, once there is one (borrowed); of the host: the `externs.Func` that owns it

cdef struct HostFn:
    Fn fn
    uint32_t epoch          # the collection that reached it

cdef struct Mem:
    uint8_t* base
    uint64_t size           # bytes; what `lim` is loaded from
    uint64_t max_size       # bytes that type, address type and quota allow
    uint64_t type_max       # pages, as the type says; all ones when it does not
    uint64_t reserved       # bytes of address space behind base
    View* view              # buffers that Python holds of the present base
    uint8_t page_bits
    uint8_t wide            # 64-bit addresses
    uint8_t shared          # may grow in another thread at any time; the base never moves
    uint8_t place           # where the address space comes from, see memory.pyx
    Quota* quota            # of the store that made it

cdef struct Spare:
    # The space of a memory that has come to its end, with the image of its module in place, for the next; no base when there is none.
    uint8_t* base
    uint64_t reserved

cdef struct View:
    # A base that Python looks at. When the memory moves on, the view keeps the old bytes, and the last one frees them.
    uint8_t* base
    uint64_t reserved
    uint32_t count
    uint8_t place
    uint8_t left            # the memory has moved on

cdef struct Tab:
    S* elems
    uint64_t size
    uint64_t max_size       # entries that type, address type and quota allow
    uint64_t type_max       # as the type says; all ones when it does not
    uint64_t capacity
    uint32_t type           # of its elements
    uint8_t wide            # 64-bit indices
    Quota* quota

cdef struct Seg:
    # A passive segment of an instance: bytes of the module, or references of its own. Dropped means empty.
    void* at
    uint64_t size

ctypedef int (*handler_t)(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil

cdef struct Ctx:
    # The running side of an instance; its globals follow it in memory. A register points here while its code runs.
    int64_t ticks           # until the next look at stop flag, signals and fuel
    S* stack_end            # as calls see it: not all slots, so that too many calls do not go unnoticed
    Mem* mem0               # never NULL: an instance without memory has an empty one
    Mem** mems
    Tab** tables
    Fn** imports            # imported functions
    TagInst** tags
    Thread* thread
    void* unit              # the module, a `unit.Unit`
    handler_t tick          # where the ticks of threaded code end: polls, and goes on at pc
    int (*poll)(Ctx* ctx, W* pc, S* fp) noexcept nogil      # MOVED: go on at ctx.pc, with mem and lim as they are in memory 0
    int (*host)(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil
    W* pc                   # where it trapped, or called the host
    S* fp
    int trap
    uint32_t n_globals
    void* store             # borrowed PyObject*
    Fn* fns                 # one for each defined function, made when the first is needed
    void* owner             # borrowed PyObject* of the instance
    Seg* datas              # NULL in a module whose code names none
    Seg* elems
    Heap* heap              # that of the store, or an empty one that nothing fits into
    handler_t refill        # where an allocation ends that finds no cell: makes room, and tries once more
    int (*make_room)(Ctx* ctx, W* pc, S* fp, uint32_t kind) noexcept nogil
    Ctx* next               # the instances of a store
    Ctx* previous
    Ctx* gray               # reached by the collector, and not looked into
    uint32_t epoch          # the collection that reached it
    uint8_t leaky           # a function of it may be referred to from where nobody keeps the instance alive
    uint8_t orphan          # Python let go of it, and a function of it may be referred to
    uint8_t finalized       # Python has told it of its end once, and will not again
    int64_t bulk            # bytes that long operations may still touch until the next look
    int (*look)(Ctx* ctx, W* pc, S* fp) noexcept nogil      # at stop flag and signals only, for what takes time and no ticks
    handler_t beyond        # where an access to memory 0 ends that is out of bounds: a shared one may have grown meanwhile
    Code* codes             # of the functions that the module defines: as they are, or metered

cdef enum Trap:
    # The first 19 are `errors.TrapReason` in its order.
    TRAP_NONE = 0
    TRAP_UNREACHABLE
    TRAP_INTEGER_DIVIDE_BY_ZERO
    TRAP_INTEGER_OVERFLOW
    TRAP_INVALID_CONVERSION
    TRAP_OUT_OF_BOUNDS_MEMORY
    TRAP_OUT_OF_BOUNDS_TABLE
    TRAP_OUT_OF_BOUNDS_ARRAY
    TRAP_UNDEFINED_ELEMENT
    TRAP_UNINITIALIZED_ELEMENT
    TRAP_INDIRECT_CALL_TYPE_MISMATCH
    TRAP_NULL_REFERENCE
    TRAP_NULL_FUNCTION_REFERENCE
    TRAP_NULL_STRUCTURE_REFERENCE
    TRAP_NULL_ARRAY_REFERENCE
    TRAP_NULL_I31_REFERENCE
    TRAP_NULL_EXCEPTION_REFERENCE
    TRAP_CAST_FAILURE
    TRAP_UNALIGNED_ATOMIC
    TRAP_EXPECTED_SHARED_MEMORY
    TRAP_STACK = 100        # Exhaustion
    TRAP_FUEL = 101
    TRAP_INTERRUPTED = 102
    TRAP_HOST = 103         # a host function raised; the exception is kept by the store
    TRAP_EXCEPTION = 104    # nobody catches the exception that `Thread.raised` is
    TRAP_MEMORY = 105       # Exhaustion
    TRAP_HEAP = 106         # Exhaustion: `Heap.wanted` units did not fit

cdef enum:
    HANDLE_ALL = 0xffffffffU
    HANDLE_DELEGATE = 0xfffffffeU
    LANDED = -1             # what a call of the host returns when an exception was caught: go on where the thread says
    MOVED = -1
    STEPPED = -2            # an operation that was run alone is done
    LEFT = -3               # and it was a branch that was taken

cdef enum VT:
    # Value types. A reference is VT_REF | VT_NULL? | heap type, where heap types from HT_DEFINED on are those of `Type.heap`.
    VT_BOT = 0
    VT_I32 = 1
    VT_I64 = 2
    VT_F32 = 3
    VT_F64 = 4
    VT_V128 = 5
    VT_I8 = 6               # of fields only
    VT_I16 = 7

cdef enum:
    VT_REF = 0x40000000
    VT_NULL = 0x20000000
    VT_HEAP = 0x1fffffff    # the bits of the heap type
    HT_FUNC = 0
    HT_EXTERN = 1
    HT_ANY = 2
    HT_EQ = 3
    HT_I31 = 4
    HT_STRUCT = 5
    HT_ARRAY = 6
    HT_NONE = 7
    HT_NOFUNC = 8
    HT_EXN = 9
    HT_NOEXN = 10
    HT_NOEXTERN = 11
    HT_BOT = 12
    HT_DEFINED = 16
    VT_FUNCREF = 0x60000000
    VT_EXTERNREF = 0x60000001
    VT_EXNREF = 0x60000009

cdef inline TagInst* exn_tag(ExnInst* exn) noexcept nogil:
    return <TagInst*>(exn.head.tag & ~<uint64_t>1)

cdef inline int trap(Ctx* ctx, W* pc, S* fp, int reason) noexcept nogil:
    """The only way out of guest code but for `halt`: remember where, and tell the caller why."""
    ctx.pc = pc
    ctx.fp = fp
    ctx.trap = reason
    ctx.thread.ctx = ctx
    return reason

cdef inline bint has_room(Quota* quota, uint64_t n) noexcept nogil:
    return n <= quota.most and quota.used <= quota.most - n


cdef inline void park(Ctx* ctx, uint8_t* mem, uint64_t lim, uint64_t r0, double f0, float g0) noexcept nogil:
    ctx.thread.parked.mem = mem
    ctx.thread.parked.lim = lim
    ctx.thread.parked.r0 = r0
    ctx.thread.parked.f0 = f0
    ctx.thread.parked.g0 = g0


cdef inline uint32_t slots_of(uint32_t t) noexcept nogil:
    return 2 if t == VT_V128 else 1
