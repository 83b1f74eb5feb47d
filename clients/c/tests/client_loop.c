/* A client in the caller's own loop. */
#include "client.h"
#include "stage.h"
#include "wire.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char start_method[] = "holdfast.v1.WorkflowService/StartWorkflow";
static const char health_method[] = "holdfast.v1.OperatorService/Health";
static const char history_method[] = "holdfast.v1.WorkflowService/GetHistory";

/* Starts the workflow whose id is the tag. */
static void submit_start(holdfast_client *client, uint64_t tag)
{
    char request[16];
    int length = snprintf(request, sizeof request, "\x12\x05%05d", (int)tag);
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, start_method,
                                                     (holdfast_bytes){request, (size_t)length},
                                                     20000, tag, NULL));
}

static void submit_health(holdfast_client *client, int64_t timeout_ms, uint64_t tag)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, health_method, (holdfast_bytes){0},
                                                     timeout_ms, tag, NULL));
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

/* Takes every completion that is there; returns how many. */
static int take_starts(holdfast_client *client)
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

/* Loops until a submitted call ends; its status. */
static holdfast_status loop_to_end(holdfast_client *client, uint64_t tag, int *turns)
{
    holdfast_completion *completion;
    holdfast_status status;
    while ((status = holdfast_client_next_completion(client, 0, &completion)) == HOLDFAST_TIMEOUT)
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, turns));
    CHECK_STATUS(HOLDFAST_OK, status);
    CHECK(completion->tag == tag);
    status = completion->status;
    CHECK((status == HOLDFAST_OK) == (completion->error == NULL));
    holdfast_completion_free(completion);
    return status;
}

/* Loops for so long with nothing to do; how often there was something all the same. */
static int idle_turns(holdfast_client *client, int64_t duration_ms)
{
    int turns = 0;
    int64_t until = hf_now_ms() + duration_ms;
    for (int64_t now; (now = hf_now_ms()) < until;)
        stage_loop(client, (int)(until - now), &turns);
    return turns;
}

static void a_call_and_an_idle_client(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    int fd = holdfast_client_fd(client), turns = 0;
    CHECK(fd >= 0 && holdfast_client_timeout_ms(client) == 0);
    submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, &turns));
    CHECK(turns < 10);
    CHECK(idle_turns(client, 200) < 5);
    submit_start(client, 2);
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
    int done = 0;
    while (done < CALLS) {
        for (int i = 0; i < 100 && submitted < CALLS; i++)
            submit_start(client, submitted++);
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, NULL));
        done += take_starts(client);
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
    int fd = holdfast_client_fd(client), done = 0;
    for (uint64_t tag = 0; tag < CALLS; tag++)
        submit_start(client, tag);
    while (done < CALLS) {
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, NULL));
        done += take_starts(client);
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
    submit_start(client, 1);
    /* 10 + 20 + 40 + 40 + … ms at least between two tries, and one for the call. */
    int turns = idle_turns(client, 400);
    CHECK(turns >= 4 && turns < 16);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void say_nothing(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    fake_wait_for_close(peer);
}

static void what_does_not_go_away_is_told_to_the_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    holdfast_client_options options = stage_client_options(&engine);
    options.reconnect.never = true;
    holdfast_client *client;
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(&options, &client, NULL));
    submit_health(client, -1, 1);
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
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    while (idle_turns(client, 20) > 0)
        ;
    /* Without a timeout nothing is due but a ping; a shorter one must be heard of. */
    submit_health(client, -1, 1);
    CHECK(holdfast_client_timeout_ms(client) > 1000);
    int turns = 0;
    int64_t before = hf_now_ms();
    submit_health(client, 50, 2);
    CHECK_STATUS(HOLDFAST_TIMEOUT, loop_to_end(client, 2, &turns));
    CHECK(hf_now_ms() - before >= 50 && hf_now_ms() - before < 5000 && turns < 10);
    /* A stream that nobody waits for. */
    holdfast_stream *stream;
    holdfast_bytes message;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, history_method, (holdfast_bytes){0}, 50,
                                                   &stream, NULL));
    holdfast_status status;
    turns = 0;
    before = hf_now_ms();
    while ((status = holdfast_stream_next(stream, 0, &message, NULL)) == HOLDFAST_TIMEOUT &&
           hf_now_ms() - before < 50)
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, &turns));
    CHECK_STATUS(HOLDFAST_TIMEOUT, status);
    CHECK(hf_now_ms() - before < 5000 && turns < 10);
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
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, history_method, (holdfast_bytes){0}, 0,
                                                   &stream, NULL));
    int count = 0;
    for (;;) {
        holdfast_bytes message;
        holdfast_status status = holdfast_stream_next(stream, 0, &message, NULL);
        if (status == HOLDFAST_OK) {
            count++;
        } else if (status == HOLDFAST_TIMEOUT) {
            CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, NULL));
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
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, health_method,
                                                         hf_buffer_view(&request), 0, tag, NULL));
    CHECK(idle_turns(client, 100) < 20); /* the socket is full, which is no reason to be called */
    for (uint64_t tag = 0; tag < CALLS; tag++)
        CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, tag, NULL));
    CHECK(idle_turns(client, 50) < 5);
    hf_buffer_free(&request);
    free(zeros);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Other threads ---------------------------------------------------------------------------- */

