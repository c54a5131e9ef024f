"""A module while it is read, and what all its instances share afterwards. Plain C; `modules.Module` owns it."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Held, Spare, Type, W
from pywasm_ref._fastcore.reader cimport Reader

cdef enum ExternKind:
    EXTERN_FUNC, EXTERN_TABLE, EXTERN_MEM, EXTERN_GLOBAL, EXTERN_TAG

cdef enum InitKind:
    INIT_CONST, INIT_GLOBAL, INIT_FUNC, INIT_CODE

cdef enum Where:
    # What `Unit.at` is the place of.
    AT_ENTRY, AT_FUNCTION, AT_CONSTANT_EXPRESSION, AT_NO_CONSTANT

cdef struct Name:
    const uint8_t* at
    uint32_t size

cdef struct Init:
    int kind
    uint64_t bits           # the constant, an index, or the Code* of a function without parameters
    uint64_t high           # of a v128

cdef struct Limit:
    uint64_t min
    uint64_t max            # all ones when there is none
    uint32_t type           # of a table's elements
    bint bounded
    uint8_t wide            # 64-bit addresses
    uint8_t shared
    uint8_t page_bits       # of a memory
    uint8_t has_init
    Init init               # of a table's elements

cdef struct GlobalDef:
    uint32_t type
    bint mutable
    uint32_t slot           # where it stands behind the context: an imported one is a pointer there

cdef struct Import:
    Name module
    Name name
    int kind
    uint32_t index

cdef struct Export:
    Name name
    int kind
    uint32_t index

cdef struct Custom:
    Name name
    const uint8_t* at
    uint64_t size
    uint8_t after           # the section that it stands behind

cdef enum SegmentMode:
    SEGMENT_ACTIVE, SEGMENT_PASSIVE, SEGMENT_DECLARED

cdef struct Segment:
    uint8_t mode
    uint32_t type           # of elements
    uint32_t target         # memory or table
    uint32_t at             # byte offset in the module
    Init offset
    const uint8_t* bytes    # of data
    Init* items             # of elements that are expressions
    uint32_t* funcs         # of elements that are indices of functions
    uint64_t size

cdef struct Image:
    # The data that a memory begins with, as a file in memory; of size 0 when there is none.
    int file
    uint64_t start          # address of its first byte
    uint64_t size
    Spare spare

cdef struct Unit:
    Reader r
    const uint8_t* base
    uint64_t size           # of the module in bytes
    uint64_t features       # F_ bits
    const uint8_t* at       # the entry or instruction that is being read: where it is invalid
    int where
    uint32_t where_func     # the function, for AT_FUNCTION
    const uint8_t* lowered  # the functions as code, when it was made before; see lowered.pyx
    uint64_t n_lowered
    bint skim               # only what is malformed matters: indices mean nothing
    bint uses_data          # is there an instruction that names a data segment?
    const uint8_t* sections[14]     # where the content of each section begins, or NULL
    Held* held              # the groups of all types that are mentioned below, in code, and by blocks while it is made
    Type** types
    uint32_t n_types
    uint32_t group_end      # types from n_types to here are being defined
    Type** funcs            # imported ones first, as everywhere
    uint32_t n_funcs
    uint32_t imported_funcs
    GlobalDef* globals
    Init* inits             # of defined globals
    uint32_t n_globals
    uint32_t imported_globals
    uint32_t global_slots
    Limit* tables
    uint32_t n_tables
    uint32_t imported_tables
    Limit* mems
    uint32_t n_mems
    uint32_t imported_mems
    Type** tags
    uint32_t n_tags
    uint32_t imported_tags
    Import* imports
    uint32_t n_imports
    Export* exports
    uint32_t n_exports
    Segment* elems
    uint32_t n_elems
    Segment* datas
    uint32_t n_datas
    Image* images           # for each memory, once an instance asked
    int image_state         # see segments.pyx
    bint has_data_count
    uint32_t data_count
    bint has_start
    uint32_t start
    Code* codes             # of defined functions
    Code** order            # the same by address, once somebody asked which function a word belongs to
    Code* metered           # the same functions with fuel, once somebody asked
    Code** metered_order
    uint32_t n_codes
    uint32_t n_bodies
    Code** exprs            # constant expressions that are code
    uint32_t n_exprs
    uint32_t cap_exprs
    Custom* customs
    uint32_t n_customs
    uint32_t cap_customs
    uint8_t* declared       # for each function: may ref.func name it?
    uint32_t n_declared

cdef inline uint32_t global_offset(Unit* unit, uint32_t index) noexcept nogil:
    """Where a global stands behind the context of an instance; the index behind the last gives the end."""
    return ((sizeof(Ctx) + 15) & ~15) + 8 * (unit.globals[index].slot if index < unit.n_globals else unit.global_slots)
