/* A call from its making to its end. */
#include "client.h"

#include <stdlib.h>

void hf_call_list_append(hf_call_list *list, hf_call *call)
{
    call->previous = list->last;
    call->next = NULL;
    if (list->last != NULL)
        list->last->next = call;
    else
        list->first = call;
    list->last = call;
    list->count++;
    call->list = list;
}

void hf_call_list_prepend(hf_call_list *list, hf_call *call)
{
    call->previous = NULL;
    call->next = list->first;
    if (list->first != NULL)
        list->first->previous = call;
    else
        list->last = call;
    list->first = call;
    list->count++;
    call->list = list;
}

void hf_call_list_remove(hf_call *call)
{
    hf_call_list *list = call->list;
    if (list == NULL)
        return;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        list->first = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    else
        list->last = call->previous;
    list->count--;
    call->list = NULL;
}

holdfast_status hf_call_new(holdfast_client *client, hf_call_kind kind, const char *method,
                            holdfast_bytes request, int64_t timeout_ms, hf_call **call,
                            holdfast_error **error)
{
    *call = NULL;
    if (method == NULL || method[0] == '\0')
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "method", "method is empty");
    if (request.ptr == NULL && request.len > 0)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "request", "request is NULL");
    hf_call *made = calloc(1, sizeof *made);
    char *name = hf_string_copy(holdfast_str(method));
    if (made == NULL || name == NULL) {
        free(made);
        free(name);
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    }
    made->kind = kind;
    made->method = name;
    made->deadline = hf_deadline(hf_now_ms(), timeout_ms);
    if (made->deadline > HF_NEVER - HF_DEADLINE_SLACK_MS)
        made->deadline = HF_NEVER;
    holdfast_status status = hf_request_prepare(client, method, request, &made->request,
                                                &made->repeatable, &made->response_type, error);
    if (status != HOLDFAST_OK) {
        hf_call_free(made);
        return status;
    }
    *call = made;
    return HOLDFAST_OK;
}

void hf_call_free(hf_call *call)
{
    if (call == NULL)
        return;
    while (call->messages != NULL) {
        hf_message *next = call->messages->next;
        free(call->messages);
        call->messages = next;
    }
    free(call->current);
    free(call->method);
    hf_buffer_free(&call->request);
    holdfast_bytes_free(&call->response);
    holdfast_error_free(call->error);
    free(call);
}

holdfast_status hf_call_begin(holdfast_client *client, hf_call *call, holdfast_error **error)
{
    if (client->shut_down)
        return hf_fail(error, HOLDFAST_CLOSED, "the client was shut down");
    if (client->queued.count + client->sent.count >= HF_CALLS_MAX)
        return hf_fail(error, HOLDFAST_RESOURCE_EXHAUSTED, "%u calls are under way", HF_CALLS_MAX);
    int64_t now = hf_now_ms();
    hf_client_refresh(client, now);
    if (client->reconnect.never && client->failures > 0) {
        const holdfast_error *why = client->last_error;
        return hf_fail(error, HOLDFAST_DISCONNECTED, "the connection was lost: %s",
                       why != NULL ? why->message.ptr : "");
    }
    call->state = HF_CALL_QUEUED;
    hf_call_list_append(&client->queued, call);
    if (call->kind != HF_CALL_BLOCKING && call->deadline != HF_NEVER) {
        int64_t due = call->deadline + HF_DEADLINE_SLACK_MS;
        if (due < client->next_expiry)
            client->next_expiry = due;
        hf_client_wake_before(client, due);
    }
    hf_client_send(client, now);
    /* The reader learns by itself only what arrives: not that there is something to connect for,
     * nor that the socket is full. */
    if (client->reading && (client->link.fd < 0 || client->link.blocked))
        hf_client_wake(client);
    hf_client_hurry_loop(client);
    return HOLDFAST_OK;
}

static void wake_completion_waiter(holdfast_client *client)
{
    for (hf_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        if (waiter->wants_completions)
            pthread_cond_signal(&waiter->condition);
    }
}

void hf_call_finish(holdfast_client *client, hf_call *call, holdfast_status status,
                    holdfast_error *error)
{
    if (call->state == HF_CALL_SENT)
        hf_table_remove(&client->streams, &call->node);
    hf_call_list_remove(call);
    call->state = HF_CALL_DONE;
    client->changes++;
    if (call->kind != HF_CALL_BLOCKING)
        hf_client_tell_loop(client);
    call->status = status;
    call->error = error;
    if (status != HOLDFAST_OK && error == NULL)
        hf_fail(&call->error, status, "%s", holdfast_strerror(status));
    if (call->kind == HF_CALL_SUBMITTED) {
        hf_call_list_append(&client->completed, call);
        wake_completion_waiter(client);
        /* The thread at the socket may be the one that waits for completions. */
        if (client->reading && !pthread_equal(client->reader, pthread_self()))
            hf_client_wake(client);
    } else if (call->waiter != NULL) {
        pthread_cond_signal(&call->waiter->condition);
    }
}

void hf_call_abandon(holdfast_client *client, hf_call *call, const char *reason)
{
    bool sent = call->state == HF_CALL_SENT;
    if (sent && client->link.fd >= 0)
        holdfast_connection_cancel(client->link.connection, call->stream, reason);
    holdfast_error *error = NULL;
    holdfast_status status = HOLDFAST_TIMEOUT;
    if (!sent && client->last_error != NULL)
        status = hf_fail(&error, HOLDFAST_DISCONNECTED, "%s", client->last_error->message.ptr);
    else
        hf_fail(&error, status, "%s: no answer in time", call->method);
    hf_call_finish(client, call, status, error);
}
