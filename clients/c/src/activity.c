/* An activity task in the hands of the worker. */
#include "wire.h"
#include "worker.h"

#include <stdlib.h>

holdfast_activity *hf_worker_activity(const holdfast_worker *worker, holdfast_bytes token)
{
    if (token.len == 0)
        return NULL;
    hf_node *node = hf_table_find(&worker->activities, token.ptr, token.len);
    return node != NULL ? HF_CONTAINER(node, holdfast_activity, node) : NULL;
}

static const hf_registration *registration_of(const holdfast_worker *worker, const char *type)
{
    const hf_registration *one = worker->registrations;
    while (one != NULL && strcmp(one->name, type) != 0)
        one = one->next;
    return one;
}

static bool read_task(holdfast_activity *activity, holdfast_bytes message)
{
    holdfast_string copy = hf_arena_copy(&activity->arena, message.ptr, message.len);
    if (copy.ptr == NULL)
        return false;
    activity->message = (holdfast_bytes){copy.ptr, copy.len};
    const Holdfast__V1__ActivityTask *task = (const void *)hf_unpack(
        &activity->arena, &holdfast__v1__activity_task__descriptor, activity->message);
    activity->task = task;
    return task != NULL &&
           hf_view_payloads(&activity->arena, task->n_input, task->input, &activity->input) &&
           hf_view_payloads(&activity->arena, task->n_heartbeat_details, task->heartbeat_details,
                            &activity->heartbeat_details) &&
           hf_view_header(&activity->arena, task->header, &activity->header);
}

static holdfast_activity *make(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_activity *activity = calloc(1, sizeof *activity);
    if (activity == NULL)
        return NULL;
    atomic_init(&activity->references, 1);
    hf_arena_init(&activity->arena, 0);
    hf_worker_retain(worker);
    activity->worker = worker;
    if (!read_task(activity, message)) {
        holdfast_activity_release(activity);
        return NULL;
    }
    return activity;
}

static void queue_job(holdfast_worker *worker, holdfast_activity *activity)
{
    holdfast_activity_retain(activity);
    activity->next = NULL;
    if (worker->jobs == NULL)
        worker->jobs = activity;
    else
        worker->jobs_last->next = activity;
    worker->jobs_last = activity;
    worker->jobs_new++;
}

/* True: it waits for a function, or for the caller who pulls. */
static bool hand_on(holdfast_worker *worker, holdfast_activity *activity)
{
    const hf_registration *registration = activity->registration;
    bool has_function = registration != NULL && registration->function != NULL;
    if (has_function && worker->mode != HF_MODE_PULL) {
        queue_job(worker, activity);
        return true;
    }
    activity->pulled = true;
    return hf_worker_queue_task(worker, HOLDFAST_TASK_ACTIVITY, activity->message,
                                holdfast_activity_token(activity),
                                holdfast_activity_run_id(activity), activity);
}

holdfast_status hf_worker_take_activity(holdfast_worker *worker, holdfast_bytes message,
                                        holdfast_bytes token)
{
    if (token.len == 0)
        return HOLDFAST_PROTOCOL_ERROR;
    if (hf_worker_activity(worker, token) != NULL ||
        hf_table_find(&worker->results, token.ptr, token.len) != NULL) {
        /* Sent twice: it runs once. The engine took a slot for the repetition. */
        worker->grant_activity++;
        return HOLDFAST_OK;
    }
    if (worker->activities.count >= worker->activities_max)
        return HOLDFAST_PROTOCOL_ERROR;
    holdfast_activity *activity = make(worker, message);
    if (activity == NULL)
        return HOLDFAST_OK; /* no memory for it: it stays the engine's, and ends by its timeouts */
    activity->registration = registration_of(worker, activity->task->activity_type);
    holdfast_bytes key = holdfast_activity_token(activity);
    if (!hf_table_insert(&worker->activities, &activity->node, key.ptr, key.len)) {
        holdfast_activity_release(activity);
        return HOLDFAST_OK;
    }
    if (!hand_on(worker, activity)) {
        hf_table_remove(&worker->activities, &activity->node);
        holdfast_activity_release(activity);
    }
    return HOLDFAST_OK;
}

