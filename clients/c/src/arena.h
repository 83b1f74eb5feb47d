/* Memory that is freed at once, within a budget: what a message may cost when it is unpacked. */
#ifndef HF_ARENA_H
#define HF_ARENA_H

#include "base.h"

#include <protobuf-c/protobuf-c.h>

typedef struct hf_arena {
    struct hf_arena_block *blocks;
    size_t used, budget;
} hf_arena;

/* budget: bytes, 0: none. */
void hf_arena_init(hf_arena *arena, size_t budget);
/* Zeroed memory; NULL: out of memory or budget. */
void *hf_arena_alloc(hf_arena *arena, size_t size);
/* A copy with a NUL after it; ptr NULL: out of memory. */
holdfast_string hf_arena_copy(hf_arena *arena, const void *bytes, size_t length);
void hf_arena_free(hf_arena *arena);

/* Unpacks a message that hf_wire_check has passed; NULL: out of memory or over the budget of
 * HF_UNPACK_FACTOR times its size. The arena owns the result. */
#define HF_UNPACK_FACTOR 24
#define HF_UNPACK_FLOOR (64u * 1024u)
ProtobufCMessage *hf_unpack(hf_arena *arena, const ProtobufCMessageDescriptor *type,
                            holdfast_bytes message);

#endif
