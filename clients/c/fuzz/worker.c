/* A worker with activities and workflow tasks out, and a lying engine. The first byte is a set of
 * flags, the rest is the engine's part (fuzz.h). What the worker does with a task follows from the
 * task's bytes. */
#include "worker.h"
#include "fuzz.h"

enum { GREETED = 1, NEVER = 2, LOOP = 4, STOPPED = 8 };

#define CONNECTIONS_MAX 3u
#define TASKS_MAX 4u
#define HELD_MAX 8u

/* Activities that are answered late, or by nobody. */
typedef struct holding {
    holdfast_activity *activities[HELD_MAX];
    size_t count;
    bool stops; /* the worker, at an Evict */
} holding;

static uint8_t choice_of(holdfast_bytes message)
{
    return message.len > 0 ? ((const uint8_t *)message.ptr)[message.len - 1] : 0;
}

static void touch_activity(const holdfast_activity *activity)
{
    const holdfast_string strings[] = {
        holdfast_activity_type(activity),          holdfast_activity_id(activity),
        holdfast_activity_workflow_id(activity),   holdfast_activity_run_id(activity),
        holdfast_activity_workflow_type(activity), holdfast_activity_namespace(activity),
        holdfast_activity_task_queue(activity),    holdfast_activity_idempotency_key(activity)};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        fuzz_touch_string(strings[i]);
    fuzz_touch(holdfast_activity_token(activity));
    fuzz_touch(holdfast_activity_message(activity));
    fuzz_touch_payloads(holdfast_activity_input(activity));
    fuzz_touch_payloads(holdfast_activity_heartbeat_details(activity));
    holdfast_header header = holdfast_activity_header(activity);
    for (size_t i = 0; i < header.count; i++) {
        fuzz_touch_string(header.fields[i].key);
        fuzz_touch_payloads((holdfast_payloads){&header.fields[i].value, 1});
    }
}

static void hold(holding *held, holdfast_activity *activity)
{
    if (held->count < HELD_MAX)
        held->activities[held->count++] = holdfast_activity_retain(activity);
}

static void answer_activity(holding *held, holdfast_activity *activity)
{
    touch_activity(activity);
    holdfast_payload one = holdfast_json("1");
    holdfast_payloads result = {&one, 1};
    holdfast_failure failure = {.struct_size = sizeof failure, .message = HOLDFAST_STR("no")};
    switch (choice_of(holdfast_activity_message(activity)) % 8) {
    case 0:
        hold(held, activity);
        break;
    case 1:
        holdfast_activity_fail(activity, &failure);
        break;
    case 2:
        holdfast_activity_heartbeat(activity, result);
        holdfast_activity_heartbeat(activity, result);
        hold(held, activity);
        break;
    case 3:
        holdfast_activity_heartbeat(activity, result);
        holdfast_activity_heartbeat(activity, result);
        holdfast_activity_fail(activity, &failure);
        break;
    case 4:
        holdfast_activity_will_complete_elsewhere(activity);
        break;
    case 5:
        holdfast_activity_cancelled(activity, result);
        break;
    default:
        holdfast_activity_complete(activity, result);
    }
}

/* A few of these do not fit the frames that a small engine takes. 100: a field of a later version.
 */
static const char large[602] = "\xa2\x06\xd6\x04";

static void answer_workflow(holdfast_worker *worker, const holdfast_task *task)
{
    hf_buffer message = {0};
    FUZZ_CHECK(task->token.len > 0 && task->run_id.len > 0);
    FUZZ_CHECK(hf_put_bytes(&message, HF_FIELD_TOKEN, task->token));
    uint8_t choice = choice_of(task->message) % 4;
    for (int i = 0; choice == 2 && i < 20; i++)
        FUZZ_CHECK(hf_put_bytes(&message, 2, (holdfast_bytes){large, sizeof large}));
    if (choice == 0)
        holdfast_worker_evicted(worker, &task->run_id, 1);
    else if (choice < 3 && task->kind == HOLDFAST_TASK_ACTIVATION)
        holdfast_worker_complete_workflow_task(worker, hf_buffer_view(&message));
    else if (choice < 3)
        holdfast_worker_complete_replay(worker, hf_buffer_view(&message));
    hf_buffer_free(&message);
}

