/* The worker against scripted engines. */
#include "fake.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static holdfast_worker_options options_for(const fake_engine *engine)
{
    return (holdfast_worker_options){.struct_size = sizeof(holdfast_worker_options),
                                     .socket_path = holdfast_str(engine->path),
                                     .task_queue = HOLDFAST_STR("queue"),
                                     .identity = HOLDFAST_STR("tester"),
                                     .build_id = HOLDFAST_STR("b1"),
                                     .max_concurrent_activities = 5,
                                     .threads = 3,
                                     .grace_ms = 2000,
                                     .reconnect = {.initial_ms = 2, .max_ms = 20}};
}

static holdfast_worker *worker_for(const fake_engine *engine)
{
    holdfast_worker_options options = options_for(engine);
    holdfast_worker *worker = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    return worker;
}

static const holdfast_string workflow_types[] = {HOLDFAST_STR("Order")};

static holdfast_worker *workflow_worker_for(const fake_engine *engine)
{
    holdfast_worker_options options = options_for(engine);
    options.workflow_types = workflow_types;
    options.workflow_types_count = 1;
    options.max_concurrent_workflow_tasks = 4;
    holdfast_worker *worker = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    return worker;
}

static void *run(void *worker)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(worker, NULL));
    return NULL;
}

static Holdfast__V1__WorkerMessage *expect(fake_peer *peer, int kind)
{
    Holdfast__V1__WorkerMessage *message = fake_next_message(peer);
    CHECK(message != NULL && (int)message->kind_case == kind);
    return message;
}

static void expect_end(fake_peer *peer, int kind, const char *token)
{
    Holdfast__V1__WorkerMessage *message = expect(peer, kind);
    /* Every end begins with its token. */
    CHECK(token_is(message->activity_completed->token, token));
    fake_free_message(message);
}

enum {
    COMPLETED = HOLDFAST__V1__WORKER_MESSAGE__KIND_ACTIVITY_COMPLETED,
    FAILED = HOLDFAST__V1__WORKER_MESSAGE__KIND_ACTIVITY_FAILED,
    CANCELLED = HOLDFAST__V1__WORKER_MESSAGE__KIND_REPORT_ACTIVITY_CANCELLED,
    ELSEWHERE = HOLDFAST__V1__WORKER_MESSAGE__KIND_WILL_COMPLETE_ELSEWHERE,
    HEARTBEAT = HOLDFAST__V1__WORKER_MESSAGE__KIND_HEARTBEAT,
    WORKFLOW = HOLDFAST__V1__WORKER_MESSAGE__KIND_WORKFLOW_TASK_COMPLETED,
    REPLAYED = HOLDFAST__V1__WORKER_MESSAGE__KIND_REPLAY_COMPLETED,
    EVICTED = HOLDFAST__V1__WORKER_MESSAGE__KIND_EVICTED,
    DETACH = HOLDFAST__V1__WORKER_MESSAGE__KIND_DETACH
};

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
    Holdfast__V1__WorkerMessage *message = expect(peer, COMPLETED);
    CHECK(token_is(message->activity_completed->token, "t1"));
    CHECK(message->activity_completed->n_result == 1);
    CHECK(token_is(message->activity_completed->result[0]->data, "42"));
    fake_free_message(message);
    fake_recorded(peer, "t1");
    fake_send_activity(peer, "t2", "fail", 0);
    message = expect(peer, FAILED);
    Holdfast__V1__Failure *failure = message->activity_failed->failure;
    CHECK(strcmp(failure->info->application->type, "Declined") == 0 && failure->n_causes == 1);
    CHECK(failure->info->application->non_retryable);
    fake_free_message(message);
    fake_recorded(peer, "t2");
    fake_send_activity(peer, "t3", "forget", 0);
    message = expect(peer, FAILED);
    failure = message->activity_failed->failure;
    CHECK(strcmp(failure->info->application->type, "NotCompleted") == 0);
    fake_free_message(message);
    fake_recorded(peer, "t3");
    fake_send_activity(peer, "t4", "defer", 0);
    expect_end(peer, COMPLETED, "t4");
    fake_recorded(peer, "t4");
    fake_send_activity(peer, "t5", "give_away", 0);
    expect_end(peer, ELSEWHERE, "t5");
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
    holdfast_worker *worker = worker_for(&engine);
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
    CHECK(pthread_create(&runner, NULL, run, worker) == 0);
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

