#include "base.h"

#include <stdlib.h>

static uint64_t hash_bytes(const void *key, size_t length)
{
    const uint8_t *bytes = key;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

static bool grow(hf_table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : 16;
    hf_node **slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return table->capacity > 0; /* a full table is slow, not wrong */
    for (size_t i = 0; i < table->capacity; i++) {
        hf_node *node = table->slots[i];
        while (node != NULL) {
            hf_node *next = node->next;
            hf_node **slot = &slots[node->hash & (capacity - 1)];
            node->next = *slot;
            *slot = node;
            node = next;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

bool hf_table_insert(hf_table *table, hf_node *node, const void *key, size_t key_length)
{
    if (table->count >= table->capacity && !grow(table))
        return false;
    node->key = key;
    node->key_length = key_length;
    node->hash = hash_bytes(key, key_length);
    hf_node **slot = &table->slots[node->hash & (table->capacity - 1)];
    node->next = *slot;
    *slot = node;
    table->count++;
    return true;
}

hf_node *hf_table_find(const hf_table *table, const void *key, size_t key_length)
{
    if (table->count == 0)
        return NULL;
    uint64_t hash = hash_bytes(key, key_length);
    hf_node *node = table->slots[hash & (table->capacity - 1)];
    for (; node != NULL; node = node->next) {
        if (node->hash == hash && node->key_length == key_length &&
            memcmp(node->key, key, key_length) == 0)
            return node;
    }
    return NULL;
}

void hf_table_remove(hf_table *table, hf_node *node)
{
    hf_node **link = &table->slots[node->hash & (table->capacity - 1)];
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    node->next = NULL;
    table->count--;
}

hf_node *hf_table_next(const hf_table *table, const hf_node *node)
{
    if (node != NULL && node->next != NULL)
        return node->next;
    size_t slot = node != NULL ? (node->hash & (table->capacity - 1)) + 1 : 0;
    for (; slot < table->capacity; slot++) {
        if (table->slots[slot] != NULL)
            return table->slots[slot];
    }
    return NULL;
}

void hf_table_free(hf_table *table)
{
    free(table->slots);
    *table = (hf_table){0};
}
