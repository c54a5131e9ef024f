"""A module that was read: its bytes, and the code and tables that all its instances share."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Code
from pywasm_ref._fastcore.unit cimport Name, Unit

cdef class Module:
    cdef Unit* unit
    cdef readonly bytes data
    cdef readonly object engine
    cdef readonly object features
    cdef readonly object source     # what errors point into; the text, for a module that was parsed
    cdef object read_module         # the syntax of one that was parsed, for names and places
    cdef object decoded             # the binary that the text became, once a place was looked for
    cdef object fault               # Invalid, kept until somebody asks
    cdef dict names_of_exports      # name -> (kind, index)
    cdef bint plain                 # nothing that it refers to can be made to refer to anything else
    cdef tuple _imports
    cdef tuple _exports
    cdef dict _field_names
    cdef object __weakref__

    cdef int check(self) except -1
    cdef Code* metered(self) except? NULL
    cdef int refuse(self) except -1
    cdef object extern_type(self, int kind, uint32_t index)

cdef object name_of(Name* n)
