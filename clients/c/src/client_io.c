/* Who reads, who waits, and how a lost connection comes back. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* A connection that nobody has read for so long is looked at before it is used: it may be gone. */
#define HF_STALE_MS 1000

void hf_client_wake(holdfast_client *client)
{
    uint64_t one = 1;
    ssize_t ignored = write(client->wake_fd, &one, sizeof one);
    (void)ignored; /* a full counter wakes the reader as well */
}

void hf_client_wake_before(holdfast_client *client, int64_t deadline)
{
    if (client->reading && deadline < client->reading_until) {
        client->reading_until = deadline;
        hf_client_wake(client);
    }
}

void hf_client_enter(holdfast_client *client, hf_waiter *waiter)
{
    *waiter = (hf_waiter){.next = client->waiters};
    hf_condition_init(&waiter->condition);
    if (client->waiters != NULL)
        client->waiters->previous = waiter;
    client->waiters = waiter;
}

void hf_client_leave(holdfast_client *client, hf_waiter *waiter)
{
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        client->waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    pthread_cond_destroy(&waiter->condition);
    hf_client_pass_on(client);
    if (client->waiters == NULL)
        hf_client_hand_back(client);
}

void hf_client_pass_on(holdfast_client *client)
{
    /* Somebody must read; a waiter that does not need to passes it on when it leaves in turn. */
    if (!client->reading && client->waiters != NULL)
        pthread_cond_signal(&client->waiters->condition);
}

static void finish_lost(holdfast_client *client, hf_call *call, const holdfast_error *why)
{
    holdfast_error *error = NULL;
    hf_fail(&error, HOLDFAST_DISCONNECTED, "the connection was lost: %s",
            why != NULL ? why->message.ptr : "");
    hf_call_finish(client, call, HOLDFAST_DISCONNECTED, error);
}

void hf_client_disconnect(holdfast_client *client, int64_t now_ms, holdfast_error *why)
{
    hf_link_close(&client->link, &client->lock);
    client->ready = client->draining = false;
    holdfast_error_free(client->last_error);
    client->last_error = why;
    client->failures++;
    client->changes++;
    client->next_connect = hf_deadline(
        now_ms, holdfast_backoff_ms(&client->reconnect, client->failures, hf_random_number()));
    hf_call *call;
    /* From the last to the first, to the front: they keep their order, before what came later. */
    while ((call = client->sent.last) != NULL) {
        if (call->repeatable && call->kind != HF_CALL_STREAMING && !client->reconnect.never) {
            hf_table_remove(&client->streams, &call->node);
            hf_call_list_remove(call);
            call->state = HF_CALL_QUEUED;
            hf_call_list_prepend(&client->queued, call);
        } else {
            finish_lost(client, call, why);
        }
    }
    if (!client->reconnect.never)
        return;
    while ((call = client->queued.first) != NULL)
        finish_lost(client, call, why);
}

static void connect_if_due(holdfast_client *client, int64_t now_ms)
{
    if (client->link.fd >= 0 || now_ms < client->next_connect)
        return;
    if (client->reconnect.never && client->failures > 0)
        return;
    holdfast_error *error = NULL;
    if (hf_link_open(&client->link, &client->endpoint, now_ms, &error) != HOLDFAST_OK)
        hf_client_disconnect(client, now_ms, error);
}

static int64_t engine_timeout(const hf_call *call, int64_t now_ms)
{
    if (call->deadline == HF_NEVER)
        return 0;
    return call->deadline > now_ms ? call->deadline - now_ms : 1;
}

/* False: no stream is free; the call goes when another has ended. */
static bool send_call(holdfast_client *client, hf_call *call, int64_t now_ms)
{
    holdfast_connection *connection = client->link.connection;
    holdfast_status status =
        holdfast_connection_open(connection, call->method, hf_buffer_view(&call->request),
                                 engine_timeout(call, now_ms), !call->two_way, &call->stream);
    /* No room, or a connection that has ended or drains, which its events will tell: it is sent
     * later, perhaps over another one. */
    if (status == HOLDFAST_RESOURCE_EXHAUSTED || status == HOLDFAST_CLOSED ||
        status == HOLDFAST_FAILED_PRECONDITION)
        return false;
    if (status == HOLDFAST_OK &&
        !hf_table_insert(&client->streams, &call->node, &call->stream, sizeof call->stream)) {
        holdfast_connection_cancel(connection, call->stream, "");
        status = HOLDFAST_OUT_OF_MEMORY;
    }
    if (status != HOLDFAST_OK) {
        holdfast_error *error = NULL;
        hf_fail(&error, status, "%s: %s", call->method, holdfast_strerror(status));
        hf_call_finish(client, call, status, error);
        return true;
    }
    hf_call_list_remove(call);
    call->state = HF_CALL_SENT;
    call->attempts++;
    hf_call_list_append(&client->sent, call);
    if (call->kind != HF_CALL_STREAMING || call->two_way)
        return true;
    call->granted = connection->initial_credit;
    if (call->granted < HF_STREAM_WINDOW) {
        uint32_t more = (uint32_t)(HF_STREAM_WINDOW - call->granted);
        if (holdfast_connection_credit(connection, call->stream, more) == HOLDFAST_OK)
            call->granted += more;
    }
    return true;
}

