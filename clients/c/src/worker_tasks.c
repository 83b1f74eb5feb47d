/* Tasks on their way to the caller, and workflow tasks that the caller has. */
#include "worker.h"

#include <stdlib.h>

static bool is_of_workflow(holdfast_task_kind kind)
{
    return kind == HOLDFAST_TASK_ACTIVATION || kind == HOLDFAST_TASK_REPLAY_HISTORY ||
           kind == HOLDFAST_TASK_EVICT || kind == HOLDFAST_TASK_RECORDED;
}

/* A view into `message`, moved to its copy. */
static const void *moved(const void *part, holdfast_bytes message, const uint8_t *copy)
{
    return part != NULL ? copy + ((const uint8_t *)part - (const uint8_t *)message.ptr) : NULL;
}

bool hf_worker_queue_task(holdfast_worker *worker, holdfast_task_kind kind, holdfast_bytes message,
                          holdfast_bytes token, holdfast_string run_id, holdfast_activity *activity)
{
    size_t copied = activity == NULL ? message.len : 0;
    hf_task *task = malloc(sizeof *task + copied + run_id.len + 1);
    if (task == NULL)
        return false;
    *task = (hf_task){.public = {.kind = kind, .message = message, .token = token}};
    if (activity != NULL) {
        task->public.activity = holdfast_activity_retain(activity);
    } else if (message.len > 0) {
        memcpy(task->bytes, message.ptr, message.len);
        task->public.message.ptr = task->bytes;
        task->public.token.ptr = moved(token.ptr, message, task->bytes);
    }
    /* Behind the message: a string that is handed out ends with NUL. */
    char *run = (char *)task->bytes + copied;
    if (run_id.len > 0)
        memcpy(run, run_id.ptr, run_id.len);
    run[run_id.len] = '\0';
    task->public.run_id = (holdfast_string){run, run_id.len};
    if (worker->tasks.last != NULL)
        worker->tasks.last->next = task;
    else
        worker->tasks.first = task;
    worker->tasks.last = task;
    worker->tasks.count++;
    return true;
}

hf_task *hf_worker_pop_task(holdfast_worker *worker)
{
    for (;;) {
        hf_task *task = worker->tasks.first;
        if (task == NULL)
            return NULL;
        worker->tasks.first = task->next;
        if (worker->tasks.first == NULL)
            worker->tasks.last = NULL;
        worker->tasks.count--;
        if (!task->stale)
            return task;
        holdfast_task_free(&task->public);
    }
}

void holdfast_task_free(holdfast_task *task)
{
    if (task == NULL)
        return;
    holdfast_activity_release(task->activity);
    free(HF_CONTAINER(task, hf_task, public));
}

static void make_stale(holdfast_worker *worker, const holdfast_string *run_id)
{
    for (hf_task *task = worker->tasks.first; task != NULL; task = task->next) {
        if (is_of_workflow(task->public.kind) &&
            (run_id == NULL || hf_string_equal(task->public.run_id, *run_id)))
            task->stale = true;
    }
}

hf_workflow_task *hf_worker_workflow_task(const holdfast_worker *worker, holdfast_bytes token)
{
    hf_node *node = hf_table_find(&worker->workflow_tasks, token.ptr, token.len);
    return node != NULL ? HF_CONTAINER(node, hf_workflow_task, by_token) : NULL;
}

static hf_workflow_task *of_run(const holdfast_worker *worker, holdfast_string run_id)
{
    hf_node *node = hf_table_find(&worker->workflow_runs, run_id.ptr, run_id.len);
    return node != NULL ? HF_CONTAINER(node, hf_workflow_task, by_run) : NULL;
}

static void forget(holdfast_worker *worker, hf_workflow_task *task)
{
    hf_table_remove(&worker->workflow_tasks, &task->by_token);
    hf_table_remove(&worker->workflow_runs, &task->by_run);
    free(task);
}

void hf_worker_end_workflow_task(holdfast_worker *worker, hf_workflow_task *task)
{
    forget(worker, task);
    if (worker->stopping)
        hf_worker_wake(worker);
    else
        worker->grant_workflow++;
}

void hf_worker_end_run_tasks(holdfast_worker *worker, holdfast_string run_id)
{
    hf_workflow_task *task = of_run(worker, run_id);
    if (task == NULL)
        return;
    make_stale(worker, &run_id);
    for (; task != NULL; task = of_run(worker, run_id))
        hf_worker_end_workflow_task(worker, task);
}

void hf_worker_drop_workflow_tasks(holdfast_worker *worker)
{
    hf_node *node;
    while ((node = hf_table_next(&worker->workflow_tasks, NULL)) != NULL)
        forget(worker, HF_CONTAINER(node, hf_workflow_task, by_token));
    hf_leaves_drop(worker);
    make_stale(worker, NULL);
}

static bool remember(holdfast_worker *worker, holdfast_bytes token, holdfast_string run_id,
                     bool replaying)
{
    hf_workflow_task *task = malloc(sizeof *task + token.len + run_id.len + 1);
    if (task == NULL)
        return false;
    uint8_t *at = (uint8_t *)(task + 1);
    memcpy(at, token.ptr, token.len);
    memcpy(at + token.len, run_id.ptr, run_id.len);
    *task = (hf_workflow_task){.replaying = replaying,
                               .token = {at, token.len},
                               .run_id = {(char *)at + token.len, run_id.len}};
    if (!hf_table_insert(&worker->workflow_tasks, &task->by_token, at, token.len)) {
        free(task);
        return false;
    }
    if (!hf_table_insert(&worker->workflow_runs, &task->by_run, task->run_id.ptr, run_id.len)) {
        hf_table_remove(&worker->workflow_tasks, &task->by_token);
        free(task);
        return false;
    }
    return true;
}

holdfast_status hf_worker_take_workflow_task(holdfast_worker *worker, holdfast_task_kind kind,
                                             holdfast_bytes message, holdfast_bytes token,
                                             holdfast_string run_id)
{
    if (token.len == 0 || run_id.len == 0)
        return HOLDFAST_PROTOCOL_ERROR;
    bool replaying = kind == HOLDFAST_TASK_REPLAY_HISTORY;
    hf_workflow_task *before = of_run(worker, run_id);
    /* What follows a replay, or a part of it, has the same slot. */
    if (before != NULL && before->replaying)
        forget(worker, before);
    if (worker->workflow_tasks.count >= worker->workflow_tasks_max)
        return HOLDFAST_PROTOCOL_ERROR; /* nobody granted a slot for it */
    if (!remember(worker, token, run_id, replaying))
        return HOLDFAST_OUT_OF_MEMORY;
    return hf_worker_queue_task(worker, kind, message, token, run_id, NULL)
               ? HOLDFAST_OK
               : HOLDFAST_OUT_OF_MEMORY;
}
