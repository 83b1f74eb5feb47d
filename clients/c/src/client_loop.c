/* A client in the caller's own loop. */
#include "client.h"

static void wake_loop(holdfast_client *client)
{
    if (client->loop_woken)
        return;
    client->loop_woken = true;
    hf_link_wake(&client->link);
}

void hf_client_tell_loop(holdfast_client *client)
{
    if (client->looped && !client->processing)
        wake_loop(client);
}

void hf_client_hurry_loop(holdfast_client *client)
{
    if (!client->looped || client->reading || client->shut_down)
        return;
    int64_t due = hf_client_due(client);
    if (due >= client->loop_until)
        return;
    client->loop_until = due;
    wake_loop(client);
}

void hf_client_hand_back(holdfast_client *client)
{
    if (client->reading)
        return;
    hf_link_mute(&client->link, false);
    hf_client_hurry_loop(client);
}

int holdfast_client_fd(holdfast_client *client)
{
    if (hf_client_check(client, NULL) != HOLDFAST_OK)
        return -1;
    pthread_mutex_lock(&client->lock);
    if (!client->looped) {
        client->looped = true;
        /* There may be something that came in before. */
        wake_loop(client);
    }
    pthread_mutex_unlock(&client->lock);
    return client->link.epoll_fd;
}

int64_t holdfast_client_timeout_ms(holdfast_client *client)
{
    if (hf_client_check(client, NULL) != HOLDFAST_OK)
        return -1;
    pthread_mutex_lock(&client->lock);
    /* A thread that reads does what is due; when it leaves, it hands back. */
    bool idle = client->shut_down || client->reading;
    int64_t due = idle ? HF_NEVER : hf_client_due(client);
    client->loop_until = due;
    pthread_mutex_unlock(&client->lock);
    if (due == HF_NEVER)
        return -1;
    int64_t now = hf_now_ms();
    return due > now ? due - now : 0;
}

/* The lock is held. */
static holdfast_status state(const holdfast_client *client, holdfast_error **error)
{
    if (client->shut_down)
        return hf_fail(error, HOLDFAST_CLOSED, "the client was shut down");
    if (!hf_client_is_refused(client))
        return HOLDFAST_OK;
    if (error != NULL)
        *error = hf_error_copy(client->last_error);
    return client->last_error->code;
}

holdfast_status holdfast_client_process(holdfast_client *client, holdfast_error **error)
{
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    pthread_mutex_lock(&client->lock);
    if (client->loop_woken)
        hf_link_rest(&client->link);
    client->loop_woken = false;
    if (client->reading && !client->processing) {
        /* A thread that waits reads for all; the loop is not to come for each answer of that one's.
         */
        hf_link_mute(&client->link, true);
    } else if (!client->reading && !client->shut_down) {
        client->processing = true;
        hf_client_read(client, hf_now_ms());
        client->processing = false;
        hf_client_pass_on(client);
    }
    status = state(client, error);
    pthread_mutex_unlock(&client->lock);
    return status;
}
