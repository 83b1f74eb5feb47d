/* Answers of pulled tasks, as bytes. */
#include "wire.h"
#include "worker.h"

/* Fields of WorkflowTaskCompleted and ReplayCompleted that the library reads. */
enum { COMPLETED_MORE = 7, REPLAY_MORE = 3, REPLAY_FAILURE = 4 };
#define COMPLETED_REPEATED (1u << 2 | 1u << 3)
#define REPLAY_REPEATED (1u << 2)

static holdfast_status check(holdfast_worker *worker, const ProtobufCMessageDescriptor *type,
                             holdfast_bytes message, holdfast_bytes *token)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK)
        return status;
    hf_fault fault;
    *token = (holdfast_bytes){0};
    if ((message.ptr == NULL && message.len > 0) || !hf_wire_check(type, message, &fault))
        return HOLDFAST_BAD_ARGUMENT;
    hf_find_bytes(message, HF_FIELD_TOKEN, token);
    return token->len > 0 ? HOLDFAST_OK : HOLDFAST_BAD_ARGUMENT;
}

holdfast_status holdfast_worker_complete_workflow_task(holdfast_worker *worker,
                                                       holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status =
        check(worker, &holdfast__v1__workflow_task_completed__descriptor, message, &token);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    hf_workflow_task *task = hf_worker_workflow_task(worker, token);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else if (task != NULL) {
        status = hf_worker_post_parts(worker, HF_SEND_WORKFLOW_TASK_COMPLETED, message,
                                      COMPLETED_MORE, COMPLETED_REPEATED);
        if (status == HOLDFAST_OK && hf_find_number(message, COMPLETED_MORE) == 0)
            hf_worker_end_workflow_task(worker, task);
        if (status == HOLDFAST_OK)
            hf_worker_flush_later(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return status;
}

holdfast_status holdfast_worker_complete_replay(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token, failure;
    holdfast_status status =
        check(worker, &holdfast__v1__replay_completed__descriptor, message, &token);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    hf_workflow_task *task = hf_worker_workflow_task(worker, token);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else if (task != NULL) {
        status = hf_worker_post_parts(worker, HF_SEND_REPLAY_COMPLETED, message, REPLAY_MORE,
                                      REPLAY_REPEATED);
        bool over = hf_find_bytes(message, REPLAY_FAILURE, &failure) &&
                    hf_find_number(message, REPLAY_MORE) == 0;
        if (status == HOLDFAST_OK && over)
            hf_worker_end_workflow_task(worker, task);
        if (status == HOLDFAST_OK)
            hf_worker_flush_later(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return status;
}

holdfast_status holdfast_worker_evicted(holdfast_worker *worker, const holdfast_string *run_ids,
                                        size_t count)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK || count == 0)
        return status;
    if (run_ids == NULL)
        return HOLDFAST_BAD_ARGUMENT;
    hf_buffer message = {0};
    for (size_t i = 0; i < count && status == HOLDFAST_OK; i++) {
        if (run_ids[i].len == 0 || hf_utf8_fault(run_ids[i].ptr, run_ids[i].len) != NULL)
            status = HOLDFAST_BAD_ARGUMENT;
        else if (!hf_put_bytes(&message, 1, (holdfast_bytes){run_ids[i].ptr, run_ids[i].len}))
            status = HOLDFAST_OUT_OF_MEMORY;
    }
    pthread_mutex_lock(&worker->lock);
    if (status == HOLDFAST_OK && worker->closed)
        status = HOLDFAST_CLOSED;
    if (status == HOLDFAST_OK && worker->attached) {
        for (size_t i = 0; i < count; i++) {
            hf_worker_end_run_tasks(worker, run_ids[i]);
            hf_leaves_drop_run(worker, run_ids[i]);
        }
        status = hf_worker_post(worker, HF_SEND_EVICTED, hf_buffer_view(&message));
        hf_worker_flush_later(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    hf_buffer_free(&message);
    return status;
}

static holdfast_status end_activity(holdfast_worker *worker, uint32_t kind, holdfast_bytes message,
                                    holdfast_bytes token)
{
    pthread_mutex_lock(&worker->lock);
    holdfast_activity *activity = hf_worker_activity(worker, token);
    holdfast_status status = HOLDFAST_ALREADY_COMPLETED;
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else if (activity != NULL)
        status = hf_activity_end(worker, activity, kind, message);
    pthread_mutex_unlock(&worker->lock);
    return status;
}

holdfast_status holdfast_worker_complete_activity(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status =
        check(worker, &holdfast__v1__activity_completed__descriptor, message, &token);
    return status != HOLDFAST_OK ? status
                                 : end_activity(worker, HF_SEND_ACTIVITY_COMPLETED, message, token);
}

holdfast_status holdfast_worker_fail_activity(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status =
        check(worker, &holdfast__v1__activity_failed__descriptor, message, &token);
    return status != HOLDFAST_OK ? status
                                 : end_activity(worker, HF_SEND_ACTIVITY_FAILED, message, token);
}

holdfast_status holdfast_worker_report_activity_cancelled(holdfast_worker *worker,
                                                          holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status =
        check(worker, &holdfast__v1__report_activity_cancelled__descriptor, message, &token);
    return status != HOLDFAST_OK ? status
                                 : end_activity(worker, HF_SEND_ACTIVITY_CANCELLED, message, token);
}

holdfast_status holdfast_worker_will_complete_elsewhere(holdfast_worker *worker,
                                                        holdfast_bytes token)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK)
        return status;
    if (token.ptr == NULL || token.len == 0)
        return HOLDFAST_BAD_ARGUMENT;
    hf_buffer message = {0};
    if (!hf_put_bytes(&message, HF_FIELD_TOKEN, token))
        return HOLDFAST_OUT_OF_MEMORY;
    status = end_activity(worker, HF_SEND_COMPLETE_ELSEWHERE, hf_buffer_view(&message), token);
    hf_buffer_free(&message);
    return status;
}

holdfast_status holdfast_worker_heartbeat(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status = check(worker, &holdfast__v1__heartbeat__descriptor, message, &token);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    holdfast_activity *activity = hf_worker_activity(worker, token);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else
        status =
            activity != NULL ? hf_heartbeat(worker, activity, message) : HOLDFAST_ALREADY_COMPLETED;
    pthread_mutex_unlock(&worker->lock);
    return status;
}

holdfast_status holdfast_worker_local_activity_done(holdfast_worker *worker, holdfast_bytes message)
{
    holdfast_bytes token;
    holdfast_status status =
        check(worker, &holdfast__v1__local_activity_done__descriptor, message, &token);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else if (worker->attached) {
        status = hf_worker_post(worker, HF_SEND_LOCAL_ACTIVITY_DONE, message);
        hf_worker_flush_later(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return status;
}