typedef enum act { SUBMIT, CANCEL, SHUT_DOWN } act;

typedef struct other {
    holdfast_client *client;
    act act;
} other;

static void *act_later(void *argument)
{
    other *self = argument;
    usleep(30000); /* so that the loop sleeps; if it does not yet, the test still holds */
    if (self->act == SUBMIT)
        submit_health(self->client, 50, 7);
    else if (self->act == CANCEL)
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(self->client, 1));
    else
        holdfast_client_shutdown(self->client);
    return NULL;
}

static void other_threads_wake_the_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    submit_health(client, -1, 1);
    while (idle_turns(client, 20) > 0)
        ;
    pthread_t thread;
    other self = {client, SUBMIT};
    CHECK(pthread_create(&thread, NULL, act_later, &self) == 0);
    CHECK_STATUS(HOLDFAST_TIMEOUT, loop_to_end(client, 7, NULL));
    pthread_join(thread, NULL);
    self.act = CANCEL;
    CHECK(pthread_create(&thread, NULL, act_later, &self) == 0);
    CHECK_STATUS(HOLDFAST_CANCELLED, loop_to_end(client, 1, NULL));
    pthread_join(thread, NULL);
    /* A cancelled call tells also the thread that has cancelled it. */
    submit_health(client, -1, 2);
    while (idle_turns(client, 20) > 0)
        ;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(client, 2));
    struct pollfd slot = {.fd = holdfast_client_fd(client), .events = POLLIN};
    CHECK(poll(&slot, 1, 0) == 1);
    CHECK_STATUS(HOLDFAST_CANCELLED, loop_to_end(client, 2, NULL));
    self.act = SHUT_DOWN;
    CHECK(pthread_create(&thread, NULL, act_later, &self) == 0);
    holdfast_status status;
    while ((status = stage_loop(client, 10000, NULL)) == HOLDFAST_OK)
        ;
    CHECK_STATUS(HOLDFAST_CLOSED, status);
    pthread_join(thread, NULL);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void *start_many(void *argument)
{
    for (int i = 0; i < 300; i++) {
        holdfast_start_options options = stage_start_options("a");
        CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(argument, &options, NULL, NULL));
    }
    return NULL;
}

static void a_loop_beside_threads_that_block(void)
{
    enum { CALLS = 600, THREADS = 3 };
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, start_many, client) == 0);
    uint64_t submitted = 0;
    for (int done = 0; done < CALLS;) {
        for (int i = 0; i < 5 && submitted < CALLS; i++)
            submit_start(client, submitted++);
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, NULL));
        done += take_starts(client);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(idle_turns(client, 100) < 8 && atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Answers starts; a call of another method gets its answer when the test says so. */
static atomic_bool answer_now, health_came;

static void hold_health(fake_peer *peer, void *context)
{
    (void)context;
    Holdfast__V1__Frame *open;
    fake_handshake(peer);
    while ((open = fake_next_open(peer)) != NULL) {
        if (strcmp(open->open->method, health_method) == 0) {
            atomic_store(&health_came, true);
        } else {
            stage_answer_start(peer, open);
        }
        if (strcmp(open->open->method, health_method) == 0 && open->open->timeout_ms > 0) {
            while (!atomic_load(&answer_now))
                usleep(1000);
            Holdfast__V1__HealthResponse healthy = HOLDFAST__V1__HEALTH_RESPONSE__INIT;
            fake_answer(peer, open->stream, &healthy.base);
        }
        fake_free(open);
    }
}

static void *ask_health(void *client)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_health(client, 30000, NULL, NULL));
    return NULL;
}

