/* Fails the n-th allocation of a thread. Linked with --wrap. */
#include "test.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static _Thread_local long countdown = -1;

void fail_allocation(long number)
{
    countdown = number;
}

bool allocation_failed(void)
{
    bool failed = countdown == 0;
    countdown = -1;
    return failed;
}

/* Once it has failed, every allocation fails until allocation_failed is asked. */
static bool fails(void)
{
    if (countdown > 0)
        countdown--;
    return countdown == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
