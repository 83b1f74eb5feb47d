/* Small things that every part uses: bytes, clock, chance, tables keyed by bytes. */
#ifndef HF_BASE_H
#define HF_BASE_H

#include "holdfast.h"

#include <pthread.h>
#include <stdatomic.h>

#define HF_CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define HF_NEVER INT64_MAX

/* Bytes that grow at the end and are consumed at the front. */
typedef struct hf_buffer {
    uint8_t *data;
    size_t start, end, capacity;
} hf_buffer;

static inline size_t hf_buffer_length(const hf_buffer *buffer)
{
    return buffer->end - buffer->start;
}

static inline holdfast_bytes hf_buffer_view(const hf_buffer *buffer)
{
    const uint8_t *at = buffer->data != NULL ? buffer->data + buffer->start : NULL;
    return (holdfast_bytes){at, buffer->end - buffer->start};
}

/* Makes room for `more` bytes after the end; false: out of memory, nothing changed. */
bool hf_buffer_reserve(hf_buffer *buffer, size_t more);
bool hf_buffer_append(hf_buffer *buffer, const void *bytes, size_t length);
void hf_buffer_consume(hf_buffer *buffer, size_t length);
/* Empties the buffer and gives back memory beyond what is usual. */
void hf_buffer_reset(hf_buffer *buffer);
void hf_buffer_free(hf_buffer *buffer);

/* Milliseconds of the monotonic clock. */
int64_t hf_now_ms(void);
/* now + timeout; < 0 and overflow mean never. */
int64_t hf_deadline(int64_t now_ms, int64_t timeout_ms);
/* Milliseconds from now until `deadline_ms` as poll() takes them: -1 for never. */
int hf_poll_timeout(int64_t now_ms, int64_t deadline_ms);
/* Waits on a condition made by hf_condition_init, at most until `deadline_ms`. */
void hf_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms);
void hf_condition_init(pthread_cond_t *condition);

/* False when the system has no randomness to give. */
bool hf_random(void *bytes, size_t length);
uint64_t hf_random_number(void);
/* Writes a random UUID (version 4) as text. */
bool hf_random_uuid(char text[37]);

/* A member of a table; `key` must live as long as it is in. */
typedef struct hf_node {
    struct hf_node *next;
    uint64_t hash;
    const void *key;
    size_t key_length;
} hf_node;

typedef struct hf_table {
    hf_node **slots;
    size_t capacity, count;
} hf_table;

/* False: out of memory. Does not look for an equal key. */
bool hf_table_insert(hf_table *table, hf_node *node, const void *key, size_t key_length);
hf_node *hf_table_find(const hf_table *table, const void *key, size_t key_length);
void hf_table_remove(hf_table *table, hf_node *node);
/* The node after `node` (NULL: the first) in no particular order; the table must not change. */
hf_node *hf_table_next(const hf_table *table, const hf_node *node);
void hf_table_free(hf_table *table);

/* Knows whether this process is a child of the one that made it, without a system call. */
typedef struct hf_fork_guard {
    _Atomic uint32_t *page; /* wiped by the kernel in a child */
    int64_t pid;            /* where the kernel does not wipe */
} hf_fork_guard;

bool hf_fork_guard_init(hf_fork_guard *guard);
bool hf_forked(const hf_fork_guard *guard);
void hf_fork_guard_free(hf_fork_guard *guard);

bool hf_string_equal(holdfast_string left, holdfast_string right);
/* A copy with a NUL after it, by malloc; NULL: out of memory. */
char *hf_string_copy(holdfast_string string);

/* 0: valid UTF-8 without NUL; else what is wrong, in words. */
const char *hf_utf8_fault(const void *bytes, size_t length);

#endif
