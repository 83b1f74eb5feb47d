/* A client in the caller's own loop. */
#include "client.h"
#include "loop.h"
#include "wire.h"

#include <unistd.h>

static void a_call_and_an_idle_client(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    int fd = holdfast_client_fd(client), turns = 0;
    CHECK(fd >= 0 && holdfast_client_timeout_ms(client) == 0);
    loop_submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, &turns));
    CHECK(turns < 10);
    CHECK(loop_idle(client, 200) < 5);
    loop_submit_start(client, 2);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 2, NULL));
    CHECK(holdfast_client_fd(client) == fd && atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void what_is_not_a_client_has_no_loop(void)
{
    CHECK(holdfast_client_fd(NULL) == -1 && holdfast_client_timeout_ms(NULL) == -1);
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_client_process(NULL, &error));
    holdfast_error_free(error);
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_client_create(NULL, NULL, NULL));
    holdfast_client_options options = {.struct_size = 4};
    holdfast_client *client = (void *)1;
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_client_create(&options, &client, &error));
    CHECK(client == NULL && string_is(error->field, "struct_size"));
    holdfast_error_free(error);
    options = (holdfast_client_options){.struct_size = sizeof options,
                                        .name_space = HOLDFAST_STR("\xff")};
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_client_create(&options, &client, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(NULL, &client, NULL));
    holdfast_client_close(client);
}

static void a_blocking_call_connects_a_created_client(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    holdfast_client *client = stage_create(&engine);
    holdfast_start_options options = stage_start_options("a");
    options.timeout_ms = 30;
    CHECK_STATUS(HOLDFAST_DISCONNECTED, holdfast_start_workflow(client, &options, NULL, NULL));
    fake_start(&engine);
    options.timeout_ms = 0;
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void many_calls_with_few_streams(void)
{
    enum { CALLS = 3000 };
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    engine.streams_max = 20;
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    uint64_t submitted = 0;
    int done = 0, turns = 0;
    while (done < CALLS) {
        for (int i = 0; i < 100 && submitted < CALLS; i++)
            loop_submit_start(client, submitted++);
        loop_once(client, &turns);
        done += loop_take_starts(client);
    }
    CHECK(done == CALLS && atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Connections that come and go ------------------------------------------------------------- */

/* Each connection answers a few, asks for a repetition of one, and dies with the rest. */
static void answer_some_and_die(fake_peer *peer, void *context)
{
    (void)context;
    if (!fake_handshake(peer))
        return;
    for (int i = 0; i < 8; i++) {
        Holdfast__V1__Frame *open = fake_next_open(peer);
        if (open == NULL)
            return;
        if (i == 3)
            fake_refuse(peer, open->stream, HOLDFAST_RESOURCE_EXHAUSTED,
                        HOLDFAST__V1__REASON__REASON_OVERLOADED, 5);
        else if (i < 6)
            stage_answer_start(peer, open);
        fake_free(open);
    }
}

static void calls_survive_lost_connections_in_a_loop(void)
{
    enum { CALLS = 60 };
    fake_engine engine;
    fake_prepare(&engine, answer_some_and_die, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    int fd = holdfast_client_fd(client), done = 0, turns = 0;
    for (uint64_t tag = 0; tag < CALLS; tag++)
        loop_submit_start(client, tag);
    while (done < CALLS) {
        loop_once(client, &turns);
        done += loop_take_starts(client);
    }
    CHECK(atomic_load(&engine.connections) > 5 && holdfast_client_fd(client) == fd);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void a_missing_engine_is_looked_for_with_backoff(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    holdfast_client_options options = stage_client_options(&engine);
    options.reconnect = (holdfast_reconnect_policy){.initial_ms = 20, .max_ms = 80};
    holdfast_client *client;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(&options, &client, NULL));
    loop_submit_start(client, 1);
    /* 10 + 20 + 40 + 40 + … ms at least between two tries, and one for the call. */
    int turns = loop_idle(client, 400);
    CHECK(turns >= 4 && turns < 16);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void what_does_not_go_away_is_told_to_the_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, loop_say_nothing, NULL);
    holdfast_client_options options = stage_client_options(&engine);
    options.reconnect.never = true;
    holdfast_client *client;
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(&options, &client, NULL));
    loop_submit_health(client, -1, 1);
    CHECK_STATUS(HOLDFAST_DISCONNECTED, holdfast_client_process(client, &error));
    CHECK(strstr(error->message.ptr, engine.path) != NULL);
    holdfast_error_free(error);
    CHECK(holdfast_client_timeout_ms(client) == -1);
    holdfast_completion *completion;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 0, &completion));
    CHECK(completion->tag == 1 && completion->status == HOLDFAST_DISCONNECTED);
    holdfast_completion_free(completion);
    holdfast_client_close(client);
    fake_start(&engine);
    options = stage_client_options(&engine);
    options.require_server_uid = true;
    options.server_uid = getuid() + 1;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(&options, &client, NULL));
    CHECK_STATUS(HOLDFAST_PERMISSION_DENIED, holdfast_client_process(client, NULL));
    CHECK(holdfast_client_timeout_ms(client) > 0);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Time ------------------------------------------------------------------------------------- */