/* A worker that is stopped by its script, when it has seen enough. */
typedef struct stage {
    holdfast_worker *worker;
    atomic_int seen;
    int64_t times[16];
} stage;

static void play(fake_script script, holdfast_activity_function function, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        fake_engine engine;
        stage scene = {0};
        fake_prepare(&engine, script, &scene);
        scene.worker = worker_for(&engine);
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_worker_register_activity(scene.worker, "work", function, &scene));
        fake_start(&engine);
        CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(scene.worker, NULL));
        holdfast_worker_free(scene.worker);
        fake_stop(&engine);
    }
}

static void attach(fake_peer *peer)
{
    fake_free_message(fake_accept_worker(peer));
    fake_attached(peer, NULL, 0);
}

static void finish(fake_peer *peer, stage *scene)
{
    holdfast_worker_stop(scene->worker);
    fake_wait_for_close(peer);
}

static void cancel_three(fake_peer *peer, void *context)
{
    attach(peer);
    fake_send_activity(peer, "a", "work", 0);
    fake_send_cancel(peer, "a", HOLDFAST_CANCEL_REQUESTED);
    expect_end(peer, CANCELLED, "a");
    fake_recorded(peer, "a");
    /* The lease is gone: whatever the function says is not sent. */
    fake_send_activity(peer, "b", "work", 0);
    fake_send_cancel(peer, "b", HOLDFAST_CANCEL_TIMED_OUT);
    fake_send_cancel(peer, "unknown", HOLDFAST_CANCEL_REQUESTED);
    fake_send_activity(peer, "c", "work", 0);
    fake_send_cancel(peer, "c", HOLDFAST_CANCEL_REQUESTED);
    expect_end(peer, CANCELLED, "c");
    fake_recorded(peer, "c");
    while (peer->activity_slots < 8) /* 5 and one back for each */
        CHECK(fake_send_activity(peer, "d", "work", 0) &&
              fake_send_cancel(peer, "d", HOLDFAST_CANCEL_REQUESTED) &&
              (expect_end(peer, CANCELLED, "d"), fake_recorded(peer, "d")));
    finish(peer, context);
}