void hf_activity_cancel(holdfast_worker *worker, holdfast_activity *activity,
                        holdfast_cancel_reason reason, holdfast_bytes message)
{
    atomic_store(&activity->cancel_reason, (int)reason);
    if (!activity->pulled)
        return;
    hf_buffer made = {0};
    holdfast_bytes token = holdfast_activity_token(activity);
    if (message.len == 0) {
        if (!hf_put_bytes(&made, 1, token) || !hf_put_number(&made, 2, (uint64_t)reason)) {
            hf_buffer_free(&made);
            return;
        }
        message = hf_buffer_view(&made);
    }
    hf_find_bytes(message, HF_FIELD_TOKEN, &token);
    hf_worker_queue_task(worker, HOLDFAST_TASK_ACTIVITY_CANCEL, message, token,
                         (holdfast_string){0}, NULL);
    hf_buffer_free(&made);
}

holdfast_activity *holdfast_activity_retain(holdfast_activity *activity)
{
    if (activity != NULL)
        atomic_fetch_add(&activity->references, 1);
    return activity;
}

void holdfast_activity_release(holdfast_activity *activity)
{
    if (activity == NULL || atomic_fetch_sub(&activity->references, 1) != 1)
        return;
    holdfast_worker *worker = activity->worker;
    hf_buffer_free(&activity->heartbeat);
    hf_arena_free(&activity->arena);
    free(activity);
    hf_worker_release(worker);
}

bool holdfast_activity_is_cancelled(const holdfast_activity *activity)
{
    return holdfast_activity_cancel_reason(activity) != HOLDFAST_CANCEL_NONE;
}

holdfast_cancel_reason holdfast_activity_cancel_reason(const holdfast_activity *activity)
{
    if (activity == NULL)
        return HOLDFAST_CANCEL_NONE;
    return (holdfast_cancel_reason)atomic_load(&activity->cancel_reason);
}

#define STRING_OF(function, member)                                                                \
    holdfast_string function(const holdfast_activity *activity)                                    \
    {                                                                                              \
        return holdfast_str(activity != NULL ? activity->task->member : "");                       \
    }

STRING_OF(holdfast_activity_type, activity_type)
STRING_OF(holdfast_activity_id, activity_id)
STRING_OF(holdfast_activity_workflow_id, workflow_id)
STRING_OF(holdfast_activity_run_id, run_id)
STRING_OF(holdfast_activity_workflow_type, workflow_type)
STRING_OF(holdfast_activity_namespace, namespace_)
STRING_OF(holdfast_activity_task_queue, task_queue)
STRING_OF(holdfast_activity_idempotency_key, idempotency_key)

#define NUMBER_OF(type, function, member)                                                          \
    type function(const holdfast_activity *activity)                                               \
    {                                                                                              \
        return activity != NULL ? activity->task->member : 0;                                      \
    }

NUMBER_OF(int32_t, holdfast_activity_attempt, attempt)
NUMBER_OF(int64_t, holdfast_activity_start_to_close_timeout_ms, start_to_close_timeout_ms)
NUMBER_OF(int64_t, holdfast_activity_schedule_to_close_timeout_ms, schedule_to_close_timeout_ms)
NUMBER_OF(int64_t, holdfast_activity_heartbeat_timeout_ms, heartbeat_timeout_ms)
NUMBER_OF(int64_t, holdfast_activity_scheduled_time_ms, scheduled_time_ms)
NUMBER_OF(int64_t, holdfast_activity_started_time_ms, started_time_ms)

holdfast_bytes holdfast_activity_token(const holdfast_activity *activity)
{
    if (activity == NULL)
        return (holdfast_bytes){0};
    return (holdfast_bytes){activity->task->token.data, activity->task->token.len};
}

holdfast_bytes holdfast_activity_message(const holdfast_activity *activity)
{
    return activity != NULL ? activity->message : (holdfast_bytes){0};
}

holdfast_payloads holdfast_activity_input(const holdfast_activity *activity)
{
    return activity != NULL ? activity->input : (holdfast_payloads){0};
}

holdfast_header holdfast_activity_header(const holdfast_activity *activity)
{
    return activity != NULL ? activity->header : (holdfast_header){0};
}

holdfast_payloads holdfast_activity_heartbeat_details(const holdfast_activity *activity)
{
    return activity != NULL ? activity->heartbeat_details : (holdfast_payloads){0};
}