static void deadlines_pass_in_a_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, loop_say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    while (loop_idle(client, 20) > 0)
        ;
    /* Without a timeout nothing is due but a ping; a shorter one must be heard of. */
    loop_submit_health(client, -1, 1);
    CHECK(holdfast_client_timeout_ms(client) > 1000);
    int turns = 0;
    int64_t before = hf_now_ms();
    loop_submit_health(client, 50, 2);
    CHECK_STATUS(HOLDFAST_TIMEOUT, loop_to_end(client, 2, &turns));
    CHECK(hf_now_ms() - before >= 50 && hf_now_ms() - before < 5000 && turns < 10);
    /* A stream that nobody waits for. */
    holdfast_stream *stream;
    holdfast_bytes message;
    turns = 0;
    before = hf_now_ms();
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, loop_history_method, (holdfast_bytes){0},
                                                   50, &stream, NULL));
    while (hf_now_ms() - before < 50 + HF_DEADLINE_SLACK_MS)
        loop_once(client, &turns);
    CHECK(client->sent.count == 1); /* the other call */
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_stream_next(stream, 0, &message, &error));
    CHECK(strstr(error->message.ptr, "no answer in time") != NULL && turns < 10);
    holdfast_error_free(error);
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Streams ---------------------------------------------------------------------------------- */

enum { BATCHES = 100 };

/* Messages as credit allows, an end, and another stream that dies under way. */
static void stream_and_die(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *frame = fake_next_open(peer);
    if (frame == NULL)
        return;
    fake_free(frame);
    uint64_t stream = peer->stream;
    uint32_t credit = peer->engine->initial_credit;
    Holdfast__V1__HistoryBatch batch = HOLDFAST__V1__HISTORY_BATCH__INIT;
    for (int i = 0; i < BATCHES; i++) {
        while (credit == 0 && (frame = fake_read(peer)) != NULL) {
            if (frame->kind_case == HOLDFAST__V1__FRAME__KIND_CREDIT)
                credit += frame->credit->messages;
            fake_free(frame);
        }
        fake_message(peer, stream, &batch.base);
        credit--;
    }
    fake_answer(peer, stream, &batch.base);
    fake_free(fake_next_open(peer));
    fake_message(peer, peer->stream, &batch.base);
}

/* Loops until the stream has ended; how many messages came. */
static int read_stream(holdfast_client *client, holdfast_status expected)
{
    holdfast_stream *stream;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, loop_history_method, (holdfast_bytes){0},
                                                   0, &stream, NULL));
    int count = 0, turns = 0;
    for (;;) {
        holdfast_bytes message;
        holdfast_status status = holdfast_stream_next(stream, 0, &message, NULL);
        if (status == HOLDFAST_OK) {
            count++;
        } else if (status == HOLDFAST_TIMEOUT) {
            loop_once(client, &turns);
        } else {
            CHECK_STATUS(expected, status);
            break;
        }
    }
    holdfast_stream_close(stream);
    return count;
}

static void streams_are_read_in_a_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, stream_and_die, NULL);
    engine.initial_credit = 4;
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    CHECK(read_stream(client, HOLDFAST_CLOSED) == BATCHES);
    CHECK(read_stream(client, HOLDFAST_DISCONNECTED) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Takes nothing from its socket for a while. */
static void read_late(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    usleep(150000);
    Holdfast__V1__Frame *open;
    while ((open = fake_next_open(peer)) != NULL) {
        Holdfast__V1__HealthResponse healthy = HOLDFAST__V1__HEALTH_RESPONSE__INIT;
        fake_answer(peer, open->stream, &healthy.base);
        fake_free(open);
    }
}

static void a_full_socket_is_waited_for(void)
{
    enum { CALLS = 4, SIZE = 2000000 };
    fake_engine engine;
    fake_prepare(&engine, read_late, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    void *zeros = calloc(1, SIZE);
    hf_buffer request = {0};
    CHECK(zeros != NULL && hf_put_bytes(&request, 100, (holdfast_bytes){zeros, SIZE}));
    for (uint64_t tag = 0; tag < CALLS; tag++)
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, loop_health_method,
                                                         hf_buffer_view(&request), 0, tag, NULL));
    CHECK(loop_idle(client, 100) < 20); /* the socket is full, which is no reason to be called */
    for (uint64_t tag = 0; tag < CALLS; tag++)
        CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, tag, NULL));
    CHECK(loop_idle(client, 50) < 5);
    hf_buffer_free(&request);
    free(zeros);
    holdfast_client_close(client);
    fake_stop(&engine);
}

const test_case loop_tests[] = {
    {"a_call_and_an_idle_client", a_call_and_an_idle_client, false},
    {"what_is_not_a_client_has_no_loop", what_is_not_a_client_has_no_loop, false},
    {"a_blocking_call_connects_a_created_client", a_blocking_call_connects_a_created_client, false},
    {"many_calls_with_few_streams", many_calls_with_few_streams, false},
    {"calls_survive_lost_connections_in_a_loop", calls_survive_lost_connections_in_a_loop, false},
    {"a_missing_engine_is_looked_for_with_backoff", a_missing_engine_is_looked_for_with_backoff,
     false},
    {"what_does_not_go_away_is_told_to_the_loop", what_does_not_go_away_is_told_to_the_loop, false},
    {"deadlines_pass_in_a_loop", deadlines_pass_in_a_loop, false},
    {"streams_are_read_in_a_loop", streams_are_read_in_a_loop, false},
    {"a_full_socket_is_waited_for", a_full_socket_is_waited_for, false},
    {0},
};
