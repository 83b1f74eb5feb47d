/* A client in the caller's own loop, beside other threads and processes, and how it ends. */
#include "client.h"
#include "loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
        loop_submit_health(self->client, 50, 7);
    else if (self->act == CANCEL)
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(self->client, 1));
    else
        holdfast_client_shutdown(self->client);
    return NULL;
}

static void other_threads_wake_the_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, loop_say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    loop_submit_health(client, -1, 1);
    while (loop_idle(client, 20) > 0)
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
    loop_submit_health(client, -1, 2);
    while (loop_idle(client, 20) > 0)
        ;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(client, 2));
    struct pollfd slot = {.fd = holdfast_client_fd(client), .events = POLLIN};
    CHECK(poll(&slot, 1, 0) == 1);
    CHECK_STATUS(HOLDFAST_CANCELLED, loop_to_end(client, 2, NULL));
    self.act = SHUT_DOWN;
    CHECK(pthread_create(&thread, NULL, act_later, &self) == 0);
    holdfast_status status;
    while ((status = loop_turn(client, 10000, NULL)) == HOLDFAST_OK)
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
    int turns = 0;
    for (int done = 0; done < CALLS;) {
        for (int i = 0; i < 5 && submitted < CALLS; i++)
            loop_submit_start(client, submitted++);
        loop_once(client, &turns);
        done += loop_take_starts(client);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(loop_idle(client, 100) < 8 && atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Answers starts and streams at once, and health when the test says so. */
static atomic_bool answer_now, health_came;

static void hold_health(fake_peer *peer, void *context)
{
    (void)context;
    Holdfast__V1__Frame *open;
    uint64_t health = 0;
    fake_handshake(peer);
    while ((open = fake_next_open(peer)) != NULL) {
        Holdfast__V1__HistoryBatch batch = HOLDFAST__V1__HISTORY_BATCH__INIT;
        if (strcmp(open->open->method, loop_start_method) == 0)
            stage_answer_start(peer, open);
        else if (strcmp(open->open->method, loop_history_method) == 0)
            fake_message(peer, open->stream, &batch.base);
        else if (health == 0)
            health = open->stream;
        atomic_store(&health_came, health != 0);
        fake_free(open);
        if (atomic_load(&answer_now)) {
            Holdfast__V1__HealthResponse healthy = HOLDFAST__V1__HEALTH_RESPONSE__INIT;
            fake_answer(peer, health, &healthy.base);
        }
    }
}

static void *ask_health(void *client)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_health(client, 30000, NULL, NULL));
    return NULL;
}

static void *ask_in_vain(void *client)
{
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_health(client, 100, NULL, NULL));
    return NULL;
}

/* A client in a loop, and a thread that reads for it as long as its call takes. */
static holdfast_client *begin_reading(fake_engine *engine, pthread_t *thread, void *(*ask)(void *))
{
    fake_prepare(engine, hold_health, NULL);
    fake_start(engine);
    atomic_store(&answer_now, false);
    atomic_store(&health_came, false);
    holdfast_client *client = stage_create(engine);
    loop_submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    CHECK(pthread_create(thread, NULL, ask, client) == 0);
    while (!atomic_load(&health_came))
        usleep(1000);
    return client;
}

/* The script looks at `answer_now` after each request. */
static void end_reading(holdfast_client *client, pthread_t thread, uint64_t tag)
{
    atomic_store(&answer_now, true);
    loop_submit_start(client, tag);
    pthread_join(thread, NULL);
}