void hf_client_send(holdfast_client *client, int64_t now_ms)
{
    if (client->link.fd < 0)
        return;
    hf_call *call = client->ready && !client->draining ? client->queued.first : NULL;
    while (call != NULL) {
        hf_call *next = call->next;
        if (call->not_before <= now_ms && !send_call(client, call, now_ms))
            break;
        call = next;
    }
    hf_link_write(&client->link, &client->lock);
}

/* Submitted calls have no thread that watches their deadline, streams not always one. */
static void expire(holdfast_client *client, int64_t now_ms)
{
    if (now_ms < client->next_expiry)
        return;
    client->next_expiry = HF_NEVER;
    hf_call_list *lists[] = {&client->queued, &client->sent};
    for (size_t i = 0; i < 2; i++) {
        hf_call *next;
        for (hf_call *call = lists[i]->first; call != NULL; call = next) {
            next = call->next;
            int64_t due = call->kind != HF_CALL_BLOCKING && call->deadline != HF_NEVER
                              ? call->deadline + HF_DEADLINE_SLACK_MS
                              : HF_NEVER;
            if (due <= now_ms) {
                hf_call_abandon(client, call, "timed out");
                continue;
            }
            if (call->state == HF_CALL_QUEUED && call->not_before > now_ms &&
                call->not_before < due)
                due = call->not_before;
            if (due < client->next_expiry)
                client->next_expiry = due;
        }
    }
}

static int64_t earliest(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

int64_t hf_client_due(const holdfast_client *client)
{
    int64_t due = client->next_expiry;
    if (client->link.fd < 0)
        return client->reconnect.never && client->failures > 0
                   ? due
                   : earliest(due, client->next_connect);
    int64_t deadline = holdfast_connection_deadline(client->link.connection);
    return deadline >= 0 ? earliest(due, deadline) : due;
}

/* Waits at the socket with the lock released. */
static bool wait_at_socket(holdfast_client *client, int64_t now_ms, int64_t until)
{
    client->reading_until = earliest(until, hf_client_due(client));
    short events = (short)(POLLIN | (client->link.blocked ? POLLOUT : 0));
    struct pollfd fds[2] = {{.fd = client->wake_fd, .events = POLLIN},
                            {.fd = client->link.fd, .events = events}};
    int timeout = hf_poll_timeout(now_ms, client->reading_until);
    pthread_mutex_unlock(&client->lock);
    int ready = poll(fds, 2, timeout);
    if (ready > 0 && fds[0].revents != 0) {
        uint64_t count;
        ssize_t ignored = read(client->wake_fd, &count, sizeof count);
        (void)ignored;
    }
    pthread_mutex_lock(&client->lock);
    if (ready > 0 && (fds[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
        client->link.blocked = false;
    return ready > 0 && fds[1].revents != 0;
}

static void read_socket(holdfast_client *client, int64_t now_ms)
{
    hf_link_read(&client->link, now_ms);
    client->last_io = now_ms;
    hf_client_events(client, now_ms);
}

static void turn(holdfast_client *client, int64_t until)
{
    int64_t now = hf_now_ms();
    uint64_t before = client->changes;
    connect_if_due(client, now);
    expire(client, now);
    hf_client_send(client, now);
    if (client->changes != before)
        return; /* what somebody waits for may have come about already */
    if (wait_at_socket(client, now, until))
        read_socket(client, hf_now_ms());
    now = hf_now_ms();
    if (client->link.fd >= 0) {
        holdfast_connection_tick(client->link.connection, now);
        hf_client_events(client, now);
    }
    hf_client_send(client, now);
}

void hf_client_wait(holdfast_client *client, hf_waiter *waiter, int64_t until)
{
    if (client->reading) {
        hf_condition_wait(&waiter->condition, &client->lock, until);
        return;
    }
    hf_client_read(client, until);
}

void hf_client_read(holdfast_client *client, int64_t until)
{
    client->reading = true;
    client->reader = pthread_self();
    turn(client, until);
    client->reading = false;
}

/* Called before a call is queued: notices a connection that died while nobody was looking. */
void hf_client_refresh(holdfast_client *client, int64_t now_ms)
{
    if (client->reading || client->link.fd < 0 || now_ms - client->last_io < HF_STALE_MS)
        return;
    client->reading = true;
    client->reader = pthread_self();
    read_socket(client, now_ms);
    client->reading = false;
    hf_client_pass_on(client);
}
