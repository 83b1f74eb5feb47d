#include "task_exit.h"

// What compiled Swift code calls, and the head of every async frame: the calling convention of
// Swift's async functions.
#define SWIFT __attribute__((swiftcall))
#define ASYNC __attribute__((swiftasynccall, visibility("hidden")))
#define FRAME __attribute__((swift_async_context))

struct frame {
    struct frame *caller;
    __attribute__((swiftasynccall)) void (*resume)(FRAME struct frame *);
};

typedef SWIFT void handler(__attribute__((swift_context)) void *context);

SWIFT void *swift_task_getCurrent(void);
SWIFT void *swift_task_alloc(size_t size);
SWIFT void swift_task_dealloc(void *memory);
SWIFT void swift_task_dealloc_through(void *memory);
SWIFT void *swift_task_addCancellationHandler(handler *handle, void *context);
SWIFT void swift_task_removeCancellationHandler(void *record);

/// An async function is called through a record: where it is, and how large its frame.
#define ASYNC_FUNCTION(name)                                                                       \
    __asm__(".pushsection .rodata\n.balign 4\n.globl " #name "Tu\n.hidden " #name "Tu\n" #name     \
            "Tu:\n.long " #name " - .\n.long 16\n.popsection")

ASYNC void task_exit_mark(struct task_exit *exit, FRAME struct frame *self);
ASYNC void task_exit_take(struct task_exit *exit, FRAME struct frame *self);
ASYNC_FUNCTION(task_exit_mark);
ASYNC_FUNCTION(task_exit_take);

ASYNC void task_exit_mark(struct task_exit *exit, FRAME struct frame *self)
{
    exit->frame = self->caller;
    return self->resume(self);
}

ASYNC void task_exit_take(struct task_exit *exit, FRAME struct frame *self)
{
    struct frame *marked = exit->frame;
    (void)self; // One of the frames that are freed here.
    exit->task = NULL;
    swift_task_dealloc_through(exit->floor);
    return marked->resume(marked);
}

void task_exit_set(struct task_exit *exit)
{
    exit->task = swift_task_getCurrent();
    exit->floor = swift_task_alloc(16);
}

void task_exit_clear(struct task_exit *exit)
{
    exit->task = NULL;
    swift_task_dealloc(exit->floor);
}

bool task_exit_is_here(const struct task_exit *exit)
{
    return exit->task != NULL && exit->task == swift_task_getCurrent();
}

uintptr_t task_exit_word(size_t index)
{
    const uintptr_t *words = swift_task_getCurrent();
    return words[index];
}

void *task_exit_allocate(size_t size)
{
    return swift_task_alloc(size);
}

void task_exit_free(void *memory)
{
    swift_task_dealloc(memory);
}

static SWIFT void do_nothing(__attribute__((swift_context)) void *context)
{
    (void)context;
}

void *task_exit_add_handler(void)
{
    return swift_task_addCancellationHandler(do_nothing, NULL);
}

void task_exit_remove_handler(void *handler)
{
    swift_task_removeCancellationHandler(handler);
}
