/* What the connection tells the client. */
#include "client.h"
#include "wire.h"

#include <stdlib.h>

static hf_call *call_of(const holdfast_client *client, uint64_t stream)
{
    hf_node *node = hf_table_find(&client->streams, &stream, sizeof stream);
    return node != NULL ? HF_CONTAINER(node, hf_call, node) : NULL;
}

static bool copy_response(holdfast_bytes body, holdfast_bytes *response)
{
    *response = (holdfast_bytes){0};
    if (body.len == 0)
        return true;
    void *copy = malloc(body.len);
    if (copy == NULL)
        return false;
    memcpy(copy, body.ptr, body.len);
    *response = (holdfast_bytes){copy, body.len};
    return true;
}

static holdfast_status check_response(const hf_call *call, holdfast_bytes body,
                                      holdfast_error **error)
{
    hf_fault fault;
    if (call->response_type == NULL || hf_wire_check(call->response_type, body, &fault))
        return HOLDFAST_OK;
    return hf_fail_field(error, HOLDFAST_PROTOCOL_ERROR, fault.path, "%s: the answer's %s %s",
                         call->method, fault.path, fault.what);
}

/* Only what the engine asks to be repeated; it says when. */
static bool repeat_later(holdfast_client *client, hf_call *call, const holdfast_error *error,
                         int64_t now_ms)
{
    bool asked = error->retryable && error->retry_after_ms > 0;
    bool leaving = error->code == HOLDFAST_UNAVAILABLE &&
                   error->reason == HOLDFAST__V1__REASON__REASON_DRAINING;
    if (!call->repeatable || call->kind == HF_CALL_STREAMING || client->reconnect.never ||
        !(asked || leaving))
        return false;
    int64_t pause = holdfast_backoff_ms(&client->reconnect, call->attempts, hf_random_number());
    if (pause < error->retry_after_ms)
        pause = error->retry_after_ms;
    int64_t again = hf_deadline(now_ms, pause);
    if (again >= call->deadline)
        return false;
    hf_table_remove(&client->streams, &call->node);
    hf_call_list_remove(call);
    call->state = HF_CALL_QUEUED;
    call->not_before = again;
    hf_call_list_append(&client->queued, call);
    if (again < client->next_expiry)
        client->next_expiry = again;
    return true;
}

static void take_end(holdfast_client *client, const holdfast_event *event, int64_t now_ms)
{
    hf_call *call = call_of(client, event->stream);
    if (call == NULL)
        return;
    if (event->error != NULL) {
        if (!repeat_later(client, call, event->error, now_ms))
            hf_call_finish(client, call, event->error->code, hf_error_copy(event->error));
        return;
    }
    holdfast_error *error = NULL;
    holdfast_status status = HOLDFAST_OK;
    if (call->kind != HF_CALL_STREAMING) {
        status = check_response(call, event->body, &error);
        if (status == HOLDFAST_OK && !copy_response(event->body, &call->response))
            status = hf_fail(&error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    }
    hf_call_finish(client, call, status, error);
}

static void take_message(holdfast_client *client, const holdfast_event *event)
{
    hf_call *call = call_of(client, event->stream);
    if (call == NULL || call->kind != HF_CALL_STREAMING)
        return;
    holdfast_error *error = NULL;
    holdfast_status status = check_response(call, event->body, &error);
    size_t size = sizeof(hf_message) + event->body.len;
    if (status == HOLDFAST_OK && size > HF_STREAM_BYTES_MAX - call->messages_bytes)
        status = hf_fail(&error, HOLDFAST_RESOURCE_EXHAUSTED, "%s: too much waits to be taken",
                         call->method);
    hf_message *message = status == HOLDFAST_OK ? malloc(size) : NULL;
    if (status == HOLDFAST_OK && message == NULL)
        status = hf_fail(&error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    if (status != HOLDFAST_OK) {
        holdfast_connection_cancel(client->link.connection, call->stream, "unreadable");
        hf_call_finish(client, call, status, error);
        return;
    }
    message->next = NULL;
    message->length = event->body.len;
    if (event->body.len > 0)
        memcpy(message->bytes, event->body.ptr, event->body.len);
    if (call->messages_last != NULL)
        call->messages_last->next = message;
    else
        call->messages = message;
    call->messages_last = message;
    call->messages_bytes += size;
    if (call->granted > 0)
        call->granted--;
    hf_client_tell_loop(client);
    if (call->waiter != NULL)
        pthread_cond_signal(&call->waiter->condition);
}

static void take_ready(holdfast_client *client)
{
    client->ready = true;
    client->changes++;
    client->failures = 0;
    holdfast_error_free(client->last_error);
    client->last_error = NULL;
    for (hf_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next)
        pthread_cond_signal(&waiter->condition);
}

void hf_client_events(holdfast_client *client, int64_t now_ms)
{
    holdfast_event event;
    while (client->link.fd >= 0 &&
           holdfast_connection_next_event(client->link.connection, &event)) {
        switch (event.kind) {
        case HOLDFAST_EVENT_READY:
            take_ready(client);
            break;
        case HOLDFAST_EVENT_MESSAGE:
            take_message(client, &event);
            break;
        case HOLDFAST_EVENT_END:
            take_end(client, &event, now_ms);
            break;
        case HOLDFAST_EVENT_CREDIT:
            break; /* the client sends one message per stream, with its Open */
        case HOLDFAST_EVENT_DRAIN:
            client->draining = true;
            break;
        case HOLDFAST_EVENT_CLOSED:
            hf_client_disconnect(client, now_ms, hf_error_copy(event.error));
            return;
        }
    }
}
