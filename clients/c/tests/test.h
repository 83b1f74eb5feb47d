/* A small runner: each test is a function that CHECKs; the first that fails says where and ends it.
 */
#ifndef TEST_H
#define TEST_H

#include "base.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct test_case {
    const char *name;
    void (*run)(void);
    bool forks;
} test_case;

extern const test_case connection_tests[], client_tests[], worker_tests[], abuse_tests[],
    unit_tests[], adapter_tests[], mutation_tests[], resume_tests[], pull_tests[], stream_tests[],
    loop_tests[], loop_end_tests[];

/* alloc.c: the n-th allocation of this thread (from 1), and all after it, fail. */
void fail_allocation(long number);
/* Whether it came so far; allocations succeed again. */
bool allocation_failed(void);

void test_fail(const char *file, int line, const char *what) __attribute__((noreturn));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, #condition);                                             \
    } while (0)

#define CHECK_STATUS(expected, call)                                                               \
    do {                                                                                           \
        holdfast_status got_ = (call);                                                             \
        if (got_ != (expected)) {                                                                  \
            fprintf(stderr, "%s: got %d (%s)\n", #call, (int)got_, holdfast_strerror(got_));       \
            test_fail(__FILE__, __LINE__, #call);                                                  \
        }                                                                                          \
    } while (0)

static inline bool string_is(holdfast_string string, const char *expected)
{
    return string.len == strlen(expected) && memcmp(string.ptr, expected, string.len) == 0 &&
           string.ptr[string.len] == '\0';
}

#endif
