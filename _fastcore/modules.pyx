"""See modules.pxd."""

import cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.faults cimport fault_error
from pywasm_ref._fastcore.lowered cimport dump_codes
from pywasm_ref._fastcore.names cimport read_names
from pywasm_ref._fastcore.reflection cimport deftype_of, functype_of, globaltype_of, memtype_of, tabletype_of, tagtype_of
from pywasm_ref._fastcore.sections cimport meter, read_module, unit_free
from pywasm_ref._fastcore.store cimport refers
from pywasm_ref._fastcore.unit cimport *

from pywasm_ref.binary import decode, encode
from pywasm_ref.errors import Exhaustion, Invalid
from pywasm_ref.features import ALL, WASM_3, Feature
from pywasm_ref.source import Source
from pywasm_ref.syntax.instructions import RefFunc
from pywasm_ref.syntax.modules import Active, Elem, Func, Global, Names, Table

FEATURES = list(Feature)


cdef uint64_t feature_bits(object features) except *:
    """The features that are on, as bits in the order of the enumeration."""
    return sum([1 << i for i, feature in enumerate(FEATURES) if feature in features])


cdef uint64_t DEFAULT_FEATURES = feature_bits(WASM_3)


cdef bint is_plain(features, source, engine) except *:
    """Is this all that a module can refer to? A class that is derived from that of a part may have attributes, and so lead anywhere."""
    if features is not WASM_3 and (type(features) is not frozenset or any([type(feature) is not Feature for feature in features])):
        return False
    if source is not None and (type(source) is not Source or refers(source.name) or refers(source.data)):
        return False
    return not refers(engine)


