/* Coming to the engine, attaching with what is still held, and losing it again. */
#include "wire.h"
#include "worker.h"

#include <stdlib.h>

/* These do not go away by trying again. */
static bool is_final(holdfast_status code)
{
    switch (code) {
    case HOLDFAST_INVALID_ARGUMENT:
    case HOLDFAST_NOT_FOUND:
    case HOLDFAST_PERMISSION_DENIED:
    case HOLDFAST_UNIMPLEMENTED:
    case HOLDFAST_UNAUTHENTICATED:
    case HOLDFAST_FAILED_PRECONDITION:
    case HOLDFAST_BAD_ARGUMENT:
        return true;
    default:
        return false;
    }
}

static void wake_all(holdfast_worker *worker)
{
    for (hf_worker_waiter *waiter = worker->waiters; waiter != NULL; waiter = waiter->next)
        pthread_cond_signal(&waiter->condition);
    pthread_cond_broadcast(&worker->jobs_changed);
}

/* A link that was never attached may have been refused for good; one that was, comes back. */
static void note_failure(holdfast_worker *worker, int64_t now_ms, holdfast_error *why)
{
    holdfast_status code = why != NULL ? why->code : HOLDFAST_DISCONNECTED;
    worker->failures++;
    worker->next_connect = hf_deadline(
        now_ms, holdfast_backoff_ms(&worker->reconnect, worker->failures, hf_random_number()));
    holdfast_error_free(worker->last_error);
    worker->last_error = why;
    bool refused = !worker->attached && is_final(code);
    if (worker->fatal == NULL && (worker->reconnect.never || refused)) {
        /* TIMEOUT would say to who pulls that there is no task yet. */
        if (code == HOLDFAST_TIMEOUT)
            code = hf_fail(&worker->fatal, HOLDFAST_DISCONNECTED, "%s", why->message.ptr);
        else
            worker->fatal = hf_error_copy(why);
        if (worker->fatal == NULL)
            hf_fail(&worker->fatal, code, "%s", holdfast_strerror(code));
        wake_all(worker);
    }
}

void hf_worker_connect_if_due(holdfast_worker *worker, int64_t now_ms)
{
    if (worker->link.fd >= 0 || worker->fatal != NULL || worker->drained ||
        now_ms < worker->next_connect)
        return;
    holdfast_error *error = NULL;
    if (hf_link_open(&worker->link, &worker->endpoint, now_ms, &error) != HOLDFAST_OK)
        note_failure(worker, now_ms, error);
}

void hf_worker_disconnect(holdfast_worker *worker, int64_t now_ms, holdfast_error *why)
{
    bool had_cache = worker->was_attached && worker->workflow_types_count > 0;
    note_failure(worker, now_ms, why);
    hf_link_close(&worker->link, &worker->lock);
    worker->stream = 0;
    worker->attached = worker->was_attached = worker->detached = false;
    worker->answers_held = worker->grant_workflow = worker->grant_activity = 0;
    hf_buffer_reset(&worker->body);
    hf_worker_drop_workflow_tasks(worker);
    if (had_cache)
        hf_worker_queue_task(worker, HOLDFAST_TASK_DISCONNECTED, (holdfast_bytes){0},
                             (holdfast_bytes){0}, (holdfast_string){0}, NULL);
}

void hf_worker_stream_ended(holdfast_worker *worker, int64_t now_ms, const holdfast_error *why)
{
    holdfast_error *copy = hf_error_copy(why);
    if (copy == NULL)
        hf_fail(&copy, HOLDFAST_DISCONNECTED, "the engine ended the Work stream");
    hf_worker_disconnect(worker, now_ms, copy);
}

