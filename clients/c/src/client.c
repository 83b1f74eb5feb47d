#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static holdfast_status out_of_memory(holdfast_error **error)
{
    return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
}

static char *copy_or(holdfast_string value, const char *fallback, const char *field,
                     holdfast_status *status, holdfast_error **error)
{
    const char *what = hf_utf8_fault(value.ptr, value.len);
    if (*status == HOLDFAST_OK && what != NULL)
        *status = hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, field, "%s %s", field, what);
    if (*status != HOLDFAST_OK)
        return NULL;
    char *copy = hf_string_copy(value.len > 0 ? value : holdfast_str(fallback));
    if (copy == NULL)
        *status = out_of_memory(error);
    return copy;
}

static holdfast_status configure(holdfast_client *client, const holdfast_client_options *options,
                                 holdfast_error **error)
{
    hf_endpoint *endpoint = &client->endpoint;
    holdfast_status status =
        hf_endpoint_init(endpoint, options->socket_path, options->identity, error);
    client->name_space = copy_or(options->name_space, "", "namespace", &status, error);
    endpoint->name = copy_or(options->client_name, "libholdfast", "client_name", &status, error);
    endpoint->version =
        copy_or(options->client_version, HOLDFAST_VERSION_STRING, "client_version", &status, error);
    endpoint->language = copy_or(options->language, "c", "language", &status, error);
    endpoint->require_uid = options->require_server_uid;
    endpoint->uid = options->server_uid;
    client->reconnect = options->reconnect;
    client->call_timeout_ms = options->call_timeout_ms != 0 ? options->call_timeout_ms : 10000;
    return status;
}

static void destroy(holdfast_client *client)
{
    if (client == NULL)
        return;
    hf_link_destroy(&client->link);
    if (client->wake_fd >= 0)
        close(client->wake_fd);
    hf_endpoint_free(&client->endpoint);
    free(client->name_space);
    holdfast_error_free(client->last_error);
    hf_table_free(&client->streams);
    pthread_mutex_destroy(&client->lock);
    hf_fork_guard_free(&client->guard);
    free(client);
}

static holdfast_status make(holdfast_client **client, holdfast_error **error)
{
    holdfast_client *made = calloc(1, sizeof *made);
    *client = made;
    if (made == NULL)
        return out_of_memory(error);
    hf_fork_guard_init(&made->guard);
    pthread_mutex_init(&made->lock, NULL);
    made->next_expiry = made->loop_until = HF_NEVER;
    made->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int fault = errno;
    holdfast_status status = hf_link_init(&made->link, error);
    if (status == HOLDFAST_OK && made->wake_fd < 0)
        status = hf_fail(error, HOLDFAST_SYSTEM_ERROR, "eventfd: %s", strerror(fault));
    return status;
}

bool hf_client_is_refused(const holdfast_client *client)
{
    if (client->ready || client->last_error == NULL)
        return false;
    switch (client->last_error->code) {
    case HOLDFAST_PERMISSION_DENIED:
    case HOLDFAST_FAILED_PRECONDITION:
    case HOLDFAST_INVALID_ARGUMENT:
    case HOLDFAST_BAD_ARGUMENT:
    case HOLDFAST_UNAUTHENTICATED:
        return true;
    default:
        return client->reconnect.never;
    }
}

static holdfast_status wait_until_ready(holdfast_client *client, int64_t timeout_ms,
                                        holdfast_error **error)
{
    int64_t deadline = hf_deadline(hf_now_ms(), timeout_ms);
    hf_waiter waiter;
    holdfast_status status = HOLDFAST_OK;
    pthread_mutex_lock(&client->lock);
    hf_client_enter(client, &waiter);
    while (!client->ready && !hf_client_is_refused(client) && hf_now_ms() < deadline)
        hf_client_wait(client, &waiter, deadline);
    if (!client->ready && client->last_error != NULL) {
        status = client->last_error->code;
        if (error != NULL)
            *error = hf_error_copy(client->last_error);
    } else if (!client->ready) {
        status = hf_fail(error, HOLDFAST_TIMEOUT, "the engine at %s did not answer",
                         client->endpoint.path);
    }
    hf_client_leave(client, &waiter);
    pthread_mutex_unlock(&client->lock);
    return status;
}

/* Not connected yet. *connect_timeout_ms (may be NULL): what the options say. */
static holdfast_status create(const holdfast_client_options *options, holdfast_client **client,
                              int64_t *connect_timeout_ms, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (client == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "client is NULL");
    *client = NULL;
    holdfast_client_options given = {.struct_size = sizeof given};
    if (options != NULL) {
        if (options->struct_size != sizeof given)
            return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "struct_size",
                                 "struct_size is %u, not %zu", options->struct_size, sizeof given);
        given = *options;
    }
    if (connect_timeout_ms != NULL)
        *connect_timeout_ms = given.connect_timeout_ms != 0 ? given.connect_timeout_ms : 5000;
    holdfast_client *made;
    holdfast_status status = make(&made, error);
    if (status == HOLDFAST_OK)
        status = configure(made, &given, error);
    if (status != HOLDFAST_OK) {
        destroy(made);
        return status;
    }
    *client = made;
    return HOLDFAST_OK;
}

holdfast_status holdfast_client_create(const holdfast_client_options *options,
                                       holdfast_client **client, holdfast_error **error)
{
    return create(options, client, NULL, error);
}

holdfast_status holdfast_client_connect(const holdfast_client_options *options,
                                        holdfast_client **client, holdfast_error **error)
{
    int64_t timeout_ms;
    holdfast_status status = create(options, client, &timeout_ms, error);
    if (status != HOLDFAST_OK)
        return status;
    status = wait_until_ready(*client, timeout_ms, error);
    if (status != HOLDFAST_OK) {
        destroy(*client);
        *client = NULL;
    }
    return status;
}

holdfast_status hf_client_check(const holdfast_client *client, holdfast_error **error)
{
    if (error != NULL)
        *error = NULL;
    if (client == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "client is NULL");
    if (hf_forked(&client->guard))
        return hf_fail(error, HOLDFAST_FORKED, "%s", holdfast_strerror(HOLDFAST_FORKED));
    return HOLDFAST_OK;
}

void holdfast_client_shutdown(holdfast_client *client)
{
    if (client == NULL || hf_forked(&client->guard))
        return;
    pthread_mutex_lock(&client->lock);
    client->shut_down = true;
    hf_call_list *lists[] = {&client->queued, &client->sent};
    for (size_t i = 0; i < 2; i++) {
        while (lists[i]->first != NULL)
            hf_call_finish(client, lists[i]->first, HOLDFAST_CLOSED, NULL);
    }
    for (hf_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next)
        pthread_cond_signal(&waiter->condition);
    hf_client_wake(client);
    hf_client_tell_loop(client);
    pthread_mutex_unlock(&client->lock);
}

void holdfast_client_close(holdfast_client *client)
{
    if (client == NULL)
        return;
    if (hf_forked(&client->guard)) {
        /* The parent's threads and locks are not here: only the descriptors are safe to touch. */
        hf_link_forget(&client->link);
        close(client->wake_fd);
        return;
    }
    holdfast_client_shutdown(client);
    while (client->completed.first != NULL) {
        hf_call *call = client->completed.first;
        hf_call_list_remove(call);
        hf_call_free(call);
    }
    destroy(client);
}
