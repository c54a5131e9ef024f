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
    # A closed defined type; equal types are one object for the life of the process, so `==` on pointers is equality.
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
    uint8_t* muts           # of fields: may they be written
    Type* body              # of a function: [] -> results, once somebody wanted it

cdef struct Group:
    # A recursive group. `words` spell it with positions in the place of references to itself: equal groups have equal words.
    Group* next             # in its bucket
    uint64_t hash
    uint64_t n_words
    uint32_t* words
    Type* types
    uint32_t n_types

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
    Type* type
    uint32_t n_words
    uint32_t n_places
    uint32_t* places        # pairs (word, byte offset in the module), ascending; traps and backtraces look here
    uint32_t index
    uint32_t n_handlers
    Handler* handlers

cdef struct TagInst:
    # A tag instance: which exception this is, by address.
    Type* type
    uint32_t refs

cdef struct ExnInst:
    # An exception; what an exnref points to.
    ExnInst* next               # of those that only a collector may free
    TagInst* tag
    uint32_t pins           # Python objects that stand for it
    bint kept               # a reference to it was made
    S values[1]

cdef struct Box:
    # An object of the host as a reference. Objects of the guest begin with their type.
    void* type              # NULL
    void* value             # borrowed PyObject*; `Room.boxes` owns it

cdef struct Thread:
    # What all instances of a store share while one of them runs.
    Ctx* ctx                # the one that trapped, or where an exception landed: go on at its pc and fp
    ExnInst* raised             # the exception that is on its way
    ExnInst* exns               # all that are kept

cdef struct Fn:
    # A function instance: what a funcref points to.
    Code* code              # NULL for a function of the host
    Ctx* ctx                # the instance it belongs to, NULL for the host
    Type* type
    void* host              # of the host: the `externs.Func` that owns this
    void* door              # the Python object that stands for it, once there is one (borrowed)

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

cdef struct Seg:
    # A passive segment of an instance: bytes of the module, or references of its own. Dropped means empty.
    void* at
    uint64_t size

ctypedef int (*handler_t)(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil

cdef struct Ctx:
    # The running side of an instance; its globals follow it in memory. A register points here while its code runs.
    int64_t ticks           # until the next look at stop flag, deadline and fuel
    S* stack_end
    Mem* mem0               # never NULL: an instance without memory has an empty one
    Mem** mems
    Tab** tables
    Fn** imports            # imported functions
    TagInst** tags
    Thread* thread
    void* unit              # the module, a `unit.Unit`
    handler_t tick          # where the ticks of threaded code end: polls, and goes on at pc
    int (*poll)(Ctx* ctx, W* pc, S* fp) noexcept nogil
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
    handler_t beyond        # where an access to memory 0 ends that is out of bounds: a shared one may have grown meanwhile

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

cdef enum:
    HANDLE_ALL = 0xffffffffU
    HANDLE_DELEGATE = 0xfffffffeU
    LANDED = -1             # what a call of the host returns when an exception was caught: go on where the thread says

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

cdef inline int trap(Ctx* ctx, W* pc, S* fp, int reason) noexcept nogil:
    """The only way out of guest code but for `halt`: remember where, and tell the caller why."""
    ctx.pc = pc
    ctx.fp = fp
    ctx.trap = reason
    ctx.thread.ctx = ctx
    return reason

cdef inline uint32_t slots_of(uint32_t t) noexcept nogil:
    return 2 if t == VT_V128 else 1
