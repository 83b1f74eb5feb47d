/*
 * A worker in a loop around poll(). Header only.
 *
 *   struct pollfd fds[N];
 *   for (;;) {
 *       int timeout = holdfast_poll_prepare(worker, &fds[0], my_timeout_ms);
 *       poll(fds, N, timeout);
 *       if (holdfast_poll_process(worker, &fds[0], &error) != HOLDFAST_OK)
 *           break;
 *   }
 */
#ifndef HOLDFAST_POLL_H
#define HOLDFAST_POLL_H

#include <holdfast.h>

#include <limits.h>
#include <poll.h>

/* Fills `slot` for the worker, and returns the timeout for poll(): the smaller of `timeout_ms`
 * (milliseconds, < 0: none) and what the worker needs. Neither pointer may be NULL. Since 0.1. */
static inline int holdfast_poll_prepare(holdfast_worker *worker, struct pollfd *slot,
                                        int timeout_ms)
{
    int64_t needed = holdfast_worker_timeout_ms(worker);
    slot->fd = holdfast_worker_fd(worker);
    slot->events = POLLIN;
    slot->revents = 0;
    if (needed < 0 || (timeout_ms >= 0 && timeout_ms <= needed))
        return timeout_ms;
    return needed > INT_MAX ? INT_MAX : (int)needed;
}

/* Does what is due after poll(): I/O, and the registered functions of tasks that came, on this
 * thread. Returns as holdfast_worker_process; `error` may be NULL. Since 0.1. */
static inline holdfast_status
holdfast_poll_process(holdfast_worker *worker, const struct pollfd *slot, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (slot->revents == 0 && holdfast_worker_timeout_ms(worker) != 0)
        return HOLDFAST_OK;
    return holdfast_worker_process(worker, error);
}

#endif
