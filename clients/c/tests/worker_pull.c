/* Tasks that the caller pulls and answers. */
#include "stage.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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
        stage_attach(peer);
        send_activation(peer, "5", "run5");
        stage_expect_end(peer, WORKFLOW, "5");
        fake_wait_for_close(peer);
        return;
    }
    stage_attach(peer);
    send_activation(peer, "1", "run1");
    stage_expect_end(peer, WORKFLOW, "1");
    send_replay(peer, "2", "run2");
    stage_expect_end(peer, REPLAYED, "2");
    send_activation(peer, "2", "run2"); /* the same slot */
    stage_expect_end(peer, WORKFLOW, "2");
    send_activation(peer, "3", "run3");
    send_evict(peer, "run3");
    Holdfast__V1__WorkerMessage *message = stage_expect(peer, EVICTED);
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
    holdfast_worker *worker = stage_workflow_worker(&engine);
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
    stage_attach(peer);
    send_activation(peer, "1", "run1");
    size_t commands = 0, parts = 0;
    bool more = true;
    while (more) {
        Holdfast__V1__WorkerMessage *message = stage_expect(peer, WORKFLOW);
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
    holdfast_worker *worker = stage_workflow_worker(&engine);
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
    stage_attach(peer);
    fake_send_activity(peer, "a", "work", 0);
    fake_send_cancel(peer, "a", HOLDFAST_CANCEL_REQUESTED);
    stage_expect_end(peer, HEARTBEAT, "a");
    stage_expect_end(peer, CANCELLED, "a");
    fake_recorded(peer, "a");
    fake_send_activity(peer, "b", "work", 0);
    stage_expect_end(peer, COMPLETED, "b");
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
    holdfast_worker *worker = stage_worker(&engine);
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

static void give_leave(fake_peer *peer, void *context)
{
    (void)context;
    stage_attach(peer);
    send_activation(peer, "1", "run1");
    stage_expect_end(peer, WORKFLOW, "1");
    fake_recorded(peer, "1");
    send_activation(peer, "2", "run1");
    stage_expect_end(peer, WORKFLOW, "2");
    send_evict(peer, "run1");
    fake_recorded(peer, "2"); /* nobody waits for it any more */
    send_activation(peer, "3", "run2");
    stage_expect_end(peer, WORKFLOW, "3");
    fake_free_message(stage_expect(peer, DETACH));
    Holdfast__V1__WorkerMessage *message = stage_expect(peer, LOCAL_DONE);
    CHECK(message->local_activity_done->seq == 7 && message->local_activity_done->attempt == 2);
    fake_free_message(message);
    fake_wait_for_close(peer);
}

static void local_activity_done(holdfast_worker *worker)
{
    Holdfast__V1__LocalActivityDone done = HOLDFAST__V1__LOCAL_ACTIVITY_DONE__INIT;
    done.token = (ProtobufCBinaryData){1, (uint8_t *)"l"};
    done.run_id = (char *)"run2";
    done.seq = 7;
    done.attempt = 2;
    uint8_t bytes[64];
    size_t size = holdfast__v1__local_activity_done__pack(&done, bytes);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_worker_local_activity_done(worker, (holdfast_bytes){bytes, size}));
}

static void a_recorded_completion_gives_leave_and_a_stop_waits_for_local_activities(void)
{
    fake_engine engine;
    fake_prepare(&engine, give_leave, NULL);
    fake_start(&engine);
    holdfast_worker *worker = stage_workflow_worker(&engine);
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT,
                 holdfast_worker_await_recorded(worker, (holdfast_bytes){0}));
    holdfast_task *task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_await_recorded(worker, task->token));
    answer(worker, task);
    /* Too late: the task is over. */
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_await_recorded(worker, task->token));
    holdfast_task_free(task);
    task = pull(worker, HOLDFAST_TASK_RECORDED);
    CHECK(task->token.len == 1 && memcmp(task->token.ptr, "1", 1) == 0);
    CHECK(string_is(task->run_id, "run1"));
    holdfast_task_free(task);
    task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_await_recorded(worker, task->token));
    answer(worker, task);
    holdfast_task_free(task);
    holdfast_task_free(pull(worker, HOLDFAST_TASK_EVICT));
    task = pull(worker, HOLDFAST_TASK_ACTIVATION);
    CHECK(string_is(task->run_id, "run2"));
    holdfast_worker_set_local_activities(worker, 1);
    holdfast_worker_stop(worker);
    answer(worker, task);
    holdfast_task_free(task);
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_worker_next_task(worker, 50, &task, NULL));
    local_activity_done(worker);
    holdfast_worker_set_local_activities(worker, 0);
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_worker_next_task(worker, 5000, &task, NULL));
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

enum { MANY = 2000 };

static void flood(fake_peer *peer, void *context)
{
    (void)context;
    stage_attach(peer);
    int out = 0, done = 0;
    for (int next = 0; done < MANY;) {
        while (out < 4 && next < MANY) {
            char token[16];
            snprintf(token, sizeof token, "t%d", next++);
            send_activation(peer, token, token);
            out++;
        }
        fake_free_message(stage_expect(peer, WORKFLOW));
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
    holdfast_worker *worker = stage_workflow_worker(&engine);
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

const test_case pull_tests[] = {
    {"workflow_tasks_are_pulled_and_answered", workflow_tasks_are_pulled_and_answered, false},
    {"a_large_completion_goes_in_parts", a_large_completion_goes_in_parts, false},
    {"pulled_activities_are_answered_by_token", pulled_activities_are_answered_by_token, false},
    {"many_threads_pull", many_threads_pull, false},
    {"a_recorded_completion_gives_leave_and_a_stop_waits_for_local_activities",
     a_recorded_completion_gives_leave_and_a_stop_waits_for_local_activities, false},
    {0},
};
