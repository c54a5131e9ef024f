"""See reflection.pxd. Defined types are made by `validation.types`, so that both engines show the same objects.

The objects that show types live as long as these, at least. A long chain of types needs no recursion: a group is converted when all groups
that it mentions are.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.types cimport GROUP_MUT, GROUP_SELF, forget_by, held_drop, held_new, hold, intern_group, type_of
from pywasm_ref._fastcore.unit cimport GlobalDef, Limit

from pywasm_ref.syntax.types import (
    F32, F64, I8, I16, I32, I64, V128, AbsHeapType, ArrayType, DefType, FieldType, FuncType, FuncTypeUse, GlobalType, Limits, MemType,
    RecIdx, RecType, RefType, StructType, SubType, TableType, TagType,
)
from pywasm_ref.validation.types import roll

cdef dict PLAIN = {VT_I32: I32, VT_I64: I64, VT_F32: F32, VT_F64: F64, VT_V128: V128, VT_I8: I8, VT_I16: I16}
cdef dict PLAIN_CODES = {value: key for key, value in PLAIN.items()}
cdef dict HEAPS = {
    HT_FUNC: AbsHeapType.FUNC, HT_EXTERN: AbsHeapType.EXTERN, HT_ANY: AbsHeapType.ANY, HT_EQ: AbsHeapType.EQ, HT_I31: AbsHeapType.I31,
    HT_STRUCT: AbsHeapType.STRUCT, HT_ARRAY: AbsHeapType.ARRAY, HT_NONE: AbsHeapType.NONE, HT_NOFUNC: AbsHeapType.NOFUNC,
    HT_EXN: AbsHeapType.EXN, HT_NOEXN: AbsHeapType.NOEXN, HT_NOEXTERN: AbsHeapType.NOEXTERN, HT_BOT: AbsHeapType.BOT,
}
cdef dict HEAP_CODES = {value: key for key, value in HEAPS.items()}
cdef dict DEFTYPES = {}     # address of a type -> DefType
cdef dict TYPES = {}        # DefType -> address of a type
cdef dict REFTYPES = {}     # value type -> RefType


cdef int forget(Group* group, list gone) except -1:
    """A group is about to go. What stood for its types is put into a list, since letting go of it may run anything."""
    cdef uint32_t i
    if <uint64_t>group.types not in DEFTYPES:   # all of a group are shown, or none
        return 0
    for i in range(group.n_types):
        found = DEFTYPES.pop(<uint64_t>&group.types[i], None)
        if found is not None:
            gone.append(found)
            TYPES.pop(found, None)
        gone.append(REFTYPES.pop(VT_REF | group.types[i].heap, None))
        gone.append(REFTYPES.pop(VT_REF | VT_NULL | group.types[i].heap, None))
    return 0


forget_by(forget)


# From the engine to Python


cdef object valtype_of(uint32_t type):
    """A value or storage type that is closed."""
    found = PLAIN.get(type) or REFTYPES.get(type)
    if found is None:
        found = REFTYPES[type] = RefType(type & VT_NULL != 0, heaptype_of(type & VT_HEAP))
    return found


cdef object heaptype_of(uint32_t heap):
    return HEAPS[heap] if heap < HT_DEFINED else deftype_of(type_of(heap))


cdef object deftype_of(Type* type):
    cdef list waiting
    cdef Group* group
    found = DEFTYPES.get(<uint64_t>type)
    if found is not None:
        return found
    waiting = [<uint64_t>type.group]
    while waiting:
        group = <Group*><uint64_t>waiting[-1]
        missing = [] if <uint64_t>group.types in DEFTYPES else needed(group)
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if <uint64_t>group.types not in DEFTYPES:
            show(group)
    return DEFTYPES[<uint64_t>type]


cdef list needed(Group* group):
    """The other groups that a group mentions, as far as they are not shown yet."""
    cdef uint32_t i, k
    cdef Type* type
    found = []
    for i in range(group.n_types):
        type = &group.types[i]
        if type.parent != NULL:
            need(found, group, type.parent)
        for k in range(type.n_params + type.n_results + type.n_fields):
            if type.valtypes[k] & VT_REF and type.valtypes[k] & VT_HEAP >= HT_DEFINED:
                need(found, group, type_of(type.valtypes[k] & VT_HEAP))
    return found


cdef void need(list found, Group* group, Type* type):
    if type.group != group and <uint64_t>type not in DEFTYPES:
        found.append(<uint64_t>type.group)


cdef int show(Group* group) except -1:
    cdef uint32_t i
    subtypes = [SubType(bool(group.types[i].final), () if group.types[i].parent == NULL else (within(group, group.types[i].parent),),
                        comptype_of(group, &group.types[i])) for i in range(group.n_types)]
    deftypes = roll(RecType(tuple(subtypes)), ())
    for i in range(group.n_types):
        DEFTYPES[<uint64_t>&group.types[i]] = deftypes[i]
        TYPES[deftypes[i]] = <uint64_t>&group.types[i]
    return 0


cdef object within(Group* group, Type* type):
    return RecIdx(type.index) if type.group == group else DEFTYPES[<uint64_t>type]


cdef object part_of(Group* group, uint32_t type):
    """A value or storage type of a group, with positions for the types of the group itself."""
    if type & VT_REF and type & VT_HEAP >= HT_DEFINED:
        return RefType(type & VT_NULL != 0, within(group, type_of(type & VT_HEAP)))
    return valtype_of(type)


cdef object comptype_of(Group* group, Type* type):
    parts = [part_of(group, type.valtypes[i]) for i in range(type.n_params + type.n_results + type.n_fields)]
    if type.kind == HT_FUNC:
        return FuncType(tuple(parts[:type.n_params]), tuple(parts[type.n_params:]))
    fields = [FieldType(bool(type.muts[i]), parts[i]) for i in range(type.n_fields)]
    return StructType(tuple(fields)) if type.kind == HT_STRUCT else ArrayType(fields[0])


# From Python to the engine


cdef uint32_t valtype_from(object type, Held* held) except 0:
    """A closed value type; what it mentions is held."""
    cdef uint32_t found
    plain = PLAIN_CODES.get(type)
    if plain is not None:
        return plain
    found = VT_REF | VT_NULL if type.null else VT_REF
    if isinstance(type.heap, DefType):
        return found | deftype_from(type.heap, held).heap
    return found | <uint32_t>HEAP_CODES[type.heap]


cdef Type* deftype_from(object type, Held* held) except NULL:
    """The engine's type for a defined type, held."""
    cdef Held* meanwhile
    if not is_known(type, held):
        meanwhile = held_new()
        if meanwhile == NULL:
            raise MemoryError
        try:
            take_all(type, meanwhile)
            is_known(type, held)
        finally:
            held_drop(meanwhile)
    return <Type*><uint64_t>TYPES[type]


