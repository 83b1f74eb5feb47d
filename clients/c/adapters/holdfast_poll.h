/*
 * Workers and clients in a loop around poll(). Header only.
 *
 *   struct pollfd fds[N];
 *   for (;;) {
 *       int timeout = holdfast_poll_prepare(worker, &fds[0], my_timeout_ms);
 *       timeout = holdfast_poll_prepare_client(client, &fds[1], timeout);
 *       poll(fds, N, timeout);
 *       if (holdfast_poll_process(worker, &fds[0], &error) != HOLDFAST_OK ||
 *           holdfast_poll_process_client(client, &fds[1], &error) != HOLDFAST_OK)
 *           break;
 *       while (holdfast_client_next_completion(client, 0, &completion) == HOLDFAST_OK)
 *           take(completion);
 *   }
 */
#ifndef HOLDFAST_POLL_H
#define HOLDFAST_POLL_H

#include <holdfast.h>

#include <limits.h>
#include <poll.h>

static inline int holdfast_poll_prepare_(int fd, int64_t needed_ms, struct pollfd *slot,
                                         int timeout_ms)
{
    slot->fd = fd;
    slot->events = POLLIN;
    slot->revents = 0;
    if (needed_ms < 0 || (timeout_ms >= 0 && timeout_ms <= needed_ms))
        return timeout_ms;
    return needed_ms > INT_MAX ? INT_MAX : (int)needed_ms;
}

/* Fills `slot` for the worker, and returns the timeout for poll(): the smaller of `timeout_ms`
 * (milliseconds, < 0: none) and what the worker needs. Neither pointer may be NULL. Since 0.1. */
static inline int holdfast_poll_prepare(holdfast_worker *worker, struct pollfd *slot,
                                        int timeout_ms)
{
    return holdfast_poll_prepare_(holdfast_worker_fd(worker), holdfast_worker_timeout_ms(worker),
                                  slot, timeout_ms);
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

/* Fills `slot` for the client, and returns the timeout for poll(), as holdfast_poll_prepare does
 * for a worker. Neither pointer may be NULL. Since 0.1. */
static inline int holdfast_poll_prepare_client(holdfast_client *client, struct pollfd *slot,
                                               int timeout_ms)
{
    return holdfast_poll_prepare_(holdfast_client_fd(client), holdfast_client_timeout_ms(client),
                                  slot, timeout_ms);
}

/* Does the I/O that is due after poll(). Take completions and messages of streams afterwards, until
 * there are no more. Returns as holdfast_client_process; `error` may be NULL. Since 0.1. */
static inline holdfast_status holdfast_poll_process_client(holdfast_client *client,
                                                           const struct pollfd *slot,
                                                           holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (slot->revents == 0 && holdfast_client_timeout_ms(client) != 0)
        return HOLDFAST_OK;
    return holdfast_client_process(client, error);
}

#endif
