"""The calls that were open when an error left a guest, for a person to read."""

from pywasm_ref._fastcore.layout cimport Ctx

cdef int note_frames(object error, Ctx* ctx) except -1
