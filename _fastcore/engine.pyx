"""The native engine as the embedding's protocols see it. Its objects are extension types; this is the hook they hang on."""

import sys

from cpython.object cimport PyObject
from pywasm_ref._fastcore.instances cimport Instance
from pywasm_ref._fastcore.layout cimport Ctx, Type
from pywasm_ref._fastcore.modules cimport Module
from pywasm_ref._fastcore.store cimport PyObject_GC_IsTracked, PyObject_IS_GC, unwatched, watched

from pywasm_ref._fastcore import calls, objects
from pywasm_ref._fastcore.dispatch import DISPATCH
from pywasm_ref._fastcore.tables import SOURCES
from pywasm_ref.binary import encode

cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object, object, object) except -1


class FastEngine:
    """The engine that is quick: it reads a binary once, and lowers it to code for registers while it validates it."""

    __slots__ = ()
    name = "fast"
    func_parts = calls.Called
    build = f"{SOURCES} {DISPATCH} {sys.byteorder} {sizeof(void*)} {sizeof(Ctx)} {sizeof(Type)}"
    """Code that was lowered by one build means nothing to another."""

    def decode(self, source, features):
        """Fails   Malformed"""
        if not isinstance(source.data, bytes):
            raise TypeError("a binary is bytes, not a text")
        return objects.Module(source.data, features, source, self)

    def adopt(self, module, features):
        """What was parsed goes through the binary format: there is one way in."""
        return objects.Module(encode(module), features, module.source, self, module)

    def load(self, source, features, code):
        """Fails   Malformed"""
        return objects.Module(source.data, features, source, self, None, code)

    def store(self, limits):
        return objects.Store(limits, self)

    def begin(self, face, module, Module raw not None, limits):
        store = objects.Store(limits, self)
        PyObject_GenericSetAttr(face, "_module", module)
        PyObject_GenericSetAttr(face, "_raw_store", store)
        instance = Instance.__new__(Instance, raw, (), store)
        PyObject_GenericSetAttr(face, "_raw", instance)
        if PyObject_IS_GC(<PyObject*>face) and not PyObject_GC_IsTracked(<PyObject*>instance):
            unwatched(<PyObject*>face)

    def show(self, face):
        if PyObject_IS_GC(<PyObject*>face):
            watched(<PyObject*>face)


ENGINE = FastEngine()
"""The one engine of this kind."""
