/* Activities on the threads of holdfast_worker_run: ends, cancellation, heartbeats. */
#include "stage.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Functions ------------------------------------------------------------------------------ */

static void echo(holdfast_activity *activity, void *user_data)
{
    CHECK(user_data != NULL);
    CHECK(string_is(holdfast_activity_type(activity), "echo"));
    CHECK(string_is(holdfast_activity_workflow_id(activity), "workflow"));
    CHECK(string_is(holdfast_activity_idempotency_key(activity), "key"));
    CHECK(holdfast_activity_attempt(activity) == 3);
    CHECK(holdfast_activity_heartbeat_details(activity).count == 1);
    CHECK(holdfast_activity_message(activity).len > 0);
    holdfast_payloads input = holdfast_activity_input(activity);
    CHECK(input.count == 1 && string_is(input.items[0].encoding, "json/plain"));
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_complete(activity, input));
    CHECK_STATUS(HOLDFAST_ALREADY_COMPLETED, holdfast_activity_complete(activity, input));
}

static void fail(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    holdfast_failure cause = {.struct_size = sizeof cause, .message = HOLDFAST_STR("why")};
    holdfast_failure failure = {.struct_size = sizeof failure,
                                .message = HOLDFAST_STR("no"),
                                .type = HOLDFAST_STR("Declined"),
                                .non_retryable = true,
                                .causes = &cause,
                                .causes_count = 1};
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_activity_fail(activity, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_fail(activity, &failure));
}

static void forget(holdfast_activity *activity, void *user_data)
{
    (void)activity;
    (void)user_data;
}

static void *complete_later(void *argument)
{
    holdfast_activity *activity = argument;
    usleep(20000);
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_complete(activity, (holdfast_payloads){0}));
    holdfast_activity_release(activity);
    return NULL;
}

static void defer(holdfast_activity *activity, void *user_data)
{
    pthread_t *thread = user_data;
    CHECK(pthread_create(thread, NULL, complete_later, holdfast_activity_defer(activity)) == 0);
}

static void give_away(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_will_complete_elsewhere(activity));
}

static void wait_for_cancel(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    while (!holdfast_activity_is_cancelled(activity))
        usleep(1000);
    if (holdfast_activity_cancel_reason(activity) == HOLDFAST_CANCEL_REQUESTED)
        CHECK_STATUS(HOLDFAST_OK, holdfast_activity_cancelled(activity, (holdfast_payloads){0}));
    else
        CHECK_STATUS(HOLDFAST_OK, holdfast_activity_complete(activity, (holdfast_payloads){0}));
}

/* --- Running -------------------------------------------------------------------------------- */

static void run_each_kind(fake_peer *peer, void *context)
{
    (void)context;
    Holdfast__V1__WorkerMessage *attach = fake_accept_worker(peer);
    CHECK(strcmp(attach->attach->task_queue, "queue") == 0);
    CHECK(attach->attach->n_activity_types == 5 && attach->attach->n_held_leases == 0);
    CHECK(attach->attach->resume_token.len == 16);
    CHECK(strcmp(attach->attach->build_id, "b1") == 0);
    fake_free_message(attach);
    fake_attached(peer, NULL, 0);
    fake_send_activity(peer, "t1", "echo", 0);
    Holdfast__V1__WorkerMessage *message = stage_expect(peer, COMPLETED);
    CHECK(token_is(message->activity_completed->token, "t1"));
    CHECK(message->activity_completed->n_result == 1);
    CHECK(token_is(message->activity_completed->result[0]->data, "42"));
    fake_free_message(message);
    fake_recorded(peer, "t1");
    fake_send_activity(peer, "t2", "fail", 0);
    message = stage_expect(peer, FAILED);
    Holdfast__V1__Failure *failure = message->activity_failed->failure;
    CHECK(strcmp(failure->info->application->type, "Declined") == 0 && failure->n_causes == 1);
    CHECK(failure->info->application->non_retryable);
    fake_free_message(message);
    fake_recorded(peer, "t2");
    fake_send_activity(peer, "t3", "forget", 0);
    message = stage_expect(peer, FAILED);
    failure = message->activity_failed->failure;
    CHECK(strcmp(failure->info->application->type, "NotCompleted") == 0);
    fake_free_message(message);
    fake_recorded(peer, "t3");
    fake_send_activity(peer, "t4", "defer", 0);
    stage_expect_end(peer, COMPLETED, "t4");
    fake_recorded(peer, "t4");
    fake_send_activity(peer, "t5", "give_away", 0);
    stage_expect_end(peer, ELSEWHERE, "t5");
    fake_recorded(peer, "t5");
    message = fake_next_message(peer);
    CHECK((int)message->kind_case == DETACH);
    fake_free_message(message);
    /* 5 at first, and one back for each of the 5. */
    CHECK(peer->activity_slots == 10 && peer->workflow_slots == 0);
    fake_wait_for_close(peer);
}

static void activities_end_in_every_way(void)
{
    fake_engine engine;
    fake_prepare(&engine, run_each_kind, NULL);
    fake_start(&engine);
    holdfast_worker *worker = stage_worker(&engine);
    pthread_t deferred, runner;
    int data = 1;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(worker, "echo", echo, &data));
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(worker, "fail", fail, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(worker, "forget", forget, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(worker, "defer", defer, &deferred));
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_register_activity(worker, "give_away", give_away, NULL));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT,
                 holdfast_worker_register_activity(worker, "echo", echo, &data));
    CHECK(holdfast_worker_get_state(worker) == HOLDFAST_WORKER_CONNECTING);
    CHECK(pthread_create(&runner, NULL, stage_run, worker) == 0);
    usleep(150000);
    CHECK(holdfast_worker_get_state(worker) == HOLDFAST_WORKER_ATTACHED);
    CHECK_STATUS(HOLDFAST_FAILED_PRECONDITION,
                 holdfast_worker_register_activity(worker, "late", echo, &data));
    holdfast_worker_stop(worker);
    pthread_join(runner, NULL);
    pthread_join(deferred, NULL);
    CHECK(holdfast_worker_get_state(worker) == HOLDFAST_WORKER_CLOSED);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