static void cancellations_reach_the_function(void)
{
    play(cancel_three, wait_for_cancel, 3);
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
    attach(peer);
    fake_send_activity(peer, "a", "work", 125); /* one per 100 ms */
    int count = 0, last = 0;
    int64_t before = 0;
    for (;;) {
        Holdfast__V1__WorkerMessage *message = fake_next_message(peer);
        CHECK(message != NULL);
        int64_t now = hf_now_ms();
        if ((int)message->kind_case == FAILED) {
            /* The latest goes with the failure. */
            Holdfast__V1__ActivityFailed *failed = message->activity_failed;
            CHECK(failed->n_last_heartbeat_details == 1);
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
        CHECK(count == 0 || now - before >= 90);
        before = now;
        count++;
        fake_free_message(message);
    }
    CHECK(count >= 3 && count <= 5);
    fake_recorded(peer, "a");
    finish(peer, context);
}

static void heartbeats_are_throttled(void)
{
    play(count_heartbeats, beat, 1);
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
    attach(peer);
    fake_send_activity(peer, "a", "work", 62);
    for (int i = 0; i < 2; i++) {
        Holdfast__V1__WorkerMessage *message = expect(peer, HEARTBEAT);
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
    finish(peer, context);
}

static void the_latest_heartbeat_leaves_by_itself(void)
{
    play(expect_the_latest, beat_twice, 1);
}

/* --- Reconnect and resume --------------------------------------------------------------------- */

static atomic_bool release_slow;

static void slow(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    holdfast_string token = {holdfast_activity_token(activity).ptr,
                             holdfast_activity_token(activity).len};
    while (!hf_string_equal(token, holdfast_str("quick")) && !atomic_load(&release_slow) &&
           !holdfast_activity_is_cancelled(activity))
        usleep(1000);
    holdfast_activity_complete(activity, (holdfast_payloads){0});
}

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
        expect_end(peer, COMPLETED, "quick");
        return; /* the connection dies before anything is recorded */
    }
    CHECK(memcmp(resume_token, message->attach->resume_token.data, 16) == 0);
    CHECK(message->attach->n_held_leases == 3 && names(message->attach, "quick"));
    CHECK(names(message->attach, "slow") && names(message->attach, "lost"));
    fake_free_message(message);
    ProtobufCBinaryData lost = {4, (uint8_t *)"lost"};
    fake_attached(peer, &lost, 1);
    expect_end(peer, COMPLETED, "quick"); /* sent again */
    fake_recorded(peer, "quick");
    /* 5 less the two that run (their attach came before the loss was known), then "lost" ends. */
    while (peer->activity_slots < 4) {
        fake_send_activity(peer, "quick", "work", 0);
        expect_end(peer, COMPLETED, "quick");
        fake_recorded(peer, "quick");
    }
    atomic_store(&release_slow, true);
    expect_end(peer, COMPLETED, "slow");
    fake_recorded(peer, "slow");
    finish(peer, context);
}

static void leases_survive_a_lost_connection(void)
{
    atomic_store(&release_slow, false);
    play(drop_and_resume, slow, 1);
}

static void resend_known(fake_peer *peer, void *context)
{
    attach(peer);
    fake_send_activity(peer, "slow", "work", 0);
    fake_send_activity(peer, "slow", "work", 0); /* the same attempt again: it runs once */
    atomic_store(&release_slow, true);
    expect_end(peer, COMPLETED, "slow");
    fake_recorded(peer, "slow");
    fake_send_activity(peer, "quick", "work", 0);
    expect_end(peer, COMPLETED, "quick");
    fake_recorded(peer, "quick");
    finish(peer, context);
}

static void an_attempt_sent_twice_runs_once(void)
{
    atomic_store(&release_slow, false);
    play(resend_known, slow, 1);
}

static void a_worker_waits_for_its_engine(void)
{
    fake_engine engine;
    stage scene = {0};
    fake_prepare(&engine, resend_known, &scene);
    atomic_store(&release_slow, true);
    scene.worker = worker_for(&engine);
    holdfast_worker_register_activity(scene.worker, "work", slow, NULL);
    pthread_t runner;
    CHECK(pthread_create(&runner, NULL, run, scene.worker) == 0);
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
    holdfast_worker *worker = worker_for(&engine);
    holdfast_worker_register_activity(worker, "work", slow, NULL);
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_PERMISSION_DENIED, holdfast_worker_run(worker, &error));
    CHECK(string_is(error->message, "refused by the script"));
    holdfast_error_free(error);
    CHECK(holdfast_worker_get_state(worker) == HOLDFAST_WORKER_CLOSED);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

/* --- Stopping --------------------------------------------------------------------------------- */

static void stop_with_work_out(fake_peer *peer, void *context)
{
    stage *scene = context;
    attach(peer);
    fake_send_activity(peer, "slow", "work", 0);
    usleep(30000);
    holdfast_worker_stop(scene->worker);
    fake_free_message(expect(peer, DETACH));
    holdfast_worker_stop(scene->worker); /* the second ends the grace */
    expect_end(peer, COMPLETED, "slow");
    usleep(20000);
    fake_recorded(peer, "slow");
    scene->times[0] = hf_now_ms();
    fake_wait_for_close(peer);
}

static void a_stop_waits_for_what_is_out(void)
{
    atomic_store(&release_slow, false);
    play(stop_with_work_out, slow, 3);
}

/* --- Pulling ---------------------------------------------------------------------------------- */

