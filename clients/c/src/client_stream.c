/* Calls that are answered by messages, and those on which both sides send some. */
#include "client.h"

#include <stdlib.h>

struct holdfast_stream {
    holdfast_client *client;
    hf_call *call;
};

static holdfast_status open_stream(holdfast_client *client, const char *method, bool two_way,
                                   holdfast_bytes request, int64_t timeout_ms,
                                   holdfast_stream **stream, holdfast_error **error)
{
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    if (stream == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "stream is NULL");
    *stream = NULL;
    holdfast_stream *made = calloc(1, sizeof *made);
    if (made == NULL)
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    made->client = client;
    status = hf_call_new(client, HF_CALL_STREAMING, method, request,
                         timeout_ms != 0 ? timeout_ms : -1, &made->call, error);
    if (status == HOLDFAST_OK) {
        made->call->two_way = two_way;
        pthread_mutex_lock(&client->lock);
        status = hf_call_begin(client, made->call, error);
        pthread_mutex_unlock(&client->lock);
    }
    if (status != HOLDFAST_OK) {
        hf_call_free(made->call);
        free(made);
        return status;
    }
    *stream = made;
    return HOLDFAST_OK;
}

holdfast_status holdfast_client_open(holdfast_client *client, const char *method,
                                     holdfast_bytes request, int64_t timeout_ms,
                                     holdfast_stream **stream, holdfast_error **error)
{
    return open_stream(client, method, false, request, timeout_ms, stream, error);
}

holdfast_status holdfast_client_open_two_way(holdfast_client *client, const char *method,
                                             holdfast_bytes first, int64_t timeout_ms,
                                             holdfast_stream **stream, holdfast_error **error)
{
    return open_stream(client, method, true, first, timeout_ms, stream, error);
}

/* The lock is held. */
static holdfast_status send_message(holdfast_client *client, hf_call *call, holdfast_bytes message,
                                    bool end, holdfast_error **error)
{
    if (call->state == HF_CALL_QUEUED)
        return hf_fail(error, HOLDFAST_FAILED_PRECONDITION, "%s: no message has come yet",
                       call->method);
    if (call->state == HF_CALL_DONE) {
        if (call->status == HOLDFAST_OK)
            return hf_fail(error, HOLDFAST_CLOSED, "%s: the stream has ended", call->method);
        if (error != NULL)
            *error = hf_error_copy(call->error);
        return call->status;
    }
    holdfast_status status =
        holdfast_connection_send(client->link.connection, call->stream, message, end);
    if (status != HOLDFAST_OK)
        return hf_fail(error, status, "%s: %s", call->method, holdfast_strerror(status));
    hf_client_send(client, hf_now_ms());
    return HOLDFAST_OK;
}

holdfast_status holdfast_stream_send(holdfast_stream *stream, holdfast_bytes message, bool end,
                                     holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (stream == NULL || !stream->call->two_way || (message.ptr == NULL && message.len > 0))
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "no two-way stream, or message is NULL");
    holdfast_client *client = stream->client;
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&client->lock);
    status = send_message(client, stream->call, message, end, error);
    pthread_mutex_unlock(&client->lock);
    return status;
}

/* The lock is held. Half the window is given back at a time. */
static void give_credit(holdfast_client *client, hf_call *call)
{
    if (call->two_way || call->state != HF_CALL_SENT || call->granted > HF_STREAM_WINDOW / 2)
        return;
    uint32_t more = (uint32_t)(HF_STREAM_WINDOW - call->granted);
    if (holdfast_connection_credit(client->link.connection, call->stream, more) == HOLDFAST_OK) {
        call->granted += more;
        hf_client_send(client, hf_now_ms());
    }
}

static holdfast_status take_message(holdfast_client *client, hf_call *call, holdfast_bytes *message,
                                    holdfast_error **error)
{
    if (call->messages != NULL) {
        call->current = call->messages;
        call->messages = call->current->next;
        call->messages_bytes -= sizeof *call->current + call->current->length;
        if (call->messages == NULL)
            call->messages_last = NULL;
        *message = (holdfast_bytes){call->current->bytes, call->current->length};
        give_credit(client, call);
        return HOLDFAST_OK;
    }
    if (call->state != HF_CALL_DONE)
        return hf_fail(error, HOLDFAST_TIMEOUT, "no message yet");
    if (call->status == HOLDFAST_OK)
        return HOLDFAST_CLOSED;
    if (error != NULL)
        *error = hf_error_copy(call->error);
    return call->status;
}

holdfast_status holdfast_stream_next(holdfast_stream *stream, int64_t wait_ms,
                                     holdfast_bytes *message, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (stream == NULL || message == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "stream or message is NULL");
    *message = (holdfast_bytes){0};
    holdfast_client *client = stream->client;
    hf_call *call = stream->call;
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    int64_t deadline = hf_deadline(hf_now_ms(), wait_ms);
    hf_waiter waiter;
    pthread_mutex_lock(&client->lock);
    free(call->current);
    call->current = NULL;
    hf_client_enter(client, &waiter);
    call->waiter = &waiter;
    /* Where there is a loop, holdfast_client_process reads. */
    bool looked = client->looped && wait_ms == 0;
    while (call->messages == NULL && call->state != HF_CALL_DONE) {
        int64_t now = hf_now_ms();
        if (now >= call->deadline) {
            hf_call_abandon(client, call, "timed out");
            break;
        }
        if (looked && now >= deadline)
            break;
        hf_client_wait(client, &waiter, deadline < call->deadline ? deadline : call->deadline);
        looked = true;
    }
    status = take_message(client, call, message, error);
    call->waiter = NULL;
    hf_client_leave(client, &waiter);
    pthread_mutex_unlock(&client->lock);
    return status;
}

void holdfast_stream_close(holdfast_stream *stream)
{
    if (stream == NULL)
        return;
    holdfast_client *client = stream->client;
    if (hf_forked(&client->guard))
        return;
    pthread_mutex_lock(&client->lock);
    if (stream->call->state != HF_CALL_DONE) {
        if (stream->call->state == HF_CALL_SENT)
            holdfast_connection_cancel(client->link.connection, stream->call->stream, "closed");
        hf_call_finish(client, stream->call, HOLDFAST_CLOSED, NULL);
        hf_client_send(client, hf_now_ms());
    }
    pthread_mutex_unlock(&client->lock);
    hf_call_free(stream->call);
    free(stream);
}
