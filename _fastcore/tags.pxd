"""Tags. They are counted, since exceptions may outlive the instance of their tag."""

from pywasm_ref._fastcore.layout cimport TagInst, Type

cdef TagInst* tag_new(Type* type) noexcept nogil
cdef TagInst* tag_keep(TagInst* tag) noexcept nogil
cdef void tag_drop(TagInst* tag) noexcept nogil
