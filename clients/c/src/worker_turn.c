/* One thread at a time is at the socket, for all. */
#include "worker.h"

#include <sys/epoll.h>

void hf_worker_wake(holdfast_worker *worker)
{
    hf_link_wake(&worker->link);
}

void hf_worker_wake_before(holdfast_worker *worker, int64_t deadline)
{
    bool sleeps = worker->pumping || worker->mode == HF_MODE_LOOP;
    if (sleeps && deadline < worker->pump_until) {
        worker->pump_until = deadline;
        hf_worker_wake(worker);
    }
}

static int64_t earliest(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

int64_t hf_worker_deadline(const holdfast_worker *worker)
{
    if (worker->fatal != NULL || worker->drained)
        return HF_NEVER;
    if (atomic_load(&worker->stops) > 0 && !worker->stopping)
        return 0;
    int64_t deadline = worker->stopping ? worker->grace_until : HF_NEVER;
    if (worker->attached)
        deadline = earliest(deadline, worker->next_heartbeat);
    if (worker->link.fd < 0)
        return earliest(deadline, worker->next_connect);
    int64_t connection = holdfast_connection_deadline(worker->link.connection);
    return connection >= 0 ? earliest(deadline, connection) : deadline;
}

/* Waits with the lock released. True: the socket has something for us. */
static bool wait_at_socket(holdfast_worker *worker, int64_t now_ms, int64_t until)
{
    worker->pump_until = earliest(until, hf_worker_deadline(worker));
    int timeout = hf_poll_timeout(now_ms, worker->pump_until);
    int epoll_fd = worker->link.epoll_fd, wake_fd = worker->link.wake_fd;
    struct epoll_event events[2];
    uint32_t jobs = worker->jobs_new;
    worker->jobs_new = 0;
    pthread_mutex_unlock(&worker->lock);
    /* Told without the lock, which is the first thing that they take. */
    for (; jobs > 0; jobs--)
        pthread_cond_signal(&worker->jobs_changed);
    int count = epoll_wait(epoll_fd, events, 2, timeout);
    bool readable = false, writable = false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == wake_fd) {
            hf_link_rest(&worker->link);
            continue;
        }
        readable = readable || (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
        writable = writable || (events[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    }
    pthread_mutex_lock(&worker->lock);
    if (writable)
        worker->link.blocked = false;
    return readable;
}

static void signal_waiters(holdfast_worker *worker)
{
    size_t tasks = worker->tasks.count;
    hf_worker_waiter *waiter = worker->waiters;
    for (; waiter != NULL && tasks > 0; waiter = waiter->next, tasks--)
        pthread_cond_signal(&waiter->condition);
}

void hf_worker_turn(holdfast_worker *worker, int64_t until)
{
    worker->pump_thread = pthread_self();
    worker->pump_known = true;
    int64_t now = hf_now_ms();
    hf_worker_stop_step(worker, now);
    if (worker->drained)
        return;
    hf_worker_connect_if_due(worker, now);
    hf_heartbeats_flush(worker, now);
    hf_worker_flush(worker);
    if (worker->fatal != NULL)
        return;
    if (wait_at_socket(worker, now, until) && worker->link.fd >= 0) {
        hf_link_read(&worker->link, hf_now_ms());
        hf_worker_events(worker, hf_now_ms());
    }
    now = hf_now_ms();
    if (worker->link.fd >= 0) {
        holdfast_connection_tick(worker->link.connection, now);
        hf_worker_events(worker, now);
    }
    hf_heartbeats_flush(worker, now);
    hf_worker_flush(worker);
    signal_waiters(worker);
}