/* Leases of running activities and of results that the engine may not have. */
static void list_leases(const holdfast_worker *worker, ProtobufCBinaryData *leases)
{
    size_t count = 0;
    const hf_node *node = NULL;
    while ((node = hf_table_next(&worker->activities, node)) != NULL)
        leases[count++] = (ProtobufCBinaryData){node->key_length, (uint8_t *)node->key};
    while ((node = hf_table_next(&worker->results, node)) != NULL)
        leases[count++] = (ProtobufCBinaryData){node->key_length, (uint8_t *)node->key};
}

static holdfast_bytes build_attach(holdfast_worker *worker, hf_builder *builder)
{
    Holdfast__V1__Attach attach = HOLDFAST__V1__ATTACH__INIT;
    size_t leases = worker->activities.count + worker->results.count;
    attach.namespace_ = worker->name_space;
    attach.task_queue = worker->task_queue;
    attach.workflow_types = worker->workflow_types;
    attach.n_workflow_types = worker->workflow_types_count;
    attach.build_id = worker->build_id;
    attach.identity = worker->endpoint.identity;
    attach.sdk_name = worker->sdk_name;
    attach.sdk_version = worker->sdk_version;
    attach.cached_runs_max = worker->cached_runs_max;
    attach.resume_token = (ProtobufCBinaryData){sizeof worker->resume_token, worker->resume_token};
    attach.activity_types =
        hf_build_alloc(builder, (worker->registrations_count + 1) * sizeof *attach.activity_types);
    attach.held_leases = hf_build_alloc(builder, (leases + 1) * sizeof *attach.held_leases);
    if (builder->status != HOLDFAST_OK)
        return (holdfast_bytes){0};
    for (hf_registration *one = worker->registrations; one != NULL; one = one->next)
        attach.activity_types[attach.n_activity_types++] = one->name;
    attach.n_held_leases = leases;
    list_leases(worker, attach.held_leases);
    return hf_build_pack(builder, &attach.base);
}

/* Slots that are free here: both are 0 in the engine after Attach. */
static void grant_all(holdfast_worker *worker)
{
    worker->grant_workflow = worker->grant_activity = 0;
    if (worker->stopping)
        return;
    worker->grant_workflow = worker->workflow_tasks_max;
    if (worker->registrations_count > 0 && worker->activities.count < worker->activities_max)
        worker->grant_activity = worker->activities_max - (uint32_t)worker->activities.count;
}

void hf_worker_attach(holdfast_worker *worker, int64_t now_ms)
{
    hf_builder builder;
    hf_builder_init(&builder, NULL);
    holdfast_bytes attach = build_attach(worker, &builder);
    holdfast_status status = builder.status;
    if (status == HOLDFAST_OK)
        status = holdfast_connection_open(worker->link.connection, "holdfast.v1.WorkerService/Work",
                                          (holdfast_bytes){0}, 0, false, &worker->stream);
    if (status == HOLDFAST_OK)
        status = hf_worker_post(worker, HF_SEND_ATTACH, attach);
    hf_builder_free(&builder);
    if (status != HOLDFAST_OK) {
        holdfast_error *error = NULL;
        hf_fail(&error, status, "cannot attach: %s", holdfast_strerror(status));
        hf_worker_disconnect(worker, now_ms, error);
        return;
    }
    grant_all(worker);
}

void hf_worker_attached(holdfast_worker *worker, holdfast_bytes attached, int64_t now_ms)
{
    const uint32_t lost_leases = 3;
    hf_reader reader = hf_read(attached);
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        if (field.number != lost_leases)
            continue;
        hf_result_recorded(worker, field.bytes);
        holdfast_activity *activity = hf_worker_activity(worker, field.bytes);
        if (activity != NULL)
            hf_activity_cancel(worker, activity, HOLDFAST_CANCEL_NOT_FOUND, (holdfast_bytes){0});
    }
    worker->attached = worker->was_attached = true;
    worker->failures = 0;
    holdfast_error_free(worker->last_error);
    worker->last_error = NULL;
    hf_results_resend(worker);
    hf_heartbeats_flush(worker, now_ms);
}
