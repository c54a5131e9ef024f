/* Counting words in an open hash table with string keys: byte loads, hashing, string comparison, pointers.
   n is the number of words put in. */
#include "kernel.h"

#define SLOTS 4096u
#define LONGEST 8u
#define VOCABULARY 1500u

typedef struct { char key[LONGEST]; u32 count; } Slot;

static Slot slots[SLOTS];

/* A pronounceable word for each number, ended by zero. */
static void spell(u32 number, char *word) {
    static const char consonants[] = "bdfgklmnprstvz", vowels[] = "aeiou";
    u32 length = 0;
    do {
        word[length++] = consonants[number % 14];
        number /= 14;
        word[length++] = vowels[number % 5];
        number /= 5;
    } while (number && length + 2 < LONGEST);
    word[length] = 0;
}

static u32 hash(const char *word) {
    u32 sum = 2166136261u;
    for (; *word; word++) sum = mix(sum, (u8)*word);
    return sum;
}

static u32 same(const char *p, const char *q) {
    for (; *p && *p == *q; p++, q++) {}
    return *p == *q;
}

static NOINLINE Slot *find(const char *word) {
    u32 index = hash(word) % SLOTS;
    while (slots[index].key[0] && !same(slots[index].key, word)) index = (index + 1) % SLOTS;
    return &slots[index];
}

EXPORT(run) u32 run(u32 n) {
    u32 seed = 3, sum = 0;
    char word[LONGEST];
    for (u32 i = 0; i < SLOTS; i++) slots[i].key[0] = 0, slots[i].count = 0;
    while (n--) {
        spell(next_random(&seed) % VOCABULARY, word);
        Slot *slot = find(word);
        for (u32 i = 0; i < LONGEST && !slot->count; i++) slot->key[i] = word[i];
        slot->count++;
    }
    for (u32 i = 0; i < SLOTS; i++) sum = mix(sum, slots[i].count);
    return sum;
}