cdef bint is_known(object type, Held* held) except *:
    """Has the engine a type for it? It is held then, before anything else can run."""
    found = TYPES.get(type)
    if found is None:
        return False
    if not hold(held, (<Type*><uint64_t>found).group):
        raise MemoryError
    return True


cdef int take_all(object type, Held* held) except -1:
    """Make a type, after all that it mentions."""
    cdef list waiting = [type]
    while waiting:
        missing = [] if is_known(waiting[-1], held) else [heap for heap in mentioned(waiting[-1].rectype) if not is_known(heap, held)]
        if missing:
            waiting.extend(missing)
            continue
        last = waiting.pop()
        if not is_known(last, held):
            take(last.rectype, held)
    return 0


cdef tuple parts_of(object comp):
    """The fields or value types that a composite type has; only fields say whether they can be written."""
    if isinstance(comp, FuncType):
        return comp.params + comp.results
    fields = comp.fields if isinstance(comp, StructType) else (comp.field,)
    return tuple([field.storage for field in fields])


cdef list mentioned(object rectype):
    """The defined types of other groups that a group mentions."""
    found = []
    for sub in rectype.subtypes:
        found.extend([heap for heap in sub.supers if isinstance(heap, DefType)])
        found.extend([part.heap for part in parts_of(sub.comp) if isinstance(part, RefType) and isinstance(part.heap, DefType)])
    return found


cdef int take(object rectype, Held* held) except -1:
    """Spell a group whose parts are there, and intern it."""
    cdef list words = []
    cdef uint32_t* spelled
    cdef Group* group
    cdef uint32_t i
    for sub in rectype.subtypes:
        spell(words, sub, len(rectype.subtypes))
    spelled = <uint32_t*>malloc(len(words) * 4 + 4)
    if spelled == NULL:
        raise MemoryError
    for i in range(len(words)):
        spelled[i] = words[i]
    group = intern_group(held, spelled, len(words), len(rectype.subtypes))
    free(spelled)
    if group == NULL:
        raise MemoryError
    deftypes = roll(rectype, ())
    for i in range(group.n_types):
        TYPES[deftypes[i]] = <uint64_t>&group.types[i]
        DEFTYPES[<uint64_t>&group.types[i]] = deftypes[i]
    return 0


cdef uint32_t heap_word(object heap, object n) except? 0:
    """What spells a heap type of a group of n types."""
    if isinstance(heap, RecIdx):
        if heap.index >= n:
            raise ValueError(f"a group of {n} types has no type {heap.index}")
        return GROUP_SELF | <uint32_t>heap.index
    if isinstance(heap, DefType):
        return (<Type*><uint64_t>TYPES[heap]).heap
    return HEAP_CODES[heap]


cdef uint32_t part_word(object part, object n) except 0:
    if isinstance(part, RefType):
        return (VT_REF | VT_NULL if part.null else VT_REF) | heap_word(part.heap, n)
    return PLAIN_CODES[part]


cdef int spell(list words, object sub, object n_types) except -1:
    """The head of a type of a group and its parts, see types.pxd."""
    comp = sub.comp
    parts = [part_word(part, n_types) for part in parts_of(comp)]
    kind, n, results = HT_FUNC, len(parts), 0
    if isinstance(comp, FuncType):
        n, results = len(comp.params), len(comp.results)
    else:
        kind = HT_STRUCT if isinstance(comp, StructType) else HT_ARRAY
        fields = comp.fields if isinstance(comp, StructType) else (comp.field,)
        parts = [part | (<object>GROUP_MUT if field.mut else 0) for part, field in zip(parts, fields)]
    words += [kind | bool(sub.final) << 8 | len(sub.supers) << 16, heap_word(sub.supers[0], n_types) if sub.supers else 0, n, results, *parts]
    return 0


# What is imported and exported


cdef object functype_of(Type* type):
    return FuncTypeUse(deftype_of(type))


cdef object tagtype_of(Type* type):
    return TagType(deftype_of(type))


cdef object limits_of(Limit* limit):
    return Limits(limit.min, limit.max if limit.bounded else None)


cdef object tabletype_of(Limit* limit):
    return TableType(I64 if limit.wide else I32, limits_of(limit), valtype_of(limit.type))


cdef object memtype_of(Limit* limit):
    return MemType(I64 if limit.wide else I32, limits_of(limit), bool(limit.shared), limit.page_bits)


cdef object globaltype_of(GlobalDef* definition):
    return GlobalType(bool(definition.mutable), valtype_of(definition.type))
