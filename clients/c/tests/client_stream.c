/* Streams of the client, and what the system does to it: fork, signals, dead sockets. */
#include "stage.h"

#include "wire.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCHES = 100 };

/* Sends batches as credit allows, then ends. */
static void stream_history(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return;
    CHECK(open->open->end);
    uint64_t stream = open->stream;
    fake_free(open);
    uint32_t credit = peer->engine->initial_credit;
    for (int i = 1; i <= BATCHES; i++) {
        while (credit == 0) {
            Holdfast__V1__Frame *frame = fake_read(peer);
            if (frame == NULL)
                return;
            if (frame->kind_case == HOLDFAST__V1__FRAME__KIND_CREDIT)
                credit += frame->credit->messages;
            fake_free(frame);
        }
        Holdfast__V1__HistoryEvent event = HOLDFAST__V1__HISTORY_EVENT__INIT;
        event.event_id = i;
        Holdfast__V1__HistoryEvent *events[] = {&event};
        Holdfast__V1__HistoryBatch batch = HOLDFAST__V1__HISTORY_BATCH__INIT;
        batch.events = events;
        batch.n_events = 1;
        fake_message(peer, stream, &batch.base);
        credit--;
    }
    Holdfast__V1__HistoryBatch nothing = HOLDFAST__V1__HISTORY_BATCH__INIT;
    fake_answer(peer, stream, &nothing.base);
    fake_wait_for_close(peer);
}

static void a_stream_gives_credit_as_it_is_read(void)
{
    uint32_t credits[] = {0, 4, 100};
    for (size_t round = 0; round < 3; round++) {
        fake_engine engine;
        fake_prepare(&engine, stream_history, NULL);
        engine.initial_credit = credits[round];
        fake_start(&engine);
        holdfast_client *client = stage_connect(&engine);
        holdfast_stream *stream = NULL;
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_client_open(client, "holdfast.v1.WorkflowService/GetHistory",
                                          (holdfast_bytes){0}, 0, &stream, NULL));
        holdfast_bytes message;
        for (int i = 1; i <= BATCHES; i++) {
            CHECK_STATUS(HOLDFAST_OK, holdfast_stream_next(stream, 5000, &message, NULL));
            Holdfast__V1__HistoryBatch *batch =
                holdfast__v1__history_batch__unpack(NULL, message.len, message.ptr);
            CHECK(batch->events[0]->event_id == i);
            holdfast__v1__history_batch__free_unpacked(batch, NULL);
        }
        CHECK_STATUS(HOLDFAST_CLOSED, holdfast_stream_next(stream, 5000, &message, NULL));
        CHECK_STATUS(HOLDFAST_CLOSED, holdfast_stream_next(stream, 0, &message, NULL));
        holdfast_stream_close(stream);
        holdfast_client_close(client);
        fake_stop(&engine);
    }
}

static void die_in_a_stream(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return;
    Holdfast__V1__HistoryBatch batch = HOLDFAST__V1__HISTORY_BATCH__INIT;
    fake_message(peer, open->stream, &batch.base);
    fake_free(open);
}

