"""Address space from the system: pages of zeros that cost nothing before they are touched."""

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
    static void* slab_new(size_t n) { return VirtualAlloc(NULL, n, MEM_RESERVE, PAGE_READWRITE); }
    static int slot_use(void* p, size_t n) { return VirtualAlloc(p, n, MEM_COMMIT, PAGE_READWRITE) == p; }
    static int slot_clear(void* p, size_t n) { return VirtualFree(p, n, MEM_DECOMMIT) != 0; }
    #define HEADROOM 0
    #else
    #include <sys/mman.h>
    #ifndef MAP_NORESERVE
    #define MAP_NORESERVE 0
    #endif
    #define SPACE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
    static void* space_new(size_t n) {
        void* p = mmap(NULL, n, PROT_READ | PROT_WRITE, SPACE_FLAGS, -1, 0);
        return p == MAP_FAILED ? NULL : p;
    }
    static void space_free(void* p, size_t n) { munmap(p, n); }
    static void* slab_new(size_t n) {
        void* p = space_new(n);
    #if defined(MADV_NOHUGEPAGE)
        if (p != NULL) madvise(p, n, MADV_NOHUGEPAGE);  /* one touched byte must not cost two megabytes */
    #endif
        return p;
    }
    static int slot_use(void* p, size_t n) { (void)p; (void)n; return 1; }
    static int slot_clear(void* p, size_t n) {
    #if defined(__linux__)
        return madvise(p, n, MADV_DONTNEED) == 0;
    #else
        return mmap(p, n, PROT_READ | PROT_WRITE, SPACE_FLAGS | MAP_FIXED, -1, 0) == p;
    #endif
    }
    #define HEADROOM 1
    #endif
    #if defined(__linux__)
    static void* space_grow(void* p, size_t old, size_t n) {
        void* q = mremap(p, old, n, MREMAP_MAYMOVE);
        return q == MAP_FAILED ? NULL : q;
    }
    #else
    static void* space_grow(void* p, size_t old, size_t n) { (void)p; (void)old; (void)n; return NULL; }
    #endif
    """
    void* space_new(size_t n) noexcept nogil
    void space_free(void* p, size_t n) noexcept nogil
    void* space_grow(void* p, size_t old, size_t n) noexcept nogil
    void* slab_new(size_t n) noexcept nogil
    bint slot_use(void* p, size_t n) noexcept nogil
    bint slot_clear(void* p, size_t n) noexcept nogil
    const bint HEADROOM
