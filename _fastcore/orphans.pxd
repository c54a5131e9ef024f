"""What owns functions that may be referred to after Python has let go of it: instances, and functions of the host.

A reference to a function is a word that keeps nothing alive. As long as only the instance itself can hold it, or somebody who imports from
it, that does no harm. Where it may have come further (`Ctx.leaky`), an instance that Python lets go of becomes an orphan: it lives until a
collection finds that nobody has such a word.
"""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Fn
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.unit cimport Unit

cdef bint leaks(Unit* unit) noexcept nogil
cdef void enlist(Room store, Ctx* ctx) noexcept
cdef void strike(Room store, Ctx* ctx) noexcept
cdef bint adopt(Room store, object owner, uint64_t key, bint instance)
cdef int reconsider(Room store, object owner, Py_ssize_t refs) except -1
cdef int adopt_again(Ctx* ctx) except -1
cdef int note_leak(Fn* fn) except -1