static void a_stream_tells_a_lost_connection(void)
{
    fake_engine engine;
    fake_prepare(&engine, die_in_a_stream, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_stream *stream = NULL;
    holdfast_bytes message;
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, "holdfast.v1.WorkflowService/GetHistory",
                                                   (holdfast_bytes){0}, 0, &stream, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_stream_next(stream, 5000, &message, NULL));
    CHECK_STATUS(HOLDFAST_DISCONNECTED, holdfast_stream_next(stream, 5000, &message, &error));
    holdfast_error_free(error);
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void a_child_cannot_use_the_handle(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options options = stage_start_options("a");
    pid_t child = fork();
    if (child == 0) {
        holdfast_status status = holdfast_start_workflow(client, &options, NULL, NULL);
        holdfast_client_close(client);
        _exit(status == HOLDFAST_FORKED ? 0 : 1);
    }
    int result;
    CHECK(waitpid(child, &result, 0) == child && WIFEXITED(result) && WEXITSTATUS(result) == 0);
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    CHECK(atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static atomic_bool storm_over;

static void ignore_signal(int number)
{
    (void)number;
}

static void *storm(void *argument)
{
    pthread_t target = *(pthread_t *)argument;
    while (!atomic_load(&storm_over)) {
        pthread_kill(target, SIGUSR1);
        usleep(50);
    }
    return NULL;
}

static void interrupted_system_calls_go_on(void)
{
    struct sigaction action = {.sa_handler = ignore_signal}; /* no SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    pthread_t self = pthread_self(), thread;
    atomic_store(&storm_over, false);
    CHECK(pthread_create(&thread, NULL, storm, &self) == 0);
    holdfast_client *client = stage_connect(&engine);
    for (int i = 0; i < 1000; i++) {
        holdfast_start_options options = stage_start_options("a");
        CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    }
    atomic_store(&storm_over, true);
    pthread_join(thread, NULL);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void close_between_calls(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open != NULL)
        stage_answer_start(peer, open);
    fake_free(open);
}

static void a_dead_socket_raises_no_signal(void)
{
    /* The default action of SIGPIPE ends the process, and the test with it. */
    signal(SIGPIPE, SIG_DFL);
    fake_engine engine;
    fake_prepare(&engine, close_between_calls, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    for (int i = 0; i < 20; i++) {
        holdfast_start_options options = stage_start_options("a");
        CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
        usleep(2000);
    }
    CHECK(atomic_load(&engine.connections) >= 20);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Messages of 4 MiB, more than the client may keep; then answers the call that reads meanwhile. */
static void send_without_end(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    fake_free(fake_next_open(peer));
    uint64_t history = peer->stream;
    fake_free(fake_next_open(peer));
    const size_t size = 4 * 1024 * 1024 - 64;
    void *zeros = calloc(1, size);
    hf_buffer batch = {0}, message = {0}, frame = {0};
    CHECK(zeros != NULL && hf_put_bytes(&batch, 100, (holdfast_bytes){zeros, size}));
    CHECK(hf_put_bytes(&message, 1, hf_buffer_view(&batch)));
    CHECK(hf_put_number(&frame, 1, history) && hf_put_bytes(&frame, 6, hf_buffer_view(&message)));
    size_t length = hf_buffer_length(&frame);
    const uint8_t head[] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                            (uint8_t)(length >> 8), (uint8_t)length};
    for (int i = 0; i < 40; i++) {
        fake_write_bytes(peer, head, sizeof head);
        fake_write_bytes(peer, frame.data, length);
    }
    Holdfast__V1__Frame *cancel = fake_read(peer);
    while (cancel != NULL && cancel->kind_case != HOLDFAST__V1__FRAME__KIND_CANCEL) {
        fake_free(cancel);
        cancel = fake_read(peer);
    }
    CHECK(cancel != NULL && cancel->stream == history);
    fake_free(cancel);
    Holdfast__V1__HealthResponse healthy = HOLDFAST__V1__HEALTH_RESPONSE__INIT;
    fake_answer(peer, peer->stream, &healthy.base);
    fake_wait_for_close(peer);
    hf_buffer_free(&batch);
    hf_buffer_free(&message);
    hf_buffer_free(&frame);
    free(zeros);
}

static void what_waits_for_its_reader_has_a_limit(void)
{
    fake_engine engine;
    fake_prepare(&engine, send_without_end, NULL);
    engine.initial_credit = 1000000;
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_stream *stream;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, "holdfast.v1.WorkflowService/GetHistory",
                                                   (holdfast_bytes){0}, 0, &stream, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_health(client, 30000, NULL, NULL));
    holdfast_bytes message;
    holdfast_status status;
    int messages = 0;
    while ((status = holdfast_stream_next(stream, 0, &message, NULL)) == HOLDFAST_OK)
        messages++;
    CHECK_STATUS(HOLDFAST_RESOURCE_EXHAUSTED, status);
    CHECK(messages == 32);
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Sends each message back, one more than credit would allow, and ends after an empty one. */
static void give_back(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *frame = fake_next_open(peer);
    if (frame == NULL)
        return;
    CHECK(!frame->open->end);
    uint64_t stream = frame->stream;
    CHECK(frame->open->message.len > 0);
    while (frame != NULL) {
        bool done =
            frame->kind_case == HOLDFAST__V1__FRAME__KIND_MESSAGE && frame->message->body.len == 0;
        CHECK(done || frame->stream == stream);
        fake_free(frame);
        if (done)
            break;
        Holdfast__V1__ReplayResponse response = HOLDFAST__V1__REPLAY_RESPONSE__INIT;
        Holdfast__V1__HistoryWanted wanted = HOLDFAST__V1__HISTORY_WANTED__INIT;
        response.kind_case = HOLDFAST__V1__REPLAY_RESPONSE__KIND_HISTORY_WANTED;
        response.history_wanted = &wanted;
        fake_message(peer, stream, &response.base);
        frame = fake_read(peer);
    }
    Holdfast__V1__ReplayResponse nothing = HOLDFAST__V1__REPLAY_RESPONSE__INIT;
    fake_answer(peer, stream, &nothing.base);
    fake_wait_for_close(peer);
}

static void both_sides_of_a_two_way_stream_send(void)
{
    fake_engine engine;
    fake_prepare(&engine, give_back, NULL);
    engine.initial_credit = 2;
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_bytes first = {"\x0a\x00", 2}, message;
    holdfast_stream *stream = NULL;
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_client_open_two_way(client, "holdfast.v1.WorkerService/Replay", first, 0,
                                              &stream, NULL));
    for (int i = 0; i < 10; i++) {
        CHECK_STATUS(HOLDFAST_OK, holdfast_stream_next(stream, 5000, &message, NULL));
        CHECK(message.len == 2);
        CHECK_STATUS(HOLDFAST_OK, holdfast_stream_send(stream, first, false, NULL));
    }
    CHECK_STATUS(HOLDFAST_OK, holdfast_stream_next(stream, 5000, &message, NULL));
    holdfast_bytes none = {0};
    CHECK_STATUS(HOLDFAST_OK, holdfast_stream_send(stream, none, false, NULL));
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_stream_next(stream, 5000, &message, NULL));
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_stream_send(stream, first, false, NULL));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_stream_send(NULL, first, false, NULL));
    holdfast_stream_close(stream);
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, "holdfast.v1.WorkflowService/GetHistory",
                                                   none, 0, &stream, NULL));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_stream_send(stream, first, false, NULL));
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    fake_stop(&engine);
}

const test_case stream_tests[] = {
    {"both_sides_of_a_two_way_stream_send", both_sides_of_a_two_way_stream_send, false},
    {"a_stream_gives_credit_as_it_is_read", a_stream_gives_credit_as_it_is_read, false},
    {"a_stream_tells_a_lost_connection", a_stream_tells_a_lost_connection, false},
    {"what_waits_for_its_reader_has_a_limit", what_waits_for_its_reader_has_a_limit, false},
    {"a_child_cannot_use_the_handle", a_child_cannot_use_the_handle, true},
    {"interrupted_system_calls_go_on", interrupted_system_calls_go_on, false},
    {"a_dead_socket_raises_no_signal", a_dead_socket_raises_no_signal, false},
    {0},
};
