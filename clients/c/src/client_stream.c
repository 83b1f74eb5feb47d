/* Server-streaming calls. */
#include "client.h"

#include <stdlib.h>

struct holdfast_stream {
    holdfast_client *client;
    hf_call *call;
};

holdfast_status holdfast_client_open(holdfast_client *client, const char *method,
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

/* The lock is held. Half the window is given back at a time. */
static void give_credit(holdfast_client *client, hf_call *call)
{
    if (call->state != HF_CALL_SENT || call->granted > HF_STREAM_WINDOW / 2)
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
    bool looked = false;
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
