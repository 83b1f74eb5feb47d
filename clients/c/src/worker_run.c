/* Registered functions on threads of the worker's own. */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static holdfast_activity *await_job(holdfast_worker *worker)
{
    while (!worker->drained && worker->fatal == NULL &&
           (worker->jobs == NULL || worker->grace_over))
        pthread_cond_wait(&worker->jobs_changed, &worker->lock);
    if (worker->drained || worker->fatal != NULL)
        return NULL;
    holdfast_activity *job = worker->jobs;
    worker->jobs = job->next;
    if (worker->jobs == NULL)
        worker->jobs_last = NULL;
    return job;
}

static void *run_jobs(void *argument)
{
    holdfast_worker *worker = argument;
    pthread_mutex_lock(&worker->lock);
    holdfast_activity *job;
    while ((job = await_job(worker)) != NULL) {
        worker->functions_running++;
        pthread_mutex_unlock(&worker->lock);
        hf_activity_run(job);
        pthread_mutex_lock(&worker->lock);
        worker->functions_running--;
        if (worker->stopping)
            hf_worker_wake(worker);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static holdfast_status begin(holdfast_worker *worker, holdfast_error **error)
{
    if (worker->mode != HF_MODE_UNUSED)
        return hf_fail(error, HOLDFAST_FAILED_PRECONDITION, "the worker is in use already");
    if (worker->workflow_types_count > 0)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "workflow_types",
                             "workflows are served with holdfast_worker_next_task");
    for (hf_registration *one = worker->registrations; one != NULL; one = one->next) {
        if (one->function == NULL)
            return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "%s has no function", one->name);
    }
    worker->mode = HF_MODE_RUN;
    return HOLDFAST_OK;
}

/* Signals are for the program's own threads. Returns how many threads there are. */
static uint32_t start_threads(holdfast_worker *worker, pthread_t *threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    uint32_t started = 0;
    while (started < worker->threads &&
           pthread_create(&threads[started], NULL, run_jobs, worker) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Functions that still run are told; they are waited for. */
static void cancel_running(holdfast_worker *worker)
{
    hf_node *node = NULL;
    while ((node = hf_table_next(&worker->activities, node)) != NULL) {
        holdfast_activity *activity = HF_CONTAINER(node, holdfast_activity, node);
        int none = HOLDFAST_CANCEL_NONE;
        atomic_compare_exchange_strong(&activity->cancel_reason, &none,
                                       HOLDFAST_CANCEL_WORKER_STOPPING);
    }
}

holdfast_status holdfast_worker_run(holdfast_worker *worker, holdfast_error **error)
{
    holdfast_status status = hf_worker_check(worker, error);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    status = begin(worker, error);
    pthread_mutex_unlock(&worker->lock);
    if (status != HOLDFAST_OK)
        return status;
    pthread_t *threads = calloc(worker->threads, sizeof *threads);
    if (threads == NULL)
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    uint32_t started = start_threads(worker, threads);
    pthread_mutex_lock(&worker->lock);
    if (started == 0)
        hf_fail(&worker->fatal, HOLDFAST_SYSTEM_ERROR, "no thread can be made: %s",
                strerror(errno));
    worker->pumping = true;
    while (!worker->drained && worker->fatal == NULL)
        hf_worker_turn(worker, HF_NEVER);
    worker->pumping = false;
    cancel_running(worker);
    pthread_cond_broadcast(&worker->jobs_changed);
    pthread_mutex_unlock(&worker->lock);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    pthread_mutex_lock(&worker->lock);
    hf_worker_flush(worker);
    if (worker->fatal != NULL) {
        status = worker->fatal->code;
        if (error != NULL)
            *error = hf_error_copy(worker->fatal);
    }
    pthread_mutex_unlock(&worker->lock);
    return status;
}