static void send_activation(fake_peer *peer, const char *token, const char *run_id)
{
    Holdfast__V1__Activation activation = HOLDFAST__V1__ACTIVATION__INIT;
    activation.token = (ProtobufCBinaryData){strlen(token), (uint8_t *)token};
    activation.run_id = (char *)run_id;
    activation.workflow_type = (char *)"Order";
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_ACTIVATION;
    message.activation = &activation;
    fake_send(peer, &message);
}

static void send_replay(fake_peer *peer, const char *token, const char *run_id)
{
    Holdfast__V1__ReplayHistory replay = HOLDFAST__V1__REPLAY_HISTORY__INIT;
    replay.token = (ProtobufCBinaryData){strlen(token), (uint8_t *)token};
    replay.run_id = (char *)run_id;
    replay.first = true;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_REPLAY_HISTORY;
    message.replay_history = &replay;
    fake_send(peer, &message);
}

static void send_evict(fake_peer *peer, const char *run_id)
{
    Holdfast__V1__Evict evict = HOLDFAST__V1__EVICT__INIT;
    evict.run_id = (char *)run_id;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_EVICT;
    message.evict = &evict;
    fake_send(peer, &message);
}

static void drive_workflows(fake_peer *peer, void *context)
{
    (void)context;
    if (peer->number == 2) {
        attach(peer);
        send_activation(peer, "5", "run5");
        expect_end(peer, WORKFLOW, "5");
        fake_wait_for_close(peer);
        return;
    }
    attach(peer);
    send_activation(peer, "1", "run1");
    expect_end(peer, WORKFLOW, "1");
    send_replay(peer, "2", "run2");
    expect_end(peer, REPLAYED, "2");
    send_activation(peer, "2", "run2"); /* the same slot */
    expect_end(peer, WORKFLOW, "2");
    send_activation(peer, "3", "run3");
    send_evict(peer, "run3");
    Holdfast__V1__WorkerMessage *message = expect(peer, EVICTED);
    CHECK(message->evicted->n_run_ids == 2 && strcmp(message->evicted->run_ids[0], "x") == 0);
    fake_free_message(message);
    /* 4, and one back for 1, 2 and the evicted 3. */
    CHECK(peer->workflow_slots == 7);
    send_activation(peer, "4", "run4");
    usleep(30000);
    /* The connection dies with 4 out. */
}

static void answer(holdfast_worker *worker, const holdfast_task *task)
{
    Holdfast__V1__WorkflowTaskCompleted completed = HOLDFAST__V1__WORKFLOW_TASK_COMPLETED__INIT;
    completed.token = (ProtobufCBinaryData){task->token.len, (uint8_t *)task->token.ptr};
    uint8_t bytes[256];
    size_t size = holdfast__v1__workflow_task_completed__pack(&completed, bytes);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_complete_workflow_task(worker, (holdfast_bytes){bytes, size}));
}

static holdfast_task *pull(holdfast_worker *worker, holdfast_task_kind kind)
{
    holdfast_task *task = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_next_task(worker, 5000, &task, NULL));
    CHECK(task->kind == kind);
    return task;
}

