/*
 * A worker in a libuv loop. Header only.
 *
 *   holdfast_uv adapter;
 *   holdfast_uv_start(&adapter, loop, worker, ended, NULL);
 *   uv_run(loop, UV_RUN_DEFAULT);
 *
 * Registered functions run inside the loop's callbacks. `ended` is called once, when the worker has
 * stopped (HOLDFAST_CLOSED) or cannot go on; the handles are being closed then.
 */
#ifndef HOLDFAST_UV_H
#define HOLDFAST_UV_H

#include <holdfast.h>

#include <uv.h>

typedef struct holdfast_uv holdfast_uv;

/* `error` is NULL when status is HOLDFAST_CLOSED; it is freed after the callback. */
typedef void (*holdfast_uv_ended)(holdfast_uv *adapter, holdfast_status status,
                                  const holdfast_error *error, void *user_data);

/* The caller's memory; must live until `closed` is true. Members are the adapter's. */
struct holdfast_uv {
    uv_poll_t poll;
    uv_timer_t timer;
    holdfast_worker *worker;
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

/* Closes the adapter's handles without touching the worker. Since 0.1. */
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
    holdfast_status status = holdfast_worker_process(adapter->worker, &error);
    if (status == HOLDFAST_OK) {
        int64_t timeout = holdfast_worker_timeout_ms(adapter->worker);
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

/* Serves `worker` in `loop`. `ended` may be NULL; no other pointer may. Returns 0 or libuv's error.
 * On the loop's thread. Since 0.1. */
static inline int holdfast_uv_start(holdfast_uv *adapter, uv_loop_t *loop, holdfast_worker *worker,
                                    holdfast_uv_ended ended, void *user_data)
{
    memset(adapter, 0, sizeof *adapter);
    adapter->worker = worker;
    adapter->ended = ended;
    adapter->user_data = user_data;
    int result = uv_poll_init(loop, &adapter->poll, holdfast_worker_fd(worker));
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

#endif
