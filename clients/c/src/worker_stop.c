/* From the wish to stop to the end. */
#include "worker.h"

/* Once the grace is over, results that are on their way get so long to be recorded. */
#define HF_FAREWELL_MS 1000

void holdfast_worker_stop(holdfast_worker *worker)
{
    if (worker == NULL || hf_forked(&worker->guard))
        return;
    /* No lock: this may run inside a signal handler. The worker may drain and be freed before this
     * returns, therefore holdfast_worker_free waits for `visitors`. */
    atomic_fetch_add(&worker->visitors, 1);
    atomic_fetch_add(&worker->stops, 1);
    hf_worker_wake(worker);
    atomic_fetch_sub(&worker->visitors, 1);
}

void holdfast_worker_wake(holdfast_worker *worker)
{
    if (worker == NULL || hf_forked(&worker->guard))
        return;
    atomic_fetch_add(&worker->visitors, 1);
    atomic_store(&worker->woken, true);
    hf_worker_wake(worker);
    atomic_fetch_sub(&worker->visitors, 1);
}

static void end_grace(holdfast_worker *worker, int64_t now_ms)
{
    worker->grace_over = true;
    worker->grace_until = hf_deadline(now_ms, HF_FAREWELL_MS);
    hf_node *node = NULL;
    while ((node = hf_table_next(&worker->activities, node)) != NULL) {
        holdfast_activity *activity = HF_CONTAINER(node, holdfast_activity, node);
        int none = HOLDFAST_CANCEL_NONE;
        atomic_compare_exchange_strong(&activity->cancel_reason, &none,
                                       HOLDFAST_CANCEL_WORKER_STOPPING);
    }
}

static bool has_work(const holdfast_worker *worker)
{
    return worker->activities.count > 0 || worker->workflow_tasks.count > 0 ||
           worker->tasks.count > 0 || worker->leaves.count > 0 || worker->local_activities > 0;
}

static bool is_drained(const holdfast_worker *worker, int64_t now_ms)
{
    /* After the grace, jobs that no thread has begun are left: the engine gives them to another. */
    if (worker->functions_running > 0 || (worker->jobs != NULL && !worker->grace_over))
        return false;
    bool results_out = worker->results.count > 0;
    if (worker->grace_over)
        return !results_out || worker->link.fd < 0 || now_ms >= worker->grace_until ||
               worker->mode != HF_MODE_RUN;
    return !has_work(worker) && !results_out;
}

void hf_worker_stop_step(holdfast_worker *worker, int64_t now_ms)
{
    uint32_t stops = atomic_load(&worker->stops);
    if (stops == 0 || worker->drained)
        return;
    if (!worker->stopping) {
        worker->stopping = true;
        worker->grant_workflow = worker->grant_activity = 0;
        worker->grace_until = hf_deadline(now_ms, worker->grace_ms);
    }
    if (worker->attached && !worker->detached)
        worker->detached =
            hf_worker_post(worker, HF_SEND_DETACH, (holdfast_bytes){0}) == HOLDFAST_OK;
    if (!worker->grace_over && (stops > 1 || now_ms >= worker->grace_until))
        end_grace(worker, now_ms);
    if (!is_drained(worker, now_ms))
        return;
    worker->drained = true;
    hf_worker_flush(worker);
    pthread_cond_broadcast(&worker->jobs_changed);
    for (hf_worker_waiter *waiter = worker->waiters; waiter != NULL; waiter = waiter->next)
        pthread_cond_signal(&waiter->condition);
}