static void workflow_tasks_are_pulled_and_answered(void)
{
    fake_engine engine;
    fake_prepare(&engine, drive_workflows, NULL);
    fake_start(&engine);
    holdfast_worker *worker = workflow_worker_for(&engine);
    holdfast_task *task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK(string_is(task->run_id, "run1") && task->token.len == 1 && task->activity == NULL);
    answer(worker, task);
    answer(worker, task); /* not ours any more: dropped in silence */
    holdfast_task_free(task);
    task = pull(worker, HOLDFAST_TASK_REPLAY_HISTORY);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_complete_replay(worker, (holdfast_bytes){"\x0a\x01"
                                                                                       "2",
                                                                                       3}));
    holdfast_task_free(task);
    task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK(string_is(task->run_id, "run2"));
    answer(worker, task);
    holdfast_task_free(task);
    /* Flush, then let both messages of run 3 come: the activation is stale when it is pulled. */
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_flush(worker));
    usleep(50000);
    task = pull(worker, HOLDFAST_TASK_EVICT);
    CHECK(string_is(task->run_id, "run3") && task->message.len > 0);
    holdfast_task_free(task);
    holdfast_string runs[] = {HOLDFAST_STR("x"), HOLDFAST_STR("y")};
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_evicted(worker, runs, 2));
    holdfast_task *fourth = pull(worker, HOLDFAST_TASK_ACTIVATION);
    task = pull(worker, HOLDFAST_TASK_DISCONNECTED);
    CHECK(task->message.len == 0 && task->run_id.len == 0);
    holdfast_task_free(task);
    answer(worker, fourth); /* of the old connection: dropped */
    holdfast_task_free(fourth);
    task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK(string_is(task->run_id, "run5"));
    answer(worker, task);
    holdfast_task_free(task);
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_worker_next_task(worker, 20, &task, NULL));
    holdfast_worker_wake(worker);
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_worker_next_task(worker, -1, &task, NULL));
    holdfast_worker_stop(worker);
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_worker_next_task(worker, 5000, &task, NULL));
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

static void expect_parts(fake_peer *peer, void *context)
{
    (void)context;
    attach(peer);
    send_activation(peer, "1", "run1");
    size_t commands = 0, parts = 0;
    bool more = true;
    while (more) {
        Holdfast__V1__WorkerMessage *message = expect(peer, WORKFLOW);
        Holdfast__V1__WorkflowTaskCompleted *part = message->workflow_task_completed;
        CHECK(token_is(part->token, "1"));
        for (size_t i = 0; i < part->n_commands; i++)
            CHECK(part->commands[i]->start_timer->seq == ++commands);
        more = part->more;
        parts++;
        CHECK((part->n_sdk_flags == 1) == !more);
        fake_free_message(message);
    }
    CHECK(commands == 3000 && parts > 2 && peer->workflow_slots == 4);
    fake_wait_for_close(peer);
}

static void a_large_completion_goes_in_parts(void)
{
    fake_engine engine;
    fake_prepare(&engine, expect_parts, NULL);
    engine.frame_bytes_max = 64 * 1024;
    fake_start(&engine);
    holdfast_worker *worker = workflow_worker_for(&engine);
    holdfast_task *task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    enum { COMMANDS = 3000 };
    Holdfast__V1__Command *commands = calloc(COMMANDS, sizeof *commands);
    Holdfast__V1__StartTimer *timers = calloc(COMMANDS, sizeof *timers);
    Holdfast__V1__Command **list = calloc(COMMANDS, sizeof *list);
    char location[100];
    memset(location, 'x', sizeof location - 1);
    location[sizeof location - 1] = '\0';
    for (uint32_t i = 0; i < COMMANDS; i++) {
        holdfast__v1__command__init(&commands[i]);
        holdfast__v1__start_timer__init(&timers[i]);
        timers[i].seq = i + 1;
        commands[i].location = location;
        commands[i].kind_case = HOLDFAST__V1__COMMAND__KIND_START_TIMER;
        commands[i].start_timer = &timers[i];
        list[i] = &commands[i];
    }
    uint32_t flag = 9;
    Holdfast__V1__WorkflowTaskCompleted completed = HOLDFAST__V1__WORKFLOW_TASK_COMPLETED__INIT;
    completed.token = (ProtobufCBinaryData){1, (uint8_t *)"1"};
    completed.commands = list;
    completed.n_commands = COMMANDS;
    completed.sdk_flags = &flag;
    completed.n_sdk_flags = 1;
    size_t size = holdfast__v1__workflow_task_completed__get_packed_size(&completed);
    uint8_t *bytes = malloc(size);
    holdfast__v1__workflow_task_completed__pack(&completed, bytes);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_complete_workflow_task(worker, (holdfast_bytes){bytes, size}));
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_flush(worker));
    free(bytes);
    free(list);
    free(timers);
    free(commands);
    holdfast_task_free(task);
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_worker_next_task(worker, 100, &task, NULL));
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

