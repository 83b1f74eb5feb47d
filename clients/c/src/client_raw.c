/* Calls by method name and bytes: waited for, or submitted and completed later. */
#include "client.h"

#include <stdlib.h>

/* The lock is held. Waits until the call is done, or gives it up at its deadline. */
static void await_call(holdfast_client *client, hf_call *call)
{
    hf_waiter waiter;
    hf_client_enter(client, &waiter);
    call->waiter = &waiter;
    int64_t deadline =
        call->deadline != HF_NEVER ? call->deadline + HF_DEADLINE_SLACK_MS : HF_NEVER;
    while (call->state != HF_CALL_DONE) {
        /* Without a connection there is no engine whose word is worth waiting for. */
        int64_t until = call->state == HF_CALL_QUEUED ? call->deadline : deadline;
        if (hf_now_ms() >= until)
            hf_call_abandon(client, call, "timed out");
        else
            hf_client_wait(client, &waiter, until);
    }
    call->waiter = NULL;
    hf_client_leave(client, &waiter);
}

holdfast_status hf_client_call(holdfast_client *client, const char *method, holdfast_bytes request,
                               int64_t timeout_ms, holdfast_bytes *response, holdfast_error **error)
{
    hf_call *call;
    holdfast_status status =
        hf_call_new(client, HF_CALL_BLOCKING, method, request, timeout_ms, &call, error);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&client->lock);
    status = hf_call_begin(client, call, error);
    if (status == HOLDFAST_OK) {
        await_call(client, call);
        status = call->status;
        if (error != NULL) {
            *error = call->error;
            call->error = NULL;
        }
        if (response != NULL && status == HOLDFAST_OK) {
            *response = call->response;
            call->response = (holdfast_bytes){0};
        }
    }
    pthread_mutex_unlock(&client->lock);
    hf_call_free(call);
    return status;
}

holdfast_status holdfast_client_call(holdfast_client *client, const char *method,
                                     holdfast_bytes request, int64_t timeout_ms,
                                     holdfast_bytes *response, holdfast_error **error)
{
    if (response != NULL)
        *response = (holdfast_bytes){0};
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    return hf_client_call(client, method, request,
                          timeout_ms != 0 ? timeout_ms : client->call_timeout_ms, response, error);
}

holdfast_status holdfast_client_submit(holdfast_client *client, const char *method,
                                       holdfast_bytes request, int64_t timeout_ms, uint64_t tag,
                                       holdfast_error **error)
{
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    hf_call *call;
    status = hf_call_new(client, HF_CALL_SUBMITTED, method, request,
                         timeout_ms != 0 ? timeout_ms : client->call_timeout_ms, &call, error);
    if (status != HOLDFAST_OK)
        return status;
    call->tag = tag;
    pthread_mutex_lock(&client->lock);
    status = hf_call_begin(client, call, error);
    pthread_mutex_unlock(&client->lock);
    if (status != HOLDFAST_OK)
        hf_call_free(call);
    return status;
}

typedef struct owned_completion {
    holdfast_completion public;
    hf_call *call;
} owned_completion;

holdfast_status holdfast_client_next_completion(holdfast_client *client, int64_t wait_ms,
                                                holdfast_completion **completion)
{
    if (completion == NULL)
        return HOLDFAST_BAD_ARGUMENT;
    *completion = NULL;
    holdfast_status status = hf_client_check(client, NULL);
    if (status != HOLDFAST_OK)
        return status;
    owned_completion *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    int64_t deadline = hf_deadline(hf_now_ms(), wait_ms);
    hf_waiter waiter;
    pthread_mutex_lock(&client->lock);
    hf_client_enter(client, &waiter);
    waiter.wants_completions = true;
    /* Where there is a loop, holdfast_client_process reads. */
    bool looked = client->looped && wait_ms == 0;
    while (client->completed.first == NULL && !client->shut_down) {
        if (looked && hf_now_ms() >= deadline)
            break;
        hf_client_wait(client, &waiter, deadline);
        looked = true;
    }
    hf_call *call = client->completed.first;
    status = call != NULL ? HOLDFAST_OK : client->shut_down ? HOLDFAST_CLOSED : HOLDFAST_TIMEOUT;
    if (call != NULL)
        hf_call_list_remove(call);
    hf_client_leave(client, &waiter);
    pthread_mutex_unlock(&client->lock);
    if (call == NULL) {
        free(made);
        return status;
    }
    made->call = call;
    made->public = (holdfast_completion){call->tag, call->status, call->response, call->error};
    *completion = &made->public;
    return HOLDFAST_OK;
}

void holdfast_completion_free(holdfast_completion *completion)
{
    if (completion == NULL)
        return;
    owned_completion *owned = HF_CONTAINER(completion, owned_completion, public);
    hf_call_free(owned->call);
    free(owned);
}

holdfast_status holdfast_client_cancel_call(holdfast_client *client, uint64_t tag)
{
    holdfast_status status = hf_client_check(client, NULL);
    if (status != HOLDFAST_OK)
        return status;
    status = HOLDFAST_NOT_FOUND;
    pthread_mutex_lock(&client->lock);
    hf_call_list *lists[] = {&client->queued, &client->sent};
    for (size_t i = 0; i < 2 && status == HOLDFAST_NOT_FOUND; i++) {
        for (hf_call *call = lists[i]->first; call != NULL; call = call->next) {
            if (call->kind != HF_CALL_SUBMITTED || call->tag != tag)
                continue;
            if (call->state == HF_CALL_SENT)
                holdfast_connection_cancel(client->link.connection, call->stream, "cancelled");
            hf_call_finish(client, call, HOLDFAST_CANCELLED, NULL);
            hf_client_send(client, hf_now_ms());
            status = HOLDFAST_OK;
            break;
        }
    }
    pthread_mutex_unlock(&client->lock);
    return status;
}
