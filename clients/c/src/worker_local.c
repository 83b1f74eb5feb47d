/* Local activities, which the caller runs: the leave to do so, and how they ended. */
#include "worker.h"

#include <stdlib.h>

static hf_leave *find(const holdfast_worker *worker, holdfast_bytes token)
{
    hf_node *node = hf_table_find(&worker->leaves, token.ptr, token.len);
    return node != NULL ? HF_CONTAINER(node, hf_leave, node) : NULL;
}

static void forget(holdfast_worker *worker, hf_leave *leave)
{
    hf_table_remove(&worker->leaves, &leave->node);
    free(leave);
}

static holdfast_status await(holdfast_worker *worker, const hf_workflow_task *task)
{
    hf_leave *made = malloc(sizeof *made + task->token.len + task->run_id.len);
    if (made == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    uint8_t *run = made->bytes + task->token.len;
    memcpy(made->bytes, task->token.ptr, task->token.len);
    memcpy(run, task->run_id.ptr, task->run_id.len);
    *made = (hf_leave){.token = {made->bytes, task->token.len},
                       .run_id = {(char *)run, task->run_id.len}};
    if (hf_table_insert(&worker->leaves, &made->node, made->bytes, task->token.len))
        return HOLDFAST_OK;
    free(made);
    return HOLDFAST_OUT_OF_MEMORY;
}

holdfast_status holdfast_worker_await_recorded(holdfast_worker *worker, holdfast_bytes token)
{
    holdfast_status status = hf_worker_check(worker, NULL);
    if (status != HOLDFAST_OK)
        return status;
    if (token.ptr == NULL || token.len == 0)
        return HOLDFAST_BAD_ARGUMENT;
    pthread_mutex_lock(&worker->lock);
    const hf_workflow_task *task = hf_worker_workflow_task(worker, token);
    if (worker->closed)
        status = HOLDFAST_CLOSED;
    else if (task != NULL && find(worker, token) == NULL)
        status = await(worker, task);
    pthread_mutex_unlock(&worker->lock);
    return status;
}

holdfast_status hf_leave_given(holdfast_worker *worker, holdfast_bytes token)
{
    hf_leave *leave = find(worker, token);
    if (leave == NULL)
        return HOLDFAST_OK;
    bool queued = hf_worker_queue_task(worker, HOLDFAST_TASK_RECORDED, leave->token, leave->token,
                                       leave->run_id, NULL);
    forget(worker, leave);
    return queued ? HOLDFAST_OK : HOLDFAST_OUT_OF_MEMORY;
}

void hf_leave_refused(holdfast_worker *worker, holdfast_bytes token)
{
    hf_leave *leave = find(worker, token);
    if (leave != NULL)
        forget(worker, leave);
}

void hf_leaves_drop_run(holdfast_worker *worker, holdfast_string run_id)
{
    hf_node *node = hf_table_next(&worker->leaves, NULL);
    while (node != NULL) {
        hf_leave *leave = HF_CONTAINER(node, hf_leave, node);
        bool is_of_run = hf_string_equal(leave->run_id, run_id);
        if (is_of_run)
            forget(worker, leave);
        node = hf_table_next(&worker->leaves, is_of_run ? NULL : node);
    }
}

void hf_leaves_drop(holdfast_worker *worker)
{
    hf_node *node;
    while ((node = hf_table_next(&worker->leaves, NULL)) != NULL)
        forget(worker, HF_CONTAINER(node, hf_leave, node));
}

void holdfast_worker_set_local_activities(holdfast_worker *worker, size_t count)
{
    if (hf_worker_check(worker, NULL) != HOLDFAST_OK)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->local_activities = count;
    if (worker->stopping)
        hf_worker_wake(worker);
    pthread_mutex_unlock(&worker->lock);
}
