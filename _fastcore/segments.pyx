"""See segments.pxd.

An image is a file in memory that holds what the active segments of a memory say, made once for each module. Instances map it privately
over their memory: pages are copied when they are written, and what is only read is there once. The mapping of an instance that has come
to its end is used for the next: mapping and unmapping are a third of what starting an instance costs. This is done where nothing can go wrong
while segments are copied: all offsets are constants, all memories the module's own, everything inside. Small ones are copied.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from pywasm_ref._fastcore.layout cimport Ctx, Mem, Seg, Spare
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.memory cimport IMAGED, mem_keep, mem_own_mapping, outside, spare_free
from pywasm_ref._fastcore.unit cimport INIT_CONST, SEGMENT_ACTIVE, SEGMENT_PASSIVE, Image, Segment, Unit

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <stddef.h>
    #include <stdint.h>
    #if defined(__linux__)
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    static int image_open(uint64_t size) {
    #if defined(SYS_memfd_create)
        int fd = (int)syscall(SYS_memfd_create, "wasm-data", 1u);
        if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) { close(fd); fd = -1; }
        return fd;
    #else
        (void)size; return -1;
    #endif
    }
    static int image_write(int fd, const void* p, uint64_t n, uint64_t at) {
        while (n > 0) {
            ssize_t k = pwrite(fd, p, n, (off_t)at);
            if (k <= 0) return 0;
            p = (const char*)p + k; n -= (uint64_t)k; at += (uint64_t)k;
        }
        return 1;
    }
    /* 1 when it is there, 0 when nothing has changed, -1 when the bytes are lost */
    static int image_put(int fd, void* p, uint64_t n) {
        if (mmap(p, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) == p) return 1;
        if (mmap(p, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | MAP_ANONYMOUS, -1, 0) == p) return 0;
        return -1;
    }
    static void image_close(int fd) { close(fd); }
    static uint64_t image_page(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }
    #else
    static int image_open(uint64_t size) { (void)size; return -1; }
    static int image_write(int fd, const void* p, uint64_t n, uint64_t at) { (void)fd; (void)p; (void)n; (void)at; return 0; }
    static int image_put(int fd, void* p, uint64_t n) { (void)fd; (void)p; (void)n; return 0; }
    static void image_close(int fd) { (void)fd; }
    static uint64_t image_page(void) { return 4096; }
    #endif
    """
    int image_open(uint64_t size) noexcept nogil
    bint image_write(int fd, const void* p, uint64_t n, uint64_t at) noexcept nogil
    int image_put(int fd, void* p, uint64_t n) noexcept nogil
    void image_close(int fd) noexcept nogil
    uint64_t image_page() noexcept nogil

cdef enum:
    LARGE = 0x10000                     # bytes of data from which on a memory has an image
    MOST = 256                          # images alive at once: each has a file open
    UNKNOWN = 0                         # `Unit.image_state`
    NONE
    READY

cdef uint32_t ALIVE = 0
cdef PyThread_type_lock LOCK = lock_new()


# ---------------------------------------------------------------------------------------------- what instructions name

cdef int segments_new(Ctx* ctx, Unit* unit) noexcept nogil:
    """Room for the segments that instructions may name; -1 when memory is out. Those of elements are still empty."""
    cdef uint32_t i
    if unit.n_elems:
        ctx.elems = <Seg*>calloc(unit.n_elems, sizeof(Seg))
        if ctx.elems == NULL:
            return -1
    if unit.n_datas and unit.uses_data:
        ctx.datas = <Seg*>calloc(unit.n_datas, sizeof(Seg))
        if ctx.datas == NULL:
            return -1
        for i in range(unit.n_datas):
            ctx.datas[i].at = <void*>unit.datas[i].bytes
            ctx.datas[i].size = unit.datas[i].size
    return 0


cdef void segments_free(Ctx* ctx, Unit* unit) noexcept nogil:
    cdef uint32_t i
    if ctx.elems != NULL:
        for i in range(unit.n_elems):
            free(ctx.elems[i].at)
    free(ctx.elems)
    free(ctx.datas)


# ---------------------------------------------------------------------------------------------- images

