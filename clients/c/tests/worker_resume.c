/* Lost connections, resumed leases, stops, the caller's own loop. */
#include "stage.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Reconnect and resume --------------------------------------------------------------------- */

static bool names(const Holdfast__V1__Attach *attach, const char *token)
{
    for (size_t i = 0; i < attach->n_held_leases; i++) {
        if (token_is(attach->held_leases[i], token))
            return true;
    }
    return false;
}

static void drop_and_resume(fake_peer *peer, void *context)
{
    static uint8_t resume_token[16];
    Holdfast__V1__WorkerMessage *message = fake_accept_worker(peer);
    if (peer->number == 1) {
        memcpy(resume_token, message->attach->resume_token.data, 16);
        fake_free_message(message);
        fake_attached(peer, NULL, 0);
        fake_send_activity(peer, "slow", "work", 0);
        fake_send_activity(peer, "lost", "work", 0);
        fake_send_activity(peer, "quick", "work", 0);
        stage_expect_end(peer, COMPLETED, "quick");
        return; /* the connection dies before anything is recorded */
    }
    CHECK(memcmp(resume_token, message->attach->resume_token.data, 16) == 0);
    CHECK(message->attach->n_held_leases == 3 && names(message->attach, "quick"));
    CHECK(names(message->attach, "slow") && names(message->attach, "lost"));
    fake_free_message(message);
    ProtobufCBinaryData lost = {4, (uint8_t *)"lost"};
    fake_attached(peer, &lost, 1);
    stage_expect_end(peer, COMPLETED, "quick"); /* sent again */
    fake_recorded(peer, "quick");
    /* 5 less the two that run (their attach came before the loss was known), then "lost" ends. */
    while (peer->activity_slots < 4) {
        fake_send_activity(peer, "quick", "work", 0);
        stage_expect_end(peer, COMPLETED, "quick");
        fake_recorded(peer, "quick");
    }
    atomic_store(&stage_release, true);
    stage_expect_end(peer, COMPLETED, "slow");
    fake_recorded(peer, "slow");
    stage_finish(peer, context);
}

static void leases_survive_a_lost_connection(void)
{
    atomic_store(&stage_release, false);
    stage_play(drop_and_resume, stage_slow, 1);
}

static void an_attempt_sent_twice_runs_once(void)
{
    atomic_store(&stage_release, false);
    stage_play(stage_two_activities, stage_slow, 1);
}

static void a_worker_waits_for_its_engine(void)
{
    fake_engine engine;
    stage scene = {0};
    fake_prepare(&engine, stage_two_activities, &scene);
    atomic_store(&stage_release, true);
    scene.worker = stage_worker(&engine);
    holdfast_worker_register_activity(scene.worker, "work", stage_slow, NULL);
    pthread_t runner;
    CHECK(pthread_create(&runner, NULL, stage_run, scene.worker) == 0);
    usleep(100000);
    CHECK(holdfast_worker_get_state(scene.worker) == HOLDFAST_WORKER_CONNECTING);
    holdfast_error *error = holdfast_worker_last_error(scene.worker);
    CHECK(error != NULL && error->code == HOLDFAST_DISCONNECTED);
    holdfast_error_free(error);
    fake_start(&engine);
    pthread_join(runner, NULL);
    holdfast_worker_free(scene.worker);
    fake_stop(&engine);
}

static void refuse_worker(fake_peer *peer, void *context)
{
    (void)context;
    fake_free_message(fake_accept_worker(peer));
    fake_refuse(peer, peer->stream, HOLDFAST_PERMISSION_DENIED,
                HOLDFAST__V1__REASON__REASON_PERMISSION, 0);
    fake_wait_for_close(peer);
}

static void a_refusal_for_good_ends_the_worker(void)
{
    fake_engine engine;
    fake_prepare(&engine, refuse_worker, NULL);
    fake_start(&engine);
    holdfast_worker *worker = stage_worker(&engine);
    holdfast_worker_register_activity(worker, "work", stage_slow, NULL);
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_PERMISSION_DENIED, holdfast_worker_run(worker, &error));
    CHECK(string_is(error->message, "refused by the script"));
    holdfast_error_free(error);
    CHECK(holdfast_worker_get_state(worker) == HOLDFAST_WORKER_CLOSED);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

/* --- Stopping --------------------------------------------------------------------------------- */

static atomic_bool begun;

static void begin_slowly(holdfast_activity *activity, void *user_data)
{
    atomic_store(&begun, true);
    stage_slow(activity, user_data);
}

