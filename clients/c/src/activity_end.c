/* How an activity ends, and how its end gets to the engine for certain. */
#include "wire.h"
#include "worker.h"

#include <stdlib.h>

static bool is_lost(const holdfast_activity *activity)
{
    int reason = atomic_load(&activity->cancel_reason);
    return reason >= HOLDFAST_CANCEL_TIMED_OUT && reason <= HOLDFAST_CANCEL_WORKFLOW_CLOSED;
}

/* The latest heartbeat that was not sent goes along with a failure. */
static bool add_heartbeat(const holdfast_activity *activity, holdfast_bytes message,
                          hf_buffer *made)
{
    enum { HEARTBEAT_DETAILS = 2, FAILED_DETAILS = 3 };
    holdfast_bytes given;
    if (!activity->heartbeat_waits || hf_find_bytes(message, FAILED_DETAILS, &given))
        return true;
    if (!hf_buffer_append(made, message.ptr, message.len))
        return false;
    hf_reader reader = hf_read(hf_buffer_view(&activity->heartbeat));
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        if (field.number == HEARTBEAT_DETAILS && !hf_put_bytes(made, FAILED_DETAILS, field.bytes))
            return false;
    }
    return true;
}

/* Keeps the end until the engine has recorded it. */
static holdfast_status keep(holdfast_worker *worker, uint32_t kind, holdfast_bytes token,
                            holdfast_bytes message)
{
    uint32_t frame =
        worker->link.fd >= 0 ? worker->link.connection->frame_out_max : HF_FRAME_BYTES_MAX;
    if (message.len + HF_FRAME_OVERHEAD > frame)
        return HOLDFAST_TOO_LARGE;
    hf_result *result = malloc(sizeof *result + token.len + message.len);
    if (result == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    *result = (hf_result){.kind = kind,
                          .token = {result->bytes, token.len},
                          .message = {result->bytes + token.len, message.len}};
    memcpy(result->bytes, token.ptr, token.len);
    memcpy(result->bytes + token.len, message.ptr, message.len);
    if (!hf_table_insert(&worker->results, &result->node, result->bytes, token.len)) {
        free(result);
        return HOLDFAST_OUT_OF_MEMORY;
    }
    /* Before that it waits for Attached, which may say that the lease is lost. */
    if (worker->attached)
        hf_worker_post(worker, kind, result->message);
    return HOLDFAST_OK;
}

holdfast_status hf_activity_end(holdfast_worker *worker, holdfast_activity *activity, uint32_t kind,
                                holdfast_bytes message)
{
    if (worker->closed)
        return HOLDFAST_CLOSED;
    if (activity->ended)
        return HOLDFAST_ALREADY_COMPLETED;
    hf_buffer extended = {0};
    if (kind == HF_SEND_ACTIVITY_FAILED && !add_heartbeat(activity, message, &extended)) {
        hf_buffer_free(&extended);
        return HOLDFAST_OUT_OF_MEMORY;
    }
    if (hf_buffer_length(&extended) > 0)
        message = hf_buffer_view(&extended);
    holdfast_status status = HOLDFAST_OK;
    if (!is_lost(activity))
        status = keep(worker, kind, holdfast_activity_token(activity), message);
    hf_buffer_free(&extended);
    if (status != HOLDFAST_OK)
        return status;
    activity->ended = true;
    activity->heartbeat_waits = false;
    hf_table_remove(&worker->activities, &activity->node);
    if (worker->stopping)
        hf_worker_wake(worker);
    else
        worker->grant_activity++;
    hf_worker_flush_later(worker);
    /* The table's reference; the caller has one of its own. */
    holdfast_activity_release(activity);
    return HOLDFAST_OK;
}

void hf_result_recorded(holdfast_worker *worker, holdfast_bytes token)
{
    hf_node *node = hf_table_find(&worker->results, token.ptr, token.len);
    if (node == NULL)
        return;
    hf_table_remove(&worker->results, node);
    free(HF_CONTAINER(node, hf_result, node));
}

void hf_results_resend(holdfast_worker *worker)
{
    hf_node *node = NULL;
    while ((node = hf_table_next(&worker->results, node)) != NULL) {
        hf_result *result = HF_CONTAINER(node, hf_result, node);
        hf_worker_post(worker, result->kind, result->message);
    }
}

/* Ends the activity with a packed message; the lock is not held. */
static holdfast_status end(holdfast_activity *activity, uint32_t kind, hf_builder *builder,
                           const ProtobufCMessage *message)
{
    holdfast_bytes bytes = hf_build_pack(builder, message);
    holdfast_status status = builder->status;
    if (status == HOLDFAST_OK) {
        pthread_mutex_lock(&activity->worker->lock);
        status = hf_activity_end(activity->worker, activity, kind, bytes);
        pthread_mutex_unlock(&activity->worker->lock);
    }
    hf_builder_free(builder);
    return status;
}

static holdfast_status begin(const holdfast_activity *activity, hf_builder *builder)
{
    if (activity == NULL)
        return HOLDFAST_BAD_ARGUMENT;
    hf_builder_init(builder, NULL);
    return hf_forked(&activity->worker->guard) ? HOLDFAST_FORKED : HOLDFAST_OK;
}

holdfast_status holdfast_activity_complete(holdfast_activity *activity, holdfast_payloads result)
{
    hf_builder builder;
    holdfast_status status = begin(activity, &builder);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__ActivityCompleted message = HOLDFAST__V1__ACTIVITY_COMPLETED__INIT;
    message.token = activity->task->token;
    message.result = hf_build_payloads(&builder, result, "result", &message.n_result);
    return end(activity, HF_SEND_ACTIVITY_COMPLETED, &builder, &message.base);
}

holdfast_status holdfast_activity_fail(holdfast_activity *activity, const holdfast_failure *failure)
{
    hf_builder builder;
    holdfast_status status = begin(activity, &builder);
    if (status != HOLDFAST_OK || failure == NULL)
        return status != HOLDFAST_OK ? status : HOLDFAST_BAD_ARGUMENT;
    Holdfast__V1__ActivityFailed message = HOLDFAST__V1__ACTIVITY_FAILED__INIT;
    message.token = activity->task->token;
    message.failure = hf_build_failure(&builder, failure, "failure");
    return end(activity, HF_SEND_ACTIVITY_FAILED, &builder, &message.base);
}

holdfast_status holdfast_activity_cancelled(holdfast_activity *activity, holdfast_payloads details)
{
    hf_builder builder;
    holdfast_status status = begin(activity, &builder);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__ReportActivityCancelled message = HOLDFAST__V1__REPORT_ACTIVITY_CANCELLED__INIT;
    message.token = activity->task->token;
    message.details = hf_build_payloads(&builder, details, "details", &message.n_details);
    return end(activity, HF_SEND_ACTIVITY_CANCELLED, &builder, &message.base);
}

holdfast_status holdfast_activity_will_complete_elsewhere(holdfast_activity *activity)
{
    hf_builder builder;
    holdfast_status status = begin(activity, &builder);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__WillCompleteElsewhere message = HOLDFAST__V1__WILL_COMPLETE_ELSEWHERE__INIT;
    message.token = activity->task->token;
    return end(activity, HF_SEND_COMPLETE_ELSEWHERE, &builder, &message.base);
}

holdfast_status holdfast_activity_heartbeat(holdfast_activity *activity, holdfast_payloads details)
{
    hf_builder builder;
    holdfast_status status = begin(activity, &builder);
    if (status != HOLDFAST_OK)
        return status;
    holdfast_worker *worker = activity->worker;
    Holdfast__V1__Heartbeat message = HOLDFAST__V1__HEARTBEAT__INIT;
    message.token = activity->task->token;
    message.details = hf_build_payloads(&builder, details, "details", &message.n_details);
    holdfast_bytes bytes = hf_build_pack(&builder, &message.base);
    status = builder.status;
    if (status == HOLDFAST_OK) {
        pthread_mutex_lock(&worker->lock);
        status = worker->closed ? HOLDFAST_CLOSED : hf_heartbeat(worker, activity, bytes);
        pthread_mutex_unlock(&worker->lock);
    }
    hf_builder_free(&builder);
    return status;
}

holdfast_activity *holdfast_activity_defer(holdfast_activity *activity)
{
    if (activity == NULL || hf_forked(&activity->worker->guard))
        return NULL;
    pthread_mutex_lock(&activity->worker->lock);
    activity->deferred = true;
    pthread_mutex_unlock(&activity->worker->lock);
    return holdfast_activity_retain(activity);
}

void hf_activity_run(holdfast_activity *activity)
{
    const hf_registration *registration = activity->registration;
    registration->function(activity, registration->user_data);
    pthread_mutex_lock(&activity->worker->lock);
    bool forgotten = !activity->ended && !activity->deferred;
    pthread_mutex_unlock(&activity->worker->lock);
    if (forgotten) {
        holdfast_failure failure = {
            .struct_size = sizeof failure,
            .message = HOLDFAST_STR("the activity's function returned without ending the activity"),
            .type = HOLDFAST_STR("NotCompleted")};
        holdfast_activity_fail(activity, &failure);
    }
    holdfast_activity_release(activity);
}
