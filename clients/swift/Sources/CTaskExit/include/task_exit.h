#ifndef TASK_EXIT_H
#define TASK_EXIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A place in a task to which its code can be made to return, however deep it is.
///
/// Zeroed by its owner, who keeps it at one address until the task has ended. Two async functions
/// belong to it: `task_exit_mark` notes the frame of its caller, and
/// `task_exit_take` returns from that caller in the place of the code above it.
struct task_exit {
    void *task;
    void *frame;
    /// The first allocation above the frame.
    void *floor;
};

/// Sets the floor: what the current task allocates from now on, an exit frees. Called by the
/// function that has marked the exit.
void task_exit_set(struct task_exit *exit);

/// Takes the floor away when the code has ended by itself. Called by the function that set it.
void task_exit_clear(struct task_exit *exit);

/// True if the exit is set and the current task's.
bool task_exit_is_here(const struct task_exit *exit);

/// How many words of a task object may be looked at: its head, without what follows.
#define TASK_EXIT_WORDS 28

/// A word of the current task's object.
uintptr_t task_exit_word(size_t index);

/// Memory of the current task, which frees in the order opposite to that of allocation.
void *task_exit_allocate(size_t size);
void task_exit_free(void *memory);

/// Puts a cancellation handler that does nothing on the current task; what to remove it by.
void *task_exit_add_handler(void);
void task_exit_remove_handler(void *handler);

#endif