static void stop_with_work_out(fake_peer *peer, void *context)
{
    stage *scene = context;
    stage_attach(peer);
    fake_send_activity(peer, "slow", "work", 0);
    /* Work that no function has begun would be left at the second stop. */
    while (!atomic_exchange(&begun, false))
        usleep(1000);
    holdfast_worker_stop(scene->worker);
    fake_free_message(stage_expect(peer, DETACH));
    holdfast_worker_stop(scene->worker); /* the second ends the grace */
    stage_expect_end(peer, COMPLETED, "slow");
    usleep(20000);
    fake_recorded(peer, "slow");
    fake_wait_for_close(peer);
}

static void a_stop_waits_for_what_is_out(void)
{
    atomic_store(&stage_release, false);
    stage_play(stop_with_work_out, begin_slowly, 3);
}

/* --- The caller's loop ------------------------------------------------------------------------ */

static void three_for_the_loop(fake_peer *peer, void *context)
{
    stage_attach(peer);
    for (int i = 0; i < 3; i++) {
        fake_send_activity(peer, "quick", "work", 0);
        stage_expect_end(peer, COMPLETED, "quick");
        fake_recorded(peer, "quick");
    }
    stage_finish(peer, context);
}

static void a_loop_of_the_callers_own(void)
{
    fake_engine engine;
    stage scene = {0};
    fake_prepare(&engine, three_for_the_loop, &scene);
    scene.worker = stage_worker(&engine);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_register_activity(scene.worker, "work", stage_slow, NULL));
    fake_start(&engine);
    int fd = holdfast_worker_fd(scene.worker);
    holdfast_status status = HOLDFAST_OK;
    int turns = 0;
    while (status == HOLDFAST_OK) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        poll(&wait, 1, (int)holdfast_worker_timeout_ms(scene.worker));
        status = holdfast_worker_process(scene.worker, NULL);
        turns++;
    }
    CHECK_STATUS(HOLDFAST_CLOSED, status);
    CHECK(turns < 60); /* no busy waiting */
    holdfast_worker_free(scene.worker);
    fake_stop(&engine);
}

static void a_child_cannot_use_the_worker(void)
{
    fake_engine engine;
    stage scene = {0};
    fake_prepare(&engine, stage_two_activities, &scene);
    fake_start(&engine);
    atomic_store(&stage_release, true);
    scene.worker = stage_worker(&engine);
    holdfast_worker_register_activity(scene.worker, "work", stage_slow, NULL);
    pid_t child = fork();
    if (child == 0) {
        holdfast_task *task;
        bool right = holdfast_worker_run(scene.worker, NULL) == HOLDFAST_FORKED &&
                     holdfast_worker_next_task(scene.worker, 0, &task, NULL) == HOLDFAST_FORKED &&
                     holdfast_worker_fd(scene.worker) == -1;
        holdfast_worker_free(scene.worker);
        _exit(right ? 0 : 1);
    }
    int result;
    CHECK(waitpid(child, &result, 0) == child && WIFEXITED(result) && WEXITSTATUS(result) == 0);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(scene.worker, NULL));
    holdfast_worker_free(scene.worker);
    fake_stop(&engine);
}

static holdfast_worker *to_stop;

static void stop_it(int number)
{
    (void)number;
    holdfast_worker_stop(to_stop);
}

static void interrupt_self(fake_peer *peer, void *context)
{
    (void)context;
    stage_attach(peer);
    kill(getpid(), SIGTERM);
    fake_wait_for_close(peer);
}

static void a_signal_handler_may_stop_a_worker(void)
{
    struct sigaction action = {.sa_handler = stop_it};
    sigaction(SIGTERM, &action, NULL);
    fake_engine engine;
    fake_prepare(&engine, interrupt_self, NULL);
    to_stop = stage_worker(&engine);
    holdfast_worker_register_activity(to_stop, "work", stage_slow, NULL);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(to_stop, NULL));
    signal(SIGTERM, SIG_DFL);
    holdfast_worker_free(to_stop);
    fake_stop(&engine);
}

const test_case resume_tests[] = {
    {"leases_survive_a_lost_connection", leases_survive_a_lost_connection, false},
    {"an_attempt_sent_twice_runs_once", an_attempt_sent_twice_runs_once, false},
    {"a_worker_waits_for_its_engine", a_worker_waits_for_its_engine, false},
    {"a_refusal_for_good_ends_the_worker", a_refusal_for_good_ends_the_worker, false},
    {"a_stop_waits_for_what_is_out", a_stop_waits_for_what_is_out, false},
    {"a_loop_of_the_callers_own", a_loop_of_the_callers_own, false},
    {"a_child_cannot_use_the_worker", a_child_cannot_use_the_worker, true},
    {"a_signal_handler_may_stop_a_worker", a_signal_handler_may_stop_a_worker, false},
    {0},
};
