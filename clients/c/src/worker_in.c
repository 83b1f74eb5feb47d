/* What the engine sends on the Work stream. */
#include "wire.h"
#include "worker.h"

/* Field numbers of EngineMessage.kind, and of the messages in it that are read here. */
enum {
    ENGINE_ATTACHED = 1,
    ENGINE_ACTIVATION = 2,
    ENGINE_REPLAY_HISTORY = 3,
    ENGINE_EVICT = 4,
    ENGINE_ACTIVITY_TASK = 5,
    ENGINE_ACTIVITY_CANCEL = 6,
    ENGINE_RECORDED = 7,
    ENGINE_REFUSED = 8,
    ENGINE_DRAIN = 9
};
enum { TASK_RUN_ID = 2, EVICT_RUN_ID = 1, CANCEL_REASON = 2, RECORDED_TOKENS = 1 };

static holdfast_bytes bytes_of(holdfast_bytes message, uint32_t number)
{
    holdfast_bytes value = {0};
    hf_find_bytes(message, number, &value);
    return value;
}

static holdfast_string string_of(holdfast_bytes message, uint32_t number)
{
    holdfast_bytes value = bytes_of(message, number);
    return (holdfast_string){value.ptr, value.len};
}

static holdfast_status take_evict(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_string run_id = string_of(message, EVICT_RUN_ID);
    if (worker->workflow_types_count == 0)
        return HOLDFAST_OK; /* no run is here, and nobody who would take the task */
    hf_worker_end_run_tasks(worker, run_id);
    hf_leaves_drop_run(worker, run_id);
    bool queued = hf_worker_queue_task(worker, HOLDFAST_TASK_EVICT, message, (holdfast_bytes){0},
                                       run_id, NULL);
    return queued ? HOLDFAST_OK : HOLDFAST_OUT_OF_MEMORY;
}

static void take_cancel(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_activity *activity = hf_worker_activity(worker, bytes_of(message, HF_FIELD_TOKEN));
    if (activity == NULL)
        return; /* race: it has just ended here */
    uint64_t reason = hf_find_number(message, CANCEL_REASON);
    if (reason < HOLDFAST_CANCEL_REQUESTED || reason > HOLDFAST_CANCEL_RESET)
        reason = HOLDFAST_CANCEL_REQUESTED;
    hf_activity_cancel(worker, activity, (holdfast_cancel_reason)reason, message);
}

static holdfast_status take_recorded(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_status status = HOLDFAST_OK;
    hf_reader reader = hf_read(message);
    hf_field field;
    while (status == HOLDFAST_OK && hf_read_field(&reader, &field)) {
        if (field.number != RECORDED_TOKENS)
            continue;
        hf_result_recorded(worker, field.bytes);
        status = hf_leave_given(worker, field.bytes);
    }
    return status;
}

static void take_refused(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token = bytes_of(message, HF_FIELD_TOKEN);
    hf_result_recorded(worker, token);
    hf_leave_refused(worker, token);
    holdfast_activity *activity = hf_worker_activity(worker, token);
    if (activity != NULL)
        hf_activity_cancel(worker, activity, HOLDFAST_CANCEL_NOT_FOUND, (holdfast_bytes){0});
    hf_workflow_task *task = hf_worker_workflow_task(worker, token);
    if (task != NULL)
        hf_worker_end_workflow_task(worker, task);
}

static holdfast_status take(holdfast_worker *worker, uint32_t kind, holdfast_bytes message,
                            int64_t now_ms)
{
    holdfast_bytes token = bytes_of(message, HF_FIELD_TOKEN);
    switch (kind) {
    case ENGINE_ATTACHED:
        if (worker->attached)
            return HOLDFAST_PROTOCOL_ERROR; /* each makes all results leave again */
        hf_worker_attached(worker, message, now_ms);
        return HOLDFAST_OK;
    case ENGINE_ACTIVATION:
        return hf_worker_take_workflow_task(worker, HOLDFAST_TASK_ACTIVATION, message, token,
                                            string_of(message, TASK_RUN_ID));
    case ENGINE_REPLAY_HISTORY:
        return hf_worker_take_workflow_task(worker, HOLDFAST_TASK_REPLAY_HISTORY, message, token,
                                            string_of(message, TASK_RUN_ID));
    case ENGINE_EVICT:
        return take_evict(worker, message);
    case ENGINE_ACTIVITY_TASK:
        return hf_worker_take_activity(worker, message, token);
    case ENGINE_ACTIVITY_CANCEL:
        take_cancel(worker, message);
        return HOLDFAST_OK;
    case ENGINE_RECORDED:
        return take_recorded(worker, message);
    case ENGINE_REFUSED:
        take_refused(worker, message);
        return HOLDFAST_OK;
    case ENGINE_DRAIN:
    default:
        return HOLDFAST_OK; /* the end of the connection is what counts; or of a later version */
    }
}

/* WorkResponse.messages is field 1; an EngineMessage holds one kind, the last that is set. */
static holdfast_status take_body(holdfast_worker *worker, holdfast_bytes body, int64_t now_ms)
{
    hf_fault fault;
    if (!hf_wire_check(&holdfast__v1__work_response__descriptor, body, &fault))
        return HOLDFAST_PROTOCOL_ERROR;
    hf_reader reader = hf_read(body);
    hf_field entry;
    while (hf_read_field(&reader, &entry)) {
        if (entry.number != 1)
            continue;
        hf_reader inner = hf_read(entry.bytes);
        hf_field field, kind = {0};
        while (hf_read_field(&inner, &field)) {
            if (field.number >= ENGINE_ATTACHED && field.number <= ENGINE_DRAIN)
                kind = field;
        }
        holdfast_status status = take(worker, kind.number, kind.bytes, now_ms);
        if (status != HOLDFAST_OK)
            return status;
    }
    return HOLDFAST_OK;
}

static void take_message(holdfast_worker *worker, const holdfast_event *event, int64_t now_ms)
{
    if (event->stream != worker->stream)
        return;
    holdfast_status status = take_body(worker, event->body, now_ms);
    if (status == HOLDFAST_OK)
        return;
    holdfast_error *error = NULL;
    hf_fail(&error, status, "a message of the Work stream: %s", holdfast_strerror(status));
    hf_worker_disconnect(worker, now_ms, error);
}

void hf_worker_events(holdfast_worker *worker, int64_t now_ms)
{
    holdfast_event event;
    while (worker->link.fd >= 0 &&
           holdfast_connection_next_event(worker->link.connection, &event)) {
        switch (event.kind) {
        case HOLDFAST_EVENT_READY:
            hf_worker_attach(worker, now_ms);
            break;
        case HOLDFAST_EVENT_MESSAGE:
            take_message(worker, &event, now_ms);
            break;
        case HOLDFAST_EVENT_END:
            hf_worker_stream_ended(worker, now_ms, event.error);
            return;
        case HOLDFAST_EVENT_CREDIT: /* Work needs none */
        case HOLDFAST_EVENT_DRAIN:  /* what is out may finish here */
            break;
        case HOLDFAST_EVENT_CLOSED:
            hf_worker_disconnect(worker, now_ms, hf_error_copy(event.error));
            return;
        }
    }
}
