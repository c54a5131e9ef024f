"""See moving.pxd. Whether a call is plain is asked as `wasi.shortcuts` asks it; nothing is changed by asking, so that the code can be called
afterwards, and for what the system refuses too: it refuses that once more, and in the right words."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from pywasm_ref._fastcore.externs cimport Memory
from pywasm_ref._fastcore.layout cimport VT_I32, Mem, S, Type
from pywasm_ref._fastcore.store cimport Room

cdef extern from *:
    """
    #ifdef _WIN32
    #include <io.h>
    #define MOVE_IN(fd, at, n) _read((fd), (at), (unsigned int)(n))
    #define MOVE_OUT(fd, at, n) _write((fd), (at), (unsigned int)(n))
    #else
    #include <unistd.h>
    #define MOVE_IN(fd, at, n) read((fd), (at), (size_t)(n))
    #define MOVE_OUT(fd, at, n) write((fd), (at), (size_t)(n))
    #endif
    """
    Py_ssize_t MOVE_IN(int fd, void* at, uint64_t n) nogil
    Py_ssize_t MOVE_OUT(int fd, void* at, uint64_t n) nogil

cdef extern from "Python.h":
    int PyObject_AsFileDescriptor(object) except -1
    bint PyCallable_Check(object)


cdef class Moving:
    def __init__(self, code, moves):
        self.code = code
        self.moves = moves
        self.things = moves.things
        self.writes = moves.writes
        self.most = moves.most

    def __call__(self, args):
        return self.code(args)

    cdef bint move(self, Room store, S* args) except -1:
        """Whether it was plain, and is done: arguments are a number, the address and length of an array of one buffer, and where the
        length that was moved is written; the result is an errno."""
        cdef uint64_t array = args[1].u32
        cdef uint64_t result = args[3].u32
        cdef Py_ssize_t done
        cdef Mem* memory
        cdef uint32_t at = 0
        cdef uint32_t n = 0
        if args[2].u32 != 1 or (array | result) & 3:
            return False
        thing = self.things.get(args[0].u32)
        if thing is None:
            return False
        target = thing.write_to if self.writes else thing.read_from
        access = thing.access
        door = self.moves.memory
        if target is None or access.revoked or (self.writes and access.readonly):
            return False
        if not isinstance(door, Memory) or (<Memory>door).store is not store:   # of this store: nobody else moves it meanwhile
            return False
        memory = (<Memory>door).mem
        if not found(memory, array, result, self.writes, &at, &n) or n > self.most:
            return False
        if PyCallable_Check(target):
            return self.hand(door, memory, target, args, at, n)
        done = moved(memory.base + at, PyObject_AsFileDescriptor(target), n, self.writes)
        if done < 0:
            return False
        finish(memory, args, done)
        return True

    cdef bint hand(self, door, Mem* memory, target, S* args, uint64_t at, uint64_t n) except -1:
        """Give a buffer to a function, which may do anything: the view keeps the bytes where they are. It is done in any case."""
        try:
            done = target(memoryview(door)[at : at + n])
        except (OSError, MemoryError) as error:
            args[0].u64 = <uint32_t>self.moves.failed(error)
            return True
        if not 0 <= done <= n:
            raise ValueError(f"{done} of {n} bytes cannot have been written")
        finish(memory, args, done)
        return True


cdef void finish(Mem* memory, S* args, Py_ssize_t done) noexcept:
    """The memory may be elsewhere than it was, and is no smaller."""
    cdef uint32_t n = <uint32_t>done
    memcpy(memory.base + args[3].u32, &n, 4)
    args[0].u64 = 0


cdef bint found(Mem* memory, uint64_t array, uint64_t result, bint writes, uint32_t* at, uint32_t* n) noexcept nogil:
    """The buffer, where it is in memory as well as the array and the result, and they are apart."""
    cdef uint64_t size = memory.size
    if array + 8 > size or result + 4 > size or not apart(array, 8, result, 4):
        return False
    memcpy(at, memory.base + array, 4)
    memcpy(n, memory.base + array + 4, 4)
    return <uint64_t>at[0] + n[0] <= size and apart(at[0], n[0], result, 4) and (writes or apart(at[0], n[0], array, 8))


cdef Py_ssize_t moved(uint8_t* bytes, int fd, uint64_t n, bint writes) noexcept:
    """How much the system moved, or -1 for an error."""
    cdef Py_ssize_t done
    with nogil:
        done = MOVE_OUT(fd, bytes, n) if writes else MOVE_IN(fd, bytes, n)
    return done


cdef inline bint apart(uint64_t a, uint64_t n, uint64_t b, uint64_t m) noexcept nogil:
    """Whether two ranges have nothing in common."""
    return a + n <= b or b + m <= a


cdef object moving(Type* type, object code):
    """The code as one that moves, where it says so and has the type for it."""
    cdef uint32_t i
    moves = getattr(code, "moves", None)
    if moves is None or type.n_params != 4 or type.n_results != 1:
        return code
    for i in range(5):
        if type.valtypes[i] != VT_I32:
            return code
    return Moving(code, moves)