static void take_task(holdfast_worker *worker, holding *held, const holdfast_task *task)
{
    fuzz_touch(task->message);
    fuzz_touch(task->token);
    fuzz_touch_string(task->run_id);
    FUZZ_CHECK((task->activity != NULL) == (task->kind == HOLDFAST_TASK_ACTIVITY));
    switch (task->kind) {
    case HOLDFAST_TASK_ACTIVATION:
    case HOLDFAST_TASK_REPLAY_HISTORY:
        answer_workflow(worker, task);
        break;
    case HOLDFAST_TASK_ACTIVITY:
        answer_activity(held, task->activity);
        break;
    case HOLDFAST_TASK_ACTIVITY_CANCEL:
        if (held->count > 0)
            holdfast_activity_cancelled(held->activities[0], (holdfast_payloads){0});
        break;
    case HOLDFAST_TASK_EVICT:
        if (held->stops)
            holdfast_worker_stop(worker);
        break;
    case HOLDFAST_TASK_DISCONNECTED:
        break;
    default:
        FUZZ_CHECK(!"a task of a kind that the header does not know");
    }
}

static void run_activity(holdfast_activity *activity, void *user_data)
{
    answer_activity(user_data, activity);
    if (choice_of(holdfast_activity_message(activity)) % 8 == 2)
        holdfast_activity_release(holdfast_activity_defer(activity));
}

/* What an engine that gives more than it was asked for must not make grow. */
static void check_bounds(const holdfast_worker *worker)
{
    FUZZ_CHECK(worker->activities.count <= TASKS_MAX);
    FUZZ_CHECK(worker->workflow_tasks.count <= TASKS_MAX);
    FUZZ_CHECK(worker->workflow_runs.count == worker->workflow_tasks.count);
}

/* OK and TIMEOUT: go on. */
static holdfast_status turn(holdfast_worker *worker, holding *held, bool loop,
                            holdfast_error **error)
{
    holdfast_status status = HOLDFAST_OK;
    if (loop) {
        status = holdfast_worker_process(worker, error);
        check_bounds(worker);
        if (status != HOLDFAST_OK)
            return status;
    }
    holdfast_task *task;
    status = holdfast_worker_next_task(worker, 1000, &task, error);
    check_bounds(worker);
    if (task != NULL)
        take_task(worker, held, task);
    holdfast_task_free(task);
    return status;
}

/* The worker was stopped, or the engine is gone: that is an error of the worker, or its latest. */
static void check_end(holdfast_worker *worker, bool never, holdfast_status status)
{
    if (status == HOLDFAST_CLOSED)
        return;
    holdfast_error *last = holdfast_worker_last_error(worker);
    fuzz_check_error(last);
    if (never)
        FUZZ_CHECK(status == last->code);
    holdfast_error_free(last);
    FUZZ_CHECK(worker->workflow_tasks.count == 0 && worker->link.fd < 0);
}

static void use(holdfast_worker *worker, uint8_t flags)
{
    holding held = {.stops = flags & STOPPED};
    holdfast_status status;
    holdfast_worker_register_activity(worker, "f", run_activity, &held);
    holdfast_worker_register_activity(worker, "g", NULL, NULL);
    do {
        holdfast_error *error;
        status = turn(worker, &held, flags & LOOP, &error);
        if (status != HOLDFAST_OK && status != HOLDFAST_TIMEOUT)
            fuzz_check_error(error);
        else
            FUZZ_CHECK(error == NULL);
        holdfast_error_free(error);
    } while (status == HOLDFAST_OK || (status == HOLDFAST_TIMEOUT && worker->fatal == NULL &&
                                       (fuzz_world_lives() || worker->link.fd >= 0)));
    check_end(worker, flags & NEVER, status);
    for (size_t i = 0; i < held.count; i++) {
        if (i % 2 == 0)
            holdfast_activity_complete(held.activities[i], (holdfast_payloads){0});
        holdfast_activity_release(held.activities[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const holdfast_string types[] = {HOLDFAST_STR("Order")};
    fuzz_input input = {data, size};
    uint8_t flags = fuzz_byte(&input);
    fuzz_world_begin(input, flags & GREETED, flags & NEVER ? 1 : CONNECTIONS_MAX);
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .task_queue = HOLDFAST_STR("q"),
                                       .identity = HOLDFAST_STR("fuzz"),
                                       .workflow_types = types,
                                       .workflow_types_count = 1,
                                       .max_concurrent_activities = TASKS_MAX,
                                       .max_concurrent_workflow_tasks = TASKS_MAX,
                                       .reconnect = {.never = flags & NEVER}};
    holdfast_worker *worker;
    FUZZ_CHECK(holdfast_worker_create(&options, &worker, NULL) == HOLDFAST_OK);
    use(worker, flags);
    holdfast_worker_free(worker);
    fuzz_world_end();
    return 0;
}
