"""The calls that were open when an error left a guest, for a person to read."""

from pywasm_ref._fastcore.layout cimport Ctx, S, W

cdef int note_frames(object error, Ctx* ctx, W* pc, S* fp) except -1
