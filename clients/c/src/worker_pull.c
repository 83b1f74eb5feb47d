/* The pulling caller, and the caller with a loop of their own. */
#include "worker.h"

static void enter(holdfast_worker *worker, hf_worker_waiter *waiter)
{
    *waiter = (hf_worker_waiter){.next = worker->waiters};
    hf_condition_init(&waiter->condition);
    if (worker->waiters != NULL)
        worker->waiters->previous = waiter;
    worker->waiters = waiter;
}

static void leave(holdfast_worker *worker, hf_worker_waiter *waiter)
{
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        worker->waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    pthread_cond_destroy(&waiter->condition);
    /* Somebody must be at the socket. */
    if (!worker->pumping && worker->waiters != NULL)
        pthread_cond_signal(&worker->waiters->condition);
}

static holdfast_status over(const holdfast_worker *worker, holdfast_error **error)
{
    if (worker->fatal != NULL) {
        if (error != NULL)
            *error = hf_error_copy(worker->fatal);
        return worker->fatal->code;
    }
    if (worker->drained || worker->closed)
        return hf_fail(error, HOLDFAST_CLOSED, "the worker was stopped");
    return HOLDFAST_OK;
}

/* The first use decides how tasks come out. */
static holdfast_status use(holdfast_worker *worker, hf_worker_mode mode, holdfast_error **error)
{
    if (worker->mode == HF_MODE_UNUSED)
        worker->mode = mode;
    if (worker->mode == HF_MODE_RUN)
        return hf_fail(error, HOLDFAST_FAILED_PRECONDITION,
                       "the worker is run by holdfast_worker_run");
    return HOLDFAST_OK;
}

/* Waits for a task. The lock is held; *task NULL: the status says why. */
static holdfast_status await_task(holdfast_worker *worker, int64_t deadline, hf_task **task,
                                  holdfast_error **error)
{
    bool looked = false;
    hf_worker_waiter waiter;
    enter(worker, &waiter);
    holdfast_status status;
    for (;;) {
        *task = hf_worker_pop_task(worker);
        status = *task == NULL ? over(worker, error) : HOLDFAST_OK;
        if (*task != NULL || status != HOLDFAST_OK)
            break;
        if (atomic_exchange(&worker->woken, false) || (looked && hf_now_ms() >= deadline)) {
            status = HOLDFAST_TIMEOUT;
            break;
        }
        looked = true;
        if (worker->pumping) {
            hf_condition_wait(&waiter.condition, &worker->lock, deadline);
            continue;
        }
        worker->pumping = true;
        hf_worker_turn(worker, deadline);
        worker->pumping = false;
    }
    leave(worker, &waiter);
    return status;
}

holdfast_status holdfast_worker_next_task(holdfast_worker *worker, int64_t wait_ms,
                                          holdfast_task **task, holdfast_error **error)
{
    if (task != NULL)
        *task = NULL;
    holdfast_status status = hf_worker_check(worker, error);
    if (status != HOLDFAST_OK)
        return status;
    if (task == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "task is NULL");
    hf_task *found = NULL;
    pthread_mutex_lock(&worker->lock);
    status = use(worker, HF_MODE_PULL, error);
    if (status == HOLDFAST_OK)
        status = await_task(worker, hf_deadline(hf_now_ms(), wait_ms), &found, error);
    pthread_mutex_unlock(&worker->lock);
    if (found != NULL)
        *task = &found->public;
    return status;
}

int holdfast_worker_fd(holdfast_worker *worker)
{
    return hf_worker_check(worker, NULL) == HOLDFAST_OK ? worker->link.epoll_fd : -1;
}

int64_t holdfast_worker_timeout_ms(holdfast_worker *worker)
{
    if (hf_worker_check(worker, NULL) != HOLDFAST_OK)
        return -1;
    pthread_mutex_lock(&worker->lock);
    int64_t deadline = hf_worker_deadline(worker);
    worker->pump_until = deadline;
    pthread_mutex_unlock(&worker->lock);
    if (deadline == HF_NEVER)
        return -1;
    int64_t now = hf_now_ms();
    return deadline > now ? deadline - now : 0;
}

static holdfast_activity *pop_job(holdfast_worker *worker)
{
    holdfast_activity *job = worker->jobs;
    if (job != NULL && (worker->jobs = job->next) == NULL)
        worker->jobs_last = NULL;
    return job;
}

holdfast_status holdfast_worker_process(holdfast_worker *worker, holdfast_error **error)
{
    holdfast_status status = hf_worker_check(worker, error);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&worker->lock);
    status = use(worker, HF_MODE_LOOP, error);
    if (status == HOLDFAST_OK && worker->pumping)
        status = hf_fail(error, HOLDFAST_FAILED_PRECONDITION, "the worker is being processed");
    if (status == HOLDFAST_OK) {
        worker->pumping = true;
        hf_worker_turn(worker, hf_now_ms());
        worker->pumping = false;
        holdfast_activity *job;
        while ((job = pop_job(worker)) != NULL) {
            worker->functions_running++;
            pthread_mutex_unlock(&worker->lock);
            hf_activity_run(job);
            pthread_mutex_lock(&worker->lock);
            worker->functions_running--;
        }
        hf_worker_flush(worker);
        /* From here on the caller's thread is not known to come back soon. */
        worker->pump_known = false;
        hf_worker_stop_step(worker, hf_now_ms());
        status = over(worker, error);
    }
    pthread_mutex_unlock(&worker->lock);
    return status;
}
