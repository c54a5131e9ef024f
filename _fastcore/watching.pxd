"""What AddressSanitizer cannot know of memory that the engine divides up itself: which bytes are nobody's. Nothing in other builds."""

cdef extern from *:
    """
    #if defined(__SANITIZE_ADDRESS__)
    #define PYWASM_ADDRESS_SANITIZER
    #elif defined(__has_feature)
    #if __has_feature(address_sanitizer)
    #define PYWASM_ADDRESS_SANITIZER
    #endif
    #endif
    #ifdef PYWASM_ADDRESS_SANITIZER
    #include <sanitizer/asan_interface.h>
    #define PYWASM_WATCHING 1
    #define PYWASM_FORBID(p, n) __asan_poison_memory_region((p), (n))
    #define PYWASM_PERMIT(p, n) __asan_unpoison_memory_region((p), (n))
    #else
    #define PYWASM_WATCHING 0
    #define PYWASM_FORBID(p, n) ((void)(p), (void)(n))
    #define PYWASM_PERMIT(p, n) ((void)(p), (void)(n))
    #endif
    """
    const bint WATCHING "PYWASM_WATCHING"
    void forbid "PYWASM_FORBID" (void* p, size_t n) noexcept nogil
    void permit "PYWASM_PERMIT" (void* p, size_t n) noexcept nogil