static void cancel_three(fake_peer *peer, void *context)
{
    stage_attach(peer);
    fake_send_activity(peer, "a", "work", 0);
    fake_send_cancel(peer, "a", HOLDFAST_CANCEL_REQUESTED);
    stage_expect_end(peer, CANCELLED, "a");
    fake_recorded(peer, "a");
    /* The lease is gone: whatever the function says is not sent. */
    fake_send_activity(peer, "b", "work", 0);
    fake_send_cancel(peer, "b", HOLDFAST_CANCEL_TIMED_OUT);
    fake_send_cancel(peer, "unknown", HOLDFAST_CANCEL_REQUESTED);
    fake_send_activity(peer, "c", "work", 0);
    fake_send_cancel(peer, "c", HOLDFAST_CANCEL_REQUESTED);
    stage_expect_end(peer, CANCELLED, "c");
    fake_recorded(peer, "c");
    while (peer->activity_slots < 8) /* 5 and one back for each */
        CHECK(fake_send_activity(peer, "d", "work", 0) &&
              fake_send_cancel(peer, "d", HOLDFAST_CANCEL_REQUESTED) &&
              (stage_expect_end(peer, CANCELLED, "d"), fake_recorded(peer, "d")));
    stage_finish(peer, context);
}

static void cancellations_reach_the_function(void)
{
    stage_play(cancel_three, wait_for_cancel, 3);
}

/* --- Heartbeats ----------------------------------------------------------------------------- */

static void beat(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    for (int i = 1; i <= 60; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        holdfast_payload details = holdfast_json(text);
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_activity_heartbeat(activity, (holdfast_payloads){&details, 1}));
        usleep(5000);
    }
    holdfast_failure failure = {.struct_size = sizeof failure, .message = HOLDFAST_STR("enough")};
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_fail(activity, &failure));
}

static void count_heartbeats(fake_peer *peer, void *context)
{
    stage_attach(peer);
    int64_t start = hf_now_ms();
    fake_send_activity(peer, "a", "work", 125); /* one per 100 ms */
    int count = 0, last = 0;
    for (;;) {
        Holdfast__V1__WorkerMessage *message = fake_next_message(peer);
        CHECK(message != NULL);
        if ((int)message->kind_case == FAILED) {
            /* The latest goes with the failure, unless its time had come just before. */
            Holdfast__V1__ActivityFailed *failed = message->activity_failed;
            CHECK(failed->n_last_heartbeat_details == (last == 60 ? 0 : 1));
            if (last != 60)
                CHECK(token_is(failed->last_heartbeat_details[0]->data, "60"));
            fake_free_message(message);
            break;
        }
        CHECK((int)message->kind_case == HEARTBEAT && message->heartbeat->n_details == 1);
        ProtobufCBinaryData data = message->heartbeat->details[0]->data;
        char text[16] = {0};
        memcpy(text, data.data, data.len);
        CHECK(atoi(text) > last);
        CHECK(count > 0 || atoi(text) == 1); /* the first leaves at once */
        last = atoi(text);
        count++;
        fake_free_message(message);
    }
    /* However long the machine took, they were no closer together than that. */
    CHECK(count >= 2 && count <= (hf_now_ms() - start) / 100 + 1);
    fake_recorded(peer, "a");
    stage_finish(peer, context);
}

static void heartbeats_are_throttled(void)
{
    stage_play(count_heartbeats, beat, 1);
}

static void beat_twice(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    holdfast_payload first = holdfast_json("1"), second = holdfast_json("2");
    holdfast_activity_heartbeat(activity, (holdfast_payloads){&first, 1});
    holdfast_activity_heartbeat(activity, (holdfast_payloads){&second, 1});
    while (holdfast_activity_heartbeat(activity, (holdfast_payloads){&second, 1}) !=
           HOLDFAST_CANCELLED)
        usleep(100000); /* says the same: what matters is that the latest leaves by itself */
    holdfast_activity_cancelled(activity, (holdfast_payloads){0});
}

static void expect_the_latest(fake_peer *peer, void *context)
{
    stage_attach(peer);
    fake_send_activity(peer, "a", "work", 62);
    for (int i = 0; i < 2; i++) {
        Holdfast__V1__WorkerMessage *message = stage_expect(peer, HEARTBEAT);
        CHECK(token_is(message->heartbeat->details[0]->data, i == 0 ? "1" : "2"));
        fake_free_message(message);
    }
    fake_send_cancel(peer, "a", HOLDFAST_CANCEL_REQUESTED);
    Holdfast__V1__WorkerMessage *message;
    while ((int)(message = fake_next_message(peer))->kind_case == HEARTBEAT)
        fake_free_message(message);
    CHECK((int)message->kind_case == CANCELLED);
    fake_free_message(message);
    fake_recorded(peer, "a");
    stage_finish(peer, context);
}

static void the_latest_heartbeat_leaves_by_itself(void)
{
    stage_play(expect_the_latest, beat_twice, 1);
}

const test_case worker_tests[] = {
    {"activities_end_in_every_way", activities_end_in_every_way, false},
    {"cancellations_reach_the_function", cancellations_reach_the_function, false},
    {"heartbeats_are_throttled", heartbeats_are_throttled, false},
    {"the_latest_heartbeat_leaves_by_itself", the_latest_heartbeat_leaves_by_itself, false},
    {0},
};
