/*
 * Workers and clients in a libuv loop, an adapter for each. Header only.
 *
 *   holdfast_uv adapter, other;
 *   holdfast_uv_start(&adapter, loop, worker, ended, NULL);
 *   holdfast_uv_start_client(&other, loop, client, take, ended, NULL);
 *   uv_run(loop, UV_RUN_DEFAULT);
 *
 * Registered functions run inside the loop's callbacks. `ended` is called once, when the worker has
 * stopped or the client was shut down (HOLDFAST_CLOSED), or it cannot go on; the handles are being
 * closed then.
 */
#ifndef HOLDFAST_UV_H
#define HOLDFAST_UV_H

#include <holdfast.h>

#include <uv.h>

typedef struct holdfast_uv holdfast_uv;

/* `error` is NULL when status is HOLDFAST_CLOSED; it is freed after the callback. */
typedef void (*holdfast_uv_ended)(holdfast_uv *adapter, holdfast_status status,
                                  const holdfast_error *error, void *user_data);

/* Something may have come in: take completions and messages of streams until there are no more. May
 * close the adapter, and then the client too. */
typedef void (*holdfast_uv_take)(holdfast_uv *adapter, void *user_data);

/* The caller's memory; must live until `closed` is true. Members are the adapter's. */
struct holdfast_uv {
    uv_poll_t poll;
    uv_timer_t timer;
    holdfast_worker *worker; /* one of the two is NULL */
    holdfast_client *client;
    holdfast_uv_take take;
    holdfast_uv_ended ended;
    void *user_data;
    int open_handles;
    bool stopped, closed;
};

static inline void holdfast_uv_on_close_(uv_handle_t *handle)
{
    holdfast_uv *adapter = (holdfast_uv *)handle->data;
    adapter->closed = --adapter->open_handles == 0;
}

/* Closes the adapter's handles without touching the worker or client. Since 0.1. */
static inline void holdfast_uv_close(holdfast_uv *adapter)
{
    if (adapter->stopped)
        return;
    adapter->stopped = true;
    uv_close((uv_handle_t *)&adapter->poll, holdfast_uv_on_close_);
    uv_close((uv_handle_t *)&adapter->timer, holdfast_uv_on_close_);
}

static inline void holdfast_uv_on_timer_(uv_timer_t *timer);

static inline void holdfast_uv_process_(holdfast_uv *adapter)
{
    holdfast_error *error = NULL;
    holdfast_status status = adapter->worker != NULL
                                 ? holdfast_worker_process(adapter->worker, &error)
                                 : holdfast_client_process(adapter->client, &error);
    if (adapter->take != NULL)
        adapter->take(adapter, adapter->user_data);
    if (adapter->take != NULL && adapter->stopped) {
        holdfast_error_free(error);
        return;
    }
    if (status == HOLDFAST_OK) {
        int64_t timeout = adapter->worker != NULL ? holdfast_worker_timeout_ms(adapter->worker)
                                                  : holdfast_client_timeout_ms(adapter->client);
        if (timeout >= 0)
            uv_timer_start(&adapter->timer, holdfast_uv_on_timer_, (uint64_t)timeout, 0);
        else
            uv_timer_stop(&adapter->timer);
        return;
    }
    holdfast_uv_close(adapter);
    if (adapter->ended != NULL)
        adapter->ended(adapter, status, status == HOLDFAST_CLOSED ? NULL : error,
                       adapter->user_data);
    holdfast_error_free(error);
}

static inline void holdfast_uv_on_timer_(uv_timer_t *timer)
{
    holdfast_uv_process_((holdfast_uv *)timer->data);
}

static inline void holdfast_uv_on_poll_(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    holdfast_uv_process_((holdfast_uv *)poll->data);
}

static inline int holdfast_uv_begin_(holdfast_uv *adapter, uv_loop_t *loop, int fd)
{
    int result = uv_poll_init(loop, &adapter->poll, fd);
    if (result != 0)
        return result;
    uv_timer_init(loop, &adapter->timer);
    adapter->poll.data = adapter->timer.data = adapter;
    adapter->open_handles = 2;
    result = uv_poll_start(&adapter->poll, UV_READABLE, holdfast_uv_on_poll_);
    if (result == 0)
        result = uv_timer_start(&adapter->timer, holdfast_uv_on_timer_, 0, 0);
    if (result != 0)
        holdfast_uv_close(adapter);
    return result;
}

/* Serves `worker` in `loop`. `ended` may be NULL; no other pointer may. Returns 0 or libuv's error.
 * On the loop's thread. Since 0.1. */
static inline int holdfast_uv_start(holdfast_uv *adapter, uv_loop_t *loop, holdfast_worker *worker,
                                    holdfast_uv_ended ended, void *user_data)
{
    memset(adapter, 0, sizeof *adapter);
    adapter->worker = worker;
    adapter->ended = ended;
    adapter->user_data = user_data;
    return holdfast_uv_begin_(adapter, loop, holdfast_worker_fd(worker));
}

/* Serves `client` in `loop`; `take` is called after each turn. `ended` may be NULL; no other
 * pointer may. Returns 0 or libuv's error. On the loop's thread. Since 0.1. */
static inline int holdfast_uv_start_client(holdfast_uv *adapter, uv_loop_t *loop,
                                           holdfast_client *client, holdfast_uv_take take,
                                           holdfast_uv_ended ended, void *user_data)
{
    memset(adapter, 0, sizeof *adapter);
    adapter->client = client;
    adapter->take = take;
    adapter->ended = ended;
    adapter->user_data = user_data;
    return holdfast_uv_begin_(adapter, loop, holdfast_client_fd(client));
}

#endif