@cython.no_gc_clear
cdef class Module:
    """A module that was read; a fault that only makes it invalid is raised when somebody needs it to be valid."""

    def __cinit__(self, bytes data not None, features=WASM_3, source=None, engine=None, syntax=None, const uint8_t[::1] lowered=None):
        cdef const uint8_t* start = data
        cdef uint64_t size = len(data)
        cdef uint64_t bits = DEFAULT_FEATURES if features is WASM_3 else feature_bits(features)
        cdef const uint8_t* code = NULL
        cdef uint64_t n_code = 0
        if lowered is not None and lowered.shape[0]:
            code = &lowered[0]
            n_code = lowered.shape[0]
        self.data = data
        self.features = features
        self.source = source
        self.engine = engine
        self.read_module = syntax
        self.plain = type(self) is Module and is_plain(features, source, engine)
        with nogil:
            self.unit = read_module(start, size, bits, code, n_code)
        if self.unit == NULL:
            raise MemoryError
        self.unit.lowered = NULL    # belongs to the caller
        self.refuse()
        self.names_of_exports = {}
        if self.fault is None:
            self.names_of_exports = {name_of(&self.unit.exports[i].name): (self.unit.exports[i].kind, self.unit.exports[i].index)
                                     for i in range(self.unit.n_exports)}
        if self.fault is not None and (engine is None or lowered is not None):
            raise self.fault

    cdef int refuse(self) except -1:
        """What is merely invalid is kept until somebody asks; anything else is raised."""
        error = fault_error(self.unit, None if self.read_module is None else self.read_module.names)
        if error is not None and not isinstance(error, Invalid):
            if isinstance(error, Exhaustion):
                error.at = self.shown_at(error.at)
            raise error
        self.fault = error
        return 0

    cdef int check(self) except -1:
        if self.fault is not None:
            if self.fault.source is None and self.source is not None:
                self.fault.at = self.shown_at(self.fault.at)
                self.fault.source = self.source
            raise self.fault
        return 0

    cdef Code* metered(self) except? NULL:
        """The functions once more, lowered to code that uses fuel; that is done when the first instance wants it."""
        cdef int status
        with nogil:
            status = meter(self.unit)
        if status < 0:
            raise MemoryError
        return self.unit.metered

    def lowered(self):
        """The code of all functions as bytes, for a module that is made of the same binary by the same build of this engine."""
        self.check()
        return dump_codes(self.unit)

    @property
    def binary(self):
        """The module as bytes, with its names."""
        return self.data if self.read_module is None else encode(self.read_module, names=True)

    def __dealloc__(self):
        unit_free(self.unit)

    def validate(self):
        """Nothing, for a valid module.

        Fails   Invalid
        """
        self.check()

    @property
    def imports(self):
        cdef Unit* unit = self.unit
        self.check()
        if self._imports is None:
            self._imports = tuple([(name_of(&unit.imports[i].module), name_of(&unit.imports[i].name),
                                    self.extern_type(unit.imports[i].kind, unit.imports[i].index)) for i in range(unit.n_imports)])
        return self._imports

    @property
    def exports(self):
        self.check()
        if self._exports is None:
            self._exports = tuple([(name, self.extern_type(kind, index)) for name, (kind, index) in self.names_of_exports.items()])
        return self._exports

    cdef object extern_type(self, int kind, uint32_t index):
        """The type of something in an index space, as `syntax` writes it."""
        if kind == EXTERN_FUNC:
            return functype_of(self.unit.funcs[index])
        if kind == EXTERN_TABLE:
            return tabletype_of(&self.unit.tables[index])
        if kind == EXTERN_MEM:
            return memtype_of(&self.unit.mems[index])
        if kind == EXTERN_TAG:
            return tagtype_of(self.unit.tags[index])
        return globaltype_of(&self.unit.globals[index])

    def shown_at(self, at):
        """Where in the source something stands that stands at an offset of the binary: a text that was parsed has places of its own.

        The binary is read once more for that, by the other engine's reader, when the first error asks.
        """
        if self.read_module is None or at is None:
            return at
        if self.decoded is None:
            self.decoded = decode(self.data, ALL)
        read = self.decoded
        for part, places in read.places.parts.items():
            if at in places:
                return part_in_text(self.read_module, part, places.index(at), self.unit.n_funcs)
        for expr, written in zip(expressions(read), expressions(self.read_module)):
            if at in expr.places:
                return written.places[expr.places.index(at)]
        return None

    @property
    def customs(self):
        cdef Custom* custom
        found = []
        for i in range(self.unit.n_customs):
            custom = &self.unit.customs[i]
            found.append((name_of(&custom.name), custom.at[:custom.size]))
        return found

    @property
    def names(self):
        return Names(**read_names(self.unit)) if self.read_module is None else self.read_module.names

    @property
    def field_names(self):
        self.check()
        if self._field_names is None:
            self._field_names = {deftype_of(self.unit.types[x]): {name: i for i, name in names.items()}
                                 for x, names in self.names.fields.items() if x < self.unit.n_types}
        return self._field_names

    def words(self, uint32_t index):
        """The code words of a defined function, for tests and for whoever debugs the translator."""
        if index >= self.unit.n_codes:
            raise IndexError(index)
        return [self.unit.codes[index].entry[i].u for i in range(self.unit.codes[index].n_words)]


def part_in_text(module, part, index, n_funcs):
    """Where a part of the module stands. In a segment that has an unknown function, that is what is wrong, and for indices of functions the
    binary says no more than what segment they are in."""
    if part == "elems":
        for item in module.elems[index].inits:
            if any(isinstance(i, RefFunc) and i.func >= n_funcs for i in item.body):
                return item.places[0] if item.places else None
    return module.places.of(part, index)


def expressions(module):
    """All expressions of a module, in an order that is the same for the text and for the binary that was made of it."""
    for part in (module.funcs, module.globals, module.tables, module.datas, module.elems):
        for entry in part:
            yield from expressions_of(entry)


def expressions_of(entry):
    """Those of a part of the module."""
    if isinstance(entry, Func):
        yield entry.body
    elif isinstance(entry, (Global, Table)):
        yield from [] if entry.init is None else [entry.init]
    else:
        yield from [entry.mode.offset] if isinstance(entry.mode, Active) else []
        yield from entry.inits if isinstance(entry, Elem) else []


cdef object name_of(Name* n):
    return n.at[:n.size].decode()

