#include "loop.h"

#include <poll.h>

holdfast_status loop_turn(holdfast_client *client, int wait_ms, int *turns)
{
    struct pollfd slot = {.fd = holdfast_client_fd(client), .events = POLLIN};
    int64_t needed = holdfast_client_timeout_ms(client);
    int timeout = needed < 0 || needed > wait_ms ? wait_ms : (int)needed;
    if (poll(&slot, 1, timeout) == 0 && timeout != needed)
        return HOLDFAST_OK;
    if (turns != NULL)
        ++*turns;
    return holdfast_client_process(client, NULL);
}

void loop_submit_start(holdfast_client *client, uint64_t tag)
{
    char request[16];
    int length = snprintf(request, sizeof request, "\x12\x05%05d", (int)tag);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_client_submit(client, loop_start_method,
                                        (holdfast_bytes){request, (size_t)length}, -1, tag, NULL));
}

void loop_submit_health(holdfast_client *client, int64_t timeout_ms, uint64_t tag)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, loop_health_method,
                                                     (holdfast_bytes){0}, timeout_ms, tag, NULL));
}

static void check_run_id(const holdfast_completion *completion)
{
    CHECK_STATUS(HOLDFAST_OK, completion->status);
    char run[32];
    snprintf(run, sizeof run, "run:%05d", (int)completion->tag);
    Holdfast__V1__StartWorkflowResponse *response = holdfast__v1__start_workflow_response__unpack(
        NULL, completion->response.len, completion->response.ptr);
    CHECK(response != NULL && strcmp(response->run_id, run) == 0);
    holdfast__v1__start_workflow_response__free_unpacked(response, NULL);
}

int loop_take_starts(holdfast_client *client)
{
    int count = 0;
    holdfast_completion *completion;
    while (holdfast_client_next_completion(client, 0, &completion) == HOLDFAST_OK) {
        check_run_id(completion);
        holdfast_completion_free(completion);
        count++;
    }
    return count;
}

void loop_once(holdfast_client *client, int *turns)
{
    int before = *turns;
    CHECK_STATUS(HOLDFAST_OK, loop_turn(client, 5000, turns));
    CHECK(*turns > before);
}

holdfast_status loop_to_end(holdfast_client *client, uint64_t tag, int *turns)
{
    holdfast_completion *completion;
    holdfast_status status;
    int own = 0;
    do {
        loop_once(client, turns != NULL ? turns : &own);
        status = holdfast_client_next_completion(client, 0, &completion);
    } while (status == HOLDFAST_TIMEOUT);
    CHECK_STATUS(HOLDFAST_OK, status);
    CHECK(completion->tag == tag);
    status = completion->status;
    CHECK((status == HOLDFAST_OK) == (completion->error == NULL));
    holdfast_completion_free(completion);
    return status;
}

int loop_idle(holdfast_client *client, int64_t duration_ms)
{
    int turns = 0;
    int64_t until = hf_now_ms() + duration_ms;
    for (int64_t now; (now = hf_now_ms()) < until;)
        loop_turn(client, (int)(until - now), &turns);
    return turns;
}

void loop_say_nothing(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    fake_wait_for_close(peer);
}