static void a_thread_that_reads_tells_the_loop(void)
{
    fake_engine engine;
    pthread_t thread;
    holdfast_client *client = begin_reading(&engine, &thread, ask_health);
    CHECK(loop_idle(client, 100) < 5 && holdfast_client_timeout_ms(client) == -1);
    /* It watches the deadlines of others. */
    loop_submit_health(client, 50, 2);
    CHECK_STATUS(HOLDFAST_TIMEOUT, loop_to_end(client, 2, NULL));
    loop_submit_start(client, 3);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 3, NULL));
    holdfast_stream *stream;
    holdfast_bytes message;
    int turns = 0;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, loop_history_method, (holdfast_bytes){0},
                                                   0, &stream, NULL));
    do
        loop_once(client, &turns);
    while (holdfast_stream_next(stream, 0, &message, NULL) == HOLDFAST_TIMEOUT);
    holdfast_stream_close(stream);
    end_reading(client, thread, 4);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 4, NULL));
    /* Now the loop reads again. */
    loop_submit_start(client, 5);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 5, NULL));
    CHECK(loop_idle(client, 100) < 5);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void a_thread_that_leaves_hands_back_to_the_loop(void)
{
    fake_engine engine;
    pthread_t thread;
    holdfast_client *client = begin_reading(&engine, &thread, ask_in_vain);
    CHECK(loop_idle(client, 50) < 5 && holdfast_client_timeout_ms(client) == -1);
    /* Nothing comes in, but the loop must hear that pings are its own again. */
    int turns = 0;
    loop_once(client, &turns);
    pthread_join(thread, NULL);
    CHECK(holdfast_client_timeout_ms(client) > 0);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void linger(int number)
{
    (void)number;
    usleep(150000);
}

/* What has come for a thread that does not get on is no reason for the loop to come again and
 * again. */
static void a_slow_thread_does_not_keep_the_loop_busy(void)
{
    struct sigaction action = {.sa_handler = linger};
    sigaction(SIGUSR1, &action, NULL);
    fake_engine engine;
    pthread_t thread;
    holdfast_client *client = begin_reading(&engine, &thread, ask_health);
    loop_idle(client, 50);
    pthread_kill(thread, SIGUSR1);
    usleep(20000);
    atomic_store(&answer_now, true);
    loop_submit_start(client, 2);
    CHECK(loop_idle(client, 100) < 5);
    pthread_join(thread, NULL);
    signal(SIGUSR1, SIG_DFL);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* --- Ends ------------------------------------------------------------------------------------- */

static void a_client_is_closed_with_calls_in_flight(void)
{
    fake_engine engine;
    fake_prepare(&engine, loop_say_nothing, NULL);
    for (int round = 0; round < 3; round++) {
        if (round == 1)
            fake_start(&engine);
        holdfast_client *client = stage_create(&engine);
        for (uint64_t tag = 0; tag < 10; tag++)
            loop_submit_health(client, -1, tag);
        loop_idle(client, 20 * round);
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(client, 3));
        holdfast_client_close(client);
    }
    fake_stop(&engine);
}

static void completions_are_there_after_a_shutdown(void)
{
    fake_engine engine;
    fake_prepare(&engine, loop_say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    loop_submit_health(client, -1, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_turn(client, 10000, NULL));
    holdfast_client_shutdown(client);
    CHECK_STATUS(HOLDFAST_CLOSED, loop_turn(client, 10000, NULL));
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
        CHECK_STATUS(HOLDFAST_OK, loop_turn(client, 20, NULL));
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not come to kill it */
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
    loop_submit_start(client, 1);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 1, NULL));
    while (atomic_load(&engine.connections) < 2)
        CHECK_STATUS(HOLDFAST_OK, loop_turn(client, 20, NULL));
    CHECK(loop_idle(client, 100) < 8);
    loop_submit_start(client, 2);
    CHECK_STATUS(HOLDFAST_OK, loop_to_end(client, 2, NULL));
    int result;
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &result, 0) == child);
    CHECK(WIFSIGNALED(result));
    holdfast_client_close(client);
    fake_stop(&engine);
}

const test_case loop_end_tests[] = {
    {"other_threads_wake_the_loop", other_threads_wake_the_loop, false},
    {"a_loop_beside_threads_that_block", a_loop_beside_threads_that_block, false},
    {"a_thread_that_reads_tells_the_loop", a_thread_that_reads_tells_the_loop, false},
    {"a_thread_that_leaves_hands_back_to_the_loop", a_thread_that_leaves_hands_back_to_the_loop,
     false},
    {"a_slow_thread_does_not_keep_the_loop_busy", a_slow_thread_does_not_keep_the_loop_busy, false},
    {"a_client_is_closed_with_calls_in_flight", a_client_is_closed_with_calls_in_flight, false},
    {"completions_are_there_after_a_shutdown", completions_are_there_after_a_shutdown, false},
    {"a_child_has_no_loop_and_disturbs_none", a_child_has_no_loop_and_disturbs_none, true},
    {0},
};