static void a_thread_that_reads_hands_back_to_the_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, hold_health, NULL);
    fake_start(&engine);
    atomic_store(&answer_now, false);
    atomic_store(&health_came, false);
    holdfast_client *client = stage_create(&engine);
    submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, ask_health, client) == 0);
    while (!atomic_load(&health_came))
        usleep(1000);
    /* The thread reads for all, and watches the deadlines: those of later calls too. */
    CHECK(idle_turns(client, 100) < 5);
    submit_health(client, 100, 2);
    CHECK_STATUS(HOLDFAST_TIMEOUT, loop_to_end(client, 2, NULL));
    submit_health(client, 300, 3);
    atomic_store(&answer_now, true);
    pthread_join(thread, NULL);
    holdfast_status status = loop_to_end(client, 3, NULL);
    CHECK(status == HOLDFAST_TIMEOUT || status == HOLDFAST_OK);
    submit_start(client, 4);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 4, NULL));
    CHECK(idle_turns(client, 100) < 5);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Ends ------------------------------------------------------------------------------------- */

static void a_client_is_closed_with_calls_in_flight(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    for (int round = 0; round < 3; round++) {
        if (round == 1)
            fake_start(&engine);
        holdfast_client *client = stage_create(&engine);
        for (uint64_t tag = 0; tag < 10; tag++)
            submit_health(client, -1, tag);
        idle_turns(client, 20 * round);
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(client, 3));
        holdfast_client_close(client);
    }
    fake_stop(&engine);
}

static void completions_are_there_after_a_shutdown(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    submit_health(client, -1, 1);
    CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 10000, NULL));
    holdfast_client_shutdown(client);
    CHECK_STATUS(HOLDFAST_CLOSED, stage_loop(client, 10000, NULL));
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_client_process(client, NULL));
    CHECK(holdfast_client_timeout_ms(client) == -1);
    holdfast_completion *completion;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 0, &completion));
    CHECK(completion->tag == 1 && completion->status == HOLDFAST_CLOSED);
    holdfast_completion_free(completion);
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_client_next_completion(client, 0, &completion));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void leave_after_a_start(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open != NULL)
        stage_answer_start(peer, open);
    fake_free(open);
    if (peer->number > 1)
        fake_wait_for_close(peer);
}

/* The child has a copy of the socket: what the parent closes stays open. The engine's end not. */
static void a_child_has_no_loop_and_disturbs_none(void)
{
    fake_engine engine;
    fake_prepare(&engine, leave_after_a_start, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    while (atomic_load(&engine.connections) == 0)
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 20, NULL));
    pid_t child = fork();
    if (child == 0) {
        bool right = holdfast_client_fd(client) == -1 && holdfast_client_timeout_ms(client) == -1 &&
                     holdfast_client_process(client, NULL) == HOLDFAST_FORKED;
        for (int fd = 3; fd < 1000; fd++) {
            if (fd != client->link.fd)
                close(fd);
        }
        if (right)
            pause();
        _exit(1);
    }
    submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    while (atomic_load(&engine.connections) < 2)
        CHECK_STATUS(HOLDFAST_OK, stage_loop(client, 20, NULL));
    CHECK(idle_turns(client, 100) < 8);
    submit_start(client, 2);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 2, NULL));
    int result;
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &result, 0) == child);
    CHECK(WIFSIGNALED(result));
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
    {"other_threads_wake_the_loop", other_threads_wake_the_loop, false},
    {"a_loop_beside_threads_that_block", a_loop_beside_threads_that_block, false},
    {"a_thread_that_reads_hands_back_to_the_loop", a_thread_that_reads_hands_back_to_the_loop,
     false},
    {"a_client_is_closed_with_calls_in_flight", a_client_is_closed_with_calls_in_flight, false},
    {"completions_are_there_after_a_shutdown", completions_are_there_after_a_shutdown, false},
    {"a_child_has_no_loop_and_disturbs_none", a_child_has_no_loop_and_disturbs_none, true},
    {0},
};
