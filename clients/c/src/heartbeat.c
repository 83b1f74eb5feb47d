/* Heartbeats: the first at once, then at most one per interval, always the latest. */
#include "worker.h"

#define HF_HEARTBEAT_DEFAULT_MS 30000
#define HF_HEARTBEAT_MAX_MS 60000

static int64_t interval_of(const holdfast_activity *activity)
{
    int64_t timeout = activity->task->heartbeat_timeout_ms;
    if (timeout <= 0)
        return HF_HEARTBEAT_DEFAULT_MS;
    int64_t interval = timeout / 5 * 4 + timeout % 5 * 4 / 5;
    return interval < HF_HEARTBEAT_MAX_MS ? interval : HF_HEARTBEAT_MAX_MS;
}

static void send_latest(holdfast_worker *worker, holdfast_activity *activity, int64_t now_ms)
{
    if (hf_worker_post(worker, HF_SEND_HEARTBEAT, hf_buffer_view(&activity->heartbeat)) !=
        HOLDFAST_OK)
        return; /* it stays the latest; the next flush tries again */
    activity->heartbeat_waits = false;
    activity->heartbeat_due = now_ms + interval_of(activity);
    hf_buffer_reset(&activity->heartbeat);
}

static bool is_lost(const holdfast_activity *activity)
{
    int reason = atomic_load(&activity->cancel_reason);
    return reason >= HOLDFAST_CANCEL_TIMED_OUT && reason <= HOLDFAST_CANCEL_WORKFLOW_CLOSED;
}

holdfast_status hf_heartbeat(holdfast_worker *worker, holdfast_activity *activity,
                             holdfast_bytes message)
{
    if (activity->ended)
        return HOLDFAST_ALREADY_COMPLETED;
    if (is_lost(activity))
        return HOLDFAST_CANCELLED;
    if (message.len > HF_FRAME_BYTES_MAX / 2)
        return HOLDFAST_TOO_LARGE;
    hf_buffer latest = {0};
    if (!hf_buffer_append(&latest, message.ptr, message.len))
        return HOLDFAST_OUT_OF_MEMORY;
    hf_buffer_free(&activity->heartbeat);
    activity->heartbeat = latest;
    activity->heartbeat_waits = true;
    int64_t now = hf_now_ms();
    if (worker->attached && now >= activity->heartbeat_due) {
        send_latest(worker, activity, now);
        hf_worker_flush_later(worker);
    } else if (activity->heartbeat_due < worker->next_heartbeat) {
        worker->next_heartbeat = activity->heartbeat_due;
        hf_worker_wake_before(worker, worker->next_heartbeat);
    }
    return atomic_load(&activity->cancel_reason) != HOLDFAST_CANCEL_NONE ? HOLDFAST_CANCELLED
                                                                         : HOLDFAST_OK;
}

void hf_heartbeats_flush(holdfast_worker *worker, int64_t now_ms)
{
    if (!worker->attached || now_ms < worker->next_heartbeat)
        return;
    worker->next_heartbeat = HF_NEVER;
    hf_node *node = NULL;
    while ((node = hf_table_next(&worker->activities, node)) != NULL) {
        holdfast_activity *activity = HF_CONTAINER(node, holdfast_activity, node);
        if (!activity->heartbeat_waits)
            continue;
        if (activity->heartbeat_due <= now_ms)
            send_latest(worker, activity, now_ms);
        else if (activity->heartbeat_due < worker->next_heartbeat)
            worker->next_heartbeat = activity->heartbeat_due;
    }
}
