"""Linear memories, see memory.pxd. Later: slabs for small ones, copy-on-write images of data segments, shared ones."""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport calloc, free

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <stddef.h>
    #if defined(_WIN32)
    #include <windows.h>
    static void* space_new(size_t n) { return VirtualAlloc(NULL, n, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
    static void space_free(void* p, size_t n) { (void)n; VirtualFree(p, 0, MEM_RELEASE); }
    #else
    #include <sys/mman.h>
    #ifndef MAP_NORESERVE
    #define MAP_NORESERVE 0
    #endif
    static void* space_new(size_t n) {
        void* p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return p == MAP_FAILED ? NULL : p;
    }
    static void space_free(void* p, size_t n) { munmap(p, n); }
    #endif
    #if defined(__linux__)
    static void* space_grow(void* p, size_t old, size_t n) {
        void* q = mremap(p, old, n, MREMAP_MAYMOVE);
        return q == MAP_FAILED ? NULL : q;
    }
    #else
    #include <string.h>
    static void* space_grow(void* p, size_t old, size_t n) {
        void* q = space_new(n);
        if (q != NULL) { memcpy(q, p, old); space_free(p, old); }
        return q;
    }
    #endif
    """
    void* space_new(size_t n) noexcept nogil
    void space_free(void* p, size_t n) noexcept nogil
    void* space_grow(void* p, size_t old, size_t n) noexcept nogil

cdef Mem EMPTY
EMPTY.base = <uint8_t*>&EMPTY
EMPTY.size = EMPTY.pages = EMPTY.max_pages = EMPTY.reserved = 0


cdef Mem* mem_empty() noexcept nogil:
    """The memory of an instance that has none: every access is out of bounds."""
    return &EMPTY


cdef Mem* mem_new(uint64_t pages, uint64_t max_pages) noexcept nogil:
    """A memory of zeros, or NULL where the system has no space for it."""
    cdef Mem* memory = <Mem*>calloc(1, sizeof(Mem))
    if memory == NULL:
        return NULL
    memory.pages = pages
    memory.max_pages = max_pages
    memory.size = memory.reserved = pages << PAGE_BITS
    if memory.reserved == 0:
        memory.base = <uint8_t*>&EMPTY
    else:
        memory.base = <uint8_t*>space_new(memory.reserved)
        if memory.base == NULL:
            free(memory)
            return NULL
    return memory


cdef void mem_free(Mem* memory) noexcept nogil:
    if memory == NULL or memory == &EMPTY:
        return
    if memory.reserved != 0:
        space_free(memory.base, memory.reserved)
    free(memory)


cdef uint64_t mem_grow(Mem* memory, uint64_t pages) noexcept nogil:
    """The old size in pages, or all ones when it cannot grow. The base may have moved."""
    cdef uint64_t old = memory.pages
    cdef uint64_t size
    cdef void* base
    if pages == 0:
        return old
    if pages > memory.max_pages or old > memory.max_pages - pages or memory.exports != 0:
        return <uint64_t>-1
    size = (old + pages) << PAGE_BITS
    base = space_new(size) if memory.reserved == 0 else space_grow(memory.base, memory.reserved, size)
    if base == NULL:
        return <uint64_t>-1
    memory.base = <uint8_t*>base
    memory.size = memory.reserved = size
    memory.pages = old + pages
    return old
