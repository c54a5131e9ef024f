/* Small programs from which superinstructions are chosen. They are not benchmark kernels, and no benchmark runs them. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#define EXPORT __attribute__((visibility("default")))
#define NOINLINE __attribute__((noinline))

static inline u32 next(u32 *seed) {
    *seed ^= *seed << 13; *seed ^= *seed >> 17; *seed ^= *seed << 5;
    return *seed;
}
