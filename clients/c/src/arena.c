#include "arena.h"

#include <stdlib.h>

#define HF_BLOCK_SIZE 4096u

typedef struct hf_arena_block {
    struct hf_arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) uint8_t bytes[];
} hf_arena_block;

void hf_arena_init(hf_arena *arena, size_t budget)
{
    *arena = (hf_arena){.budget = budget > 0 ? budget : SIZE_MAX};
}

void *hf_arena_alloc(hf_arena *arena, size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2 || size > arena->budget - arena->used)
        return NULL;
    size_t rounded = (size + unit - 1) / unit * unit;
    hf_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < rounded) {
        size_t room = rounded > HF_BLOCK_SIZE / 2 ? rounded : HF_BLOCK_SIZE - sizeof *block;
        block = calloc(1, sizeof *block + room);
        if (block == NULL)
            return NULL;
        block->size = room;
        /* A block of one large piece goes behind the current one, which still has room. */
        if (rounded == room && arena->blocks != NULL) {
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        } else {
            block->next = arena->blocks;
            arena->blocks = block;
        }
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += size;
    return memory;
}

holdfast_string hf_arena_copy(hf_arena *arena, const void *bytes, size_t length)
{
    char *copy = hf_arena_alloc(arena, length + 1);
    if (copy == NULL)
        return (holdfast_string){0};
    if (length > 0)
        memcpy(copy, bytes, length);
    return (holdfast_string){copy, length};
}

void hf_arena_free(hf_arena *arena)
{
    while (arena->blocks != NULL) {
        hf_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

static void *allocate(void *arena, size_t size)
{
    return hf_arena_alloc(arena, size);
}

static void forget(void *arena, void *memory)
{
    (void)arena;
    (void)memory; /* goes with the arena */
}

ProtobufCMessage *hf_unpack(hf_arena *arena, const ProtobufCMessageDescriptor *type,
                            holdfast_bytes message)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = forget, .allocator_data = arena};
    size_t budget = arena->budget;
    size_t allowed = message.len * HF_UNPACK_FACTOR + HF_UNPACK_FLOOR;
    if (allowed < budget - arena->used)
        arena->budget = arena->used + allowed;
    ProtobufCMessage *result =
        protobuf_c_message_unpack(type, &allocator, message.len, message.ptr);
    arena->budget = budget;
    return result;
}