cdef int images_map(Ctx* ctx, Unit* unit) noexcept nogil:
    """Put all data where it belongs without copying it: 1; 0 when it is to be copied, -1 when a memory was lost in trying."""
    cdef uint32_t i
    cdef int done
    cdef Image* image
    cdef Mem* memory
    if unit.n_datas == 0 or unit.image_state == NONE:
        return 0
    if unit.image_state == UNKNOWN:
        PyThread_acquire_lock(LOCK, 1)
        if unit.image_state == UNKNOWN:
            unit.image_state = READY if images_make(unit) else NONE
        PyThread_release_lock(LOCK)
        if unit.image_state == NONE:
            return 0
    for i in range(unit.n_mems):
        image = &unit.images[i]
        memory = ctx.mems[i]
        if image.size == 0 or memory.place == IMAGED:
            continue
        if not mem_own_mapping(memory):
            return 0
        done = image_put(image.file, memory.base + image.start, image.size)
        if done != 1:
            return done
        memory.place = IMAGED
    return 1


cdef Spare* image_spare(Unit* unit, uint32_t memory) noexcept nogil:
    """Space with the image of a memory, if there is any."""
    return &unit.images[memory].spare if unit.image_state == READY else NULL


cdef void image_keep(Unit* unit, uint32_t index, Mem* memory) noexcept nogil:
    """Before a memory of the module comes to its end."""
    if unit.image_state == READY and unit.images[index].size != 0:
        mem_keep(memory, &unit.images[index].spare)


cdef bint images_make(Unit* unit) noexcept nogil:
    """Under the lock."""
    cdef uint32_t i
    cdef uint64_t total = 0
    cdef Segment* s
    cdef Image* image
    for i in range(unit.n_datas):
        s = &unit.datas[i]
        if s.mode != SEGMENT_ACTIVE:
            continue
        if s.offset.kind != INIT_CONST or s.target < unit.imported_mems or unit.mems[s.target].shared:
            return False
        if outside(s.offset.bits, s.size, unit.mems[s.target].min << unit.mems[s.target].page_bits):
            return False
        total += s.size
    if total < LARGE:
        return False
    unit.images = <Image*>calloc(unit.n_mems, sizeof(Image))
    if unit.images == NULL:
        return False
    for i in range(unit.n_mems):
        unit.images[i].file = -1
    for i in range(unit.n_mems):
        measure(unit, i)
        image = &unit.images[i]
        if image.size != 0 and not image_made(unit, i, image):
            images_drop(unit)
            return False
    return True


cdef void measure(Unit* unit, uint32_t memory) noexcept nogil:
    """From which address to which there is data, in whole pages."""
    cdef uint64_t page = image_page()
    cdef uint64_t low = ~<uint64_t>0
    cdef uint64_t high = 0
    cdef uint32_t i
    cdef Segment* s
    for i in range(unit.n_datas):
        s = &unit.datas[i]
        if s.mode == SEGMENT_ACTIVE and s.target == memory and s.size != 0:
            low = min(low, s.offset.bits)
            high = max(high, s.offset.bits + s.size)
    if high != 0:
        unit.images[memory].start = low & ~(page - 1)
        unit.images[memory].size = ((high + page - 1) & ~(page - 1)) - unit.images[memory].start


cdef bint image_made(Unit* unit, uint32_t memory, Image* image) noexcept nogil:
    global ALIVE
    cdef uint32_t i
    cdef Segment* s
    if ALIVE >= MOST:
        return False
    image.file = image_open(image.size)
    if image.file < 0:
        return False
    ALIVE += 1
    for i in range(unit.n_datas):
        s = &unit.datas[i]
        if s.mode == SEGMENT_ACTIVE and s.target == memory:
            if not image_write(image.file, s.bytes, s.size, s.offset.bits - image.start):
                return False
    return True


cdef void images_free(Unit* unit) noexcept nogil:
    """The files; mappings of them live on by themselves."""
    PyThread_acquire_lock(LOCK, 1)
    images_drop(unit)
    PyThread_release_lock(LOCK)


cdef void images_drop(Unit* unit) noexcept nogil:
    """Under the lock."""
    global ALIVE
    cdef uint32_t i
    if unit.images == NULL:
        return
    for i in range(unit.n_mems):
        spare_free(&unit.images[i].spare)
        if unit.images[i].file >= 0:
            image_close(unit.images[i].file)
            ALIVE -= 1
    free(unit.images)
    unit.images = NULL
    unit.image_state = NONE