static void drive_pulled_activities(fake_peer *peer, void *context)
{
    (void)context;
    attach(peer);
    fake_send_activity(peer, "a", "work", 0);
    fake_send_cancel(peer, "a", HOLDFAST_CANCEL_REQUESTED);
    expect_end(peer, HEARTBEAT, "a");
    expect_end(peer, CANCELLED, "a");
    fake_recorded(peer, "a");
    fake_send_activity(peer, "b", "work", 0);
    expect_end(peer, COMPLETED, "b");
    fake_recorded(peer, "b");
    fake_wait_for_close(peer);
}

static void *complete_b(void *argument)
{
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_complete_activity(argument, (holdfast_bytes){"\x0a\x01"
                                                                              "b",
                                                                              3}));
    return NULL;
}

static void pulled_activities_are_answered_by_token(void)
{
    fake_engine engine;
    fake_prepare(&engine, drive_pulled_activities, NULL);
    fake_start(&engine);
    holdfast_worker *worker = worker_for(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(worker, "work", NULL, NULL));
    holdfast_task *task = pull(worker, HOLDFAST_TASK_ACTIVITY);
    CHECK(string_is(holdfast_activity_type(task->activity), "work"));
    CHECK(task->message.len > 0 && task->token.len == 1 && string_is(task->run_id, "run"));
    holdfast_activity *kept = holdfast_activity_retain(task->activity);
    holdfast_task_free(task);
    task = pull(worker, HOLDFAST_TASK_ACTIVITY_CANCEL);
    CHECK(task->token.len == 1 && holdfast_activity_is_cancelled(kept));
    holdfast_task_free(task);
    holdfast_bytes token_a = {"\x0a\x01"
                              "a",
                              3},
                   token_z = {"\x0a\x01"
                              "z",
                              3};
    CHECK_STATUS(HOLDFAST_CANCELLED, holdfast_worker_heartbeat(worker, token_a));
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_report_activity_cancelled(worker, token_a));
    CHECK_STATUS(HOLDFAST_ALREADY_COMPLETED, holdfast_worker_complete_activity(worker, token_a));
    CHECK_STATUS(HOLDFAST_ALREADY_COMPLETED, holdfast_worker_fail_activity(worker, token_z));
    CHECK_STATUS(HOLDFAST_ALREADY_COMPLETED,
                 holdfast_worker_will_complete_elsewhere(worker, (holdfast_bytes){"z", 1}));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT,
                 holdfast_worker_complete_activity(worker, (holdfast_bytes){"\x0a\x05", 2}));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT,
                 holdfast_worker_complete_activity(worker, (holdfast_bytes){0}));
    CHECK_STATUS(HOLDFAST_ALREADY_COMPLETED,
                 holdfast_activity_complete(kept, (holdfast_payloads){0}));
    task = pull(worker, HOLDFAST_TASK_ACTIVITY);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, complete_b, worker) == 0);
    pthread_join(other, NULL);
    holdfast_task_free(task);
    holdfast_worker_stop(worker);
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_worker_next_task(worker, 5000, &task, NULL));
    holdfast_worker_free(worker);
    /* Still readable, and harmless. */
    CHECK(string_is(holdfast_activity_type(kept), "work"));
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_activity_complete(kept, (holdfast_payloads){0}));
    holdfast_activity_release(kept);
    fake_stop(&engine);
}

enum { MANY = 2000 };

static void flood(fake_peer *peer, void *context)
{
    (void)context;
    attach(peer);
    int out = 0, done = 0;
    for (int next = 0; done < MANY;) {
        while (out < 4 && next < MANY) {
            char token[16];
            snprintf(token, sizeof token, "t%d", next++);
            send_activation(peer, token, token);
            out++;
        }
        fake_free_message(expect(peer, WORKFLOW));
        out--;
        done++;
    }
    fake_wait_for_close(peer);
}

