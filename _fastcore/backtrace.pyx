"""See backtrace.pxd."""

from cpython.object cimport PyObject
from pywasm_ref._fastcore.frames cimport Place, offset_of, outward, stand
from pywasm_ref._fastcore.layout cimport Ctx, S, W

cdef enum:
    DEEPEST = 100       # frames that a back-trace tells of; of a deeper stack the innermost


cdef int note_frames(object error, Ctx* ctx, W* pc, S* fp) except -1:
    """Write the calls since the host's into an error that came up at this place, innermost first."""
    cdef Place place
    cdef Py_ssize_t left = DEEPEST - len(error.frames)
    cdef bint inside = stand(&place, ctx, pc, fp)
    while inside and left > 0:
        left -= 1
        module = (<object><PyObject*>place.ctx.owner).module
        at = module.shown_at(offset_of(&place) or None)
        if error.at is None and not error.frames:
            error.at = at
            error.source = error.source or module.source
        error.frames.append((module.names.funcs.get(place.code.index, place.code.index), at))
        inside = outward(&place)
    return 0
