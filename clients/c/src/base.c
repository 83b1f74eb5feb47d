#include "base.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* A buffer that was once large is given back when it is empty again. */
#define HF_BUFFER_KEPT_MAX (256u * 1024u)

bool hf_buffer_reserve(hf_buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->end >= more)
        return true;
    size_t length = hf_buffer_length(buffer);
    if (more > SIZE_MAX / 2 - length)
        return false;
    if (buffer->start > 0 && length + more <= buffer->capacity && length <= buffer->start) {
        memcpy(buffer->data, buffer->data + buffer->start, length);
        buffer->start = 0;
        buffer->end = length;
        return true;
    }
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 512;
    while (capacity < length + more)
        capacity *= 2;
    uint8_t *data = malloc(capacity);
    if (data == NULL)
        return false;
    if (length > 0)
        memcpy(data, buffer->data + buffer->start, length);
    free(buffer->data);
    *buffer = (hf_buffer){data, 0, length, capacity};
    return true;
}

bool hf_buffer_append(hf_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!hf_buffer_reserve(buffer, length))
        return false;
    memcpy(buffer->data + buffer->end, bytes, length);
    buffer->end += length;
    return true;
}

void hf_buffer_consume(hf_buffer *buffer, size_t length)
{
    size_t have = hf_buffer_length(buffer);
    buffer->start += length < have ? length : have;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void hf_buffer_reset(hf_buffer *buffer)
{
    buffer->start = buffer->end = 0;
    if (buffer->capacity > HF_BUFFER_KEPT_MAX)
        hf_buffer_free(buffer);
}

void hf_buffer_free(hf_buffer *buffer)
{
    free(buffer->data);
    *buffer = (hf_buffer){0};
}

int64_t hf_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t hf_deadline(int64_t now_ms, int64_t timeout_ms)
{
    if (timeout_ms < 0 || timeout_ms > HF_NEVER - now_ms)
        return HF_NEVER;
    return now_ms + timeout_ms;
}

int hf_poll_timeout(int64_t now_ms, int64_t deadline_ms)
{
    if (deadline_ms == HF_NEVER)
        return -1;
    if (deadline_ms <= now_ms)
        return 0;
    int64_t wait = deadline_ms - now_ms;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

void hf_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void hf_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms)
{
    if (deadline_ms == HF_NEVER) {
        pthread_cond_wait(condition, lock);
        return;
    }
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    pthread_cond_timedwait(condition, lock, &until);
}

bool hf_random(void *bytes, size_t length)
{
    uint8_t *at = bytes;
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        at += got;
        length -= (size_t)got;
    }
    return true;
}

uint64_t hf_random_number(void)
{
    uint64_t number = 0;
    if (!hf_random(&number, sizeof number))
        number = (uint64_t)hf_now_ms() * 0x9e3779b97f4a7c15u;
    return number;
}

bool hf_random_uuid(char text[37])
{
    uint8_t b[16];
    if (!hf_random(b, sizeof b))
        return false;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
    return true;
}

bool hf_fork_guard_init(hf_fork_guard *guard)
{
    *guard = (hf_fork_guard){.page = NULL, .pid = getpid()};
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return true;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        return true;
    }
    guard->page = page;
    atomic_store(guard->page, 1);
    return true;
}

bool hf_forked(const hf_fork_guard *guard)
{
    if (guard->page != NULL)
        return atomic_load_explicit(guard->page, memory_order_relaxed) == 0;
    return guard->pid != getpid();
}

void hf_fork_guard_free(hf_fork_guard *guard)
{
    if (guard->page != NULL)
        munmap((void *)guard->page, (size_t)sysconf(_SC_PAGESIZE));
    guard->page = NULL;
}

bool hf_string_equal(holdfast_string left, holdfast_string right)
{
    return left.len == right.len && (left.len == 0 || memcmp(left.ptr, right.ptr, left.len) == 0);
}

char *hf_string_copy(holdfast_string string)
{
    char *copy = malloc(string.len + 1);
    if (copy == NULL)
        return NULL;
    if (string.len > 0)
        memcpy(copy, string.ptr, string.len);
    copy[string.len] = '\0';
    return copy;
}