typedef struct puller {
    holdfast_worker *worker;
    atomic_int *done;
} puller;

static void *pull_many(void *argument)
{
    puller *self = argument;
    while (atomic_load(self->done) < MANY) {
        holdfast_task *task = NULL;
        holdfast_status status = holdfast_worker_next_task(self->worker, 50, &task, NULL);
        CHECK(status == HOLDFAST_OK || status == HOLDFAST_TIMEOUT);
        if (task == NULL)
            continue;
        answer(self->worker, task);
        holdfast_task_free(task);
        atomic_fetch_add(self->done, 1);
    }
    return NULL;
}

static void many_threads_pull(void)
{
    fake_engine engine;
    fake_prepare(&engine, flood, NULL);
    fake_start(&engine);
    holdfast_worker *worker = workflow_worker_for(&engine);
    atomic_int done = 0;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    puller self = {worker, &done};
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, pull_many, &self) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_flush(worker));
    usleep(20000);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

/* --- The caller's loop ------------------------------------------------------------------------ */

static void three_for_the_loop(fake_peer *peer, void *context)
{
    attach(peer);
    for (int i = 0; i < 3; i++) {
        fake_send_activity(peer, "quick", "work", 0);
        expect_end(peer, COMPLETED, "quick");
        fake_recorded(peer, "quick");
    }
    finish(peer, context);
}

static void a_loop_of_the_callers_own(void)
{
    fake_engine engine;
    stage scene = {0};
    fake_prepare(&engine, three_for_the_loop, &scene);
    scene.worker = worker_for(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_register_activity(scene.worker, "work", slow, NULL));
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
    fake_prepare(&engine, resend_known, &scene);
    fake_start(&engine);
    atomic_store(&release_slow, true);
    scene.worker = worker_for(&engine);
    holdfast_worker_register_activity(scene.worker, "work", slow, NULL);
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
    attach(peer);
    kill(getpid(), SIGTERM);
    fake_wait_for_close(peer);
}

static void a_signal_handler_may_stop_a_worker(void)
{
    struct sigaction action = {.sa_handler = stop_it};
    sigaction(SIGTERM, &action, NULL);
    fake_engine engine;
    fake_prepare(&engine, interrupt_self, NULL);
    to_stop = worker_for(&engine);
    holdfast_worker_register_activity(to_stop, "work", slow, NULL);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(to_stop, NULL));
    signal(SIGTERM, SIG_DFL);
    holdfast_worker_free(to_stop);
    fake_stop(&engine);
}

const test_case worker_tests[] = {
    {"activities_end_in_every_way", activities_end_in_every_way, false},
    {"cancellations_reach_the_function", cancellations_reach_the_function, false},
    {"heartbeats_are_throttled", heartbeats_are_throttled, false},
    {"the_latest_heartbeat_leaves_by_itself", the_latest_heartbeat_leaves_by_itself, false},
    {"leases_survive_a_lost_connection", leases_survive_a_lost_connection, false},
    {"an_attempt_sent_twice_runs_once", an_attempt_sent_twice_runs_once, false},
    {"a_worker_waits_for_its_engine", a_worker_waits_for_its_engine, false},
    {"a_refusal_for_good_ends_the_worker", a_refusal_for_good_ends_the_worker, false},
    {"a_stop_waits_for_what_is_out", a_stop_waits_for_what_is_out, false},
    {"workflow_tasks_are_pulled_and_answered", workflow_tasks_are_pulled_and_answered, false},
    {"a_large_completion_goes_in_parts", a_large_completion_goes_in_parts, false},
    {"pulled_activities_are_answered_by_token", pulled_activities_are_answered_by_token, false},
    {"many_threads_pull", many_threads_pull, false},
    {"a_loop_of_the_callers_own", a_loop_of_the_callers_own, false},
    {"a_child_cannot_use_the_worker", a_child_cannot_use_the_worker, true},
    {"a_signal_handler_may_stop_a_worker", a_signal_handler_may_stop_a_worker, false},
    {0},
};
