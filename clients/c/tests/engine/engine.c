/* Against a real engine: workflows of one activity each, started, run and awaited through the
 * library, while the engine is killed with SIGKILL and started again. Every acknowledged start must
 * complete, and each idempotency key must have taken effect.
 *
 *   holdfast-engine-test ENGINE [WORKFLOWS [IN-FLIGHT [KILLS]]]
 */
#include "base.h"

#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[64], socket_path[96], store_path[96];
static const char *engine_binary;
static pid_t engine;
static atomic_int activities_run;

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "FAIL %s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            kill(engine, SIGKILL);                                                                 \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void start_engine(void)
{
    engine = fork();
    MUST(engine >= 0);
    if (engine == 0) {
        execl(engine_binary, engine_binary, "serve", "--db", store_path, "--socket", socket_path,
              (char *)NULL);
        fprintf(stderr, "%s: %s\n", engine_binary, strerror(errno));
        _exit(127);
    }
}

static void remove_files(void)
{
    static const char *const names[] = {"s",      "s.lock",     "db",      "db-wal",
                                        "db-shm", "db.ballast", "db.lock", "db-ballast"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

static void kill_engine(void)
{
    kill(engine, SIGKILL);
    waitpid(engine, NULL, 0);
}

/* --- Workflow code, by hand: one activity, its result is the workflow's ---------------------- */

static void answer(holdfast_worker *worker, Holdfast__V1__WorkflowTaskCompleted *completed)
{
    size_t size = holdfast__v1__workflow_task_completed__get_packed_size(completed);
    uint8_t *bytes = malloc(size);
    MUST(bytes != NULL);
    holdfast__v1__workflow_task_completed__pack(completed, bytes);
    MUST(holdfast_worker_complete_workflow_task(worker, (holdfast_bytes){bytes, size}) ==
         HOLDFAST_OK);
    free(bytes);
}

static void activate(holdfast_worker *worker, const holdfast_task *task)
{
    Holdfast__V1__Activation *activation =
        holdfast__v1__activation__unpack(NULL, task->message.len, task->message.ptr);
    MUST(activation != NULL);
    Holdfast__V1__ScheduleActivity schedule = HOLDFAST__V1__SCHEDULE_ACTIVITY__INIT;
    schedule.seq = 1;
    schedule.activity_type = (char *)"work";
    schedule.start_to_close_timeout_ms = 10000;
    Holdfast__V1__CompleteWorkflow complete = HOLDFAST__V1__COMPLETE_WORKFLOW__INIT;
    Holdfast__V1__Command command = HOLDFAST__V1__COMMAND__INIT, *commands[] = {&command};
    Holdfast__V1__WorkflowTaskCompleted completed = HOLDFAST__V1__WORKFLOW_TASK_COMPLETED__INIT;
    completed.token = activation->token;
    completed.commands = commands;
    for (size_t i = 0; i < activation->n_jobs; i++) {
        const Holdfast__V1__Job *job = activation->jobs[i];
        if (job->kind_case == HOLDFAST__V1__JOB__KIND_INITIALIZE_WORKFLOW) {
            schedule.input = job->initialize_workflow->input;
            schedule.n_input = job->initialize_workflow->n_input;
            command.kind_case = HOLDFAST__V1__COMMAND__KIND_SCHEDULE_ACTIVITY;
            command.schedule_activity = &schedule;
            completed.n_commands = 1;
        } else if (job->kind_case == HOLDFAST__V1__JOB__KIND_RESOLVE_ACTIVITY &&
                   job->resolve_activity->result_case ==
                       HOLDFAST__V1__RESOLVE_ACTIVITY__RESULT_COMPLETED) {
            complete.result = job->resolve_activity->completed->payloads;
            complete.n_result = job->resolve_activity->completed->n_payloads;
            command.kind_case = HOLDFAST__V1__COMMAND__KIND_COMPLETE_WORKFLOW;
            command.complete_workflow = &complete;
            completed.n_commands = 1;
        }
    }
    answer(worker, &completed);
    holdfast__v1__activation__free_unpacked(activation, NULL);
}

/* The code has no state of its own: what it asked for in each past activation follows from its
 * jobs. */
static void replay(holdfast_worker *worker, const holdfast_task *task)
{
    Holdfast__V1__ReplayHistory *history =
        holdfast__v1__replay_history__unpack(NULL, task->message.len, task->message.ptr);
    MUST(history != NULL);
    Holdfast__V1__CommandHead head = HOLDFAST__V1__COMMAND_HEAD__INIT, *heads[] = {&head};
    head.type = HOLDFAST__V1__COMMAND_TYPE__COMMAND_TYPE_SCHEDULE_ACTIVITY;
    head.seq = 1;
    head.name = (char *)"work";
    head.id = (char *)"1";
    Holdfast__V1__PastCompletion past[8], *list[8];
    MUST(history->n_activations <= 8);
    for (size_t i = 0; i < history->n_activations; i++) {
        holdfast__v1__past_completion__init(&past[i]);
        list[i] = &past[i];
        const Holdfast__V1__PastActivation *activation = history->activations[i];
        bool first = activation->n_jobs > 0 &&
                     activation->jobs[0]->kind_case == HOLDFAST__V1__JOB__KIND_INITIALIZE_WORKFLOW;
        past[i].heads = heads;
        past[i].n_heads = first ? 1 : 0;
    }
    Holdfast__V1__ReplayCompleted completed = HOLDFAST__V1__REPLAY_COMPLETED__INIT;
    completed.token = history->token;
    completed.completions = list;
    completed.n_completions = history->n_activations;
    uint8_t bytes[1024];
    MUST(holdfast__v1__replay_completed__get_packed_size(&completed) <= sizeof bytes);
    size_t size = holdfast__v1__replay_completed__pack(&completed, bytes);
    MUST(holdfast_worker_complete_replay(worker, (holdfast_bytes){bytes, size}) == HOLDFAST_OK);
    holdfast__v1__replay_history__free_unpacked(history, NULL);
}

static void *serve_workflows(void *argument)
{
    holdfast_worker *worker = argument;
    for (;;) {
        holdfast_task *task;
        holdfast_error *error;
        holdfast_status status = holdfast_worker_next_task(worker, -1, &task, &error);
        if (status == HOLDFAST_CLOSED) {
            holdfast_error_free(error);
            return NULL;
        }
        if (status != HOLDFAST_OK)
            fprintf(stderr, "workflow worker: %s\n", error->message.ptr);
        MUST(status == HOLDFAST_OK);
        if (task->kind == HOLDFAST_TASK_ACTIVATION)
            activate(worker, task);
        else if (task->kind == HOLDFAST_TASK_REPLAY_HISTORY)
            replay(worker, task);
        holdfast_task_free(task);
    }
}

static void work(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&activities_run, 1);
    MUST(holdfast_activity_idempotency_key(activity).len > 0);
    MUST(holdfast_activity_complete(activity, holdfast_activity_input(activity)) == HOLDFAST_OK);
}

static void *serve_activities(void *worker)
{
    MUST(holdfast_worker_run(worker, NULL) == HOLDFAST_OK);
    return NULL;
}

/* --- The driver ------------------------------------------------------------------------------- */

static const char start_method[] = "holdfast.v1.WorkflowService/StartWorkflow";
static const char result_method[] = "holdfast.v1.WorkflowService/GetWorkflowResult";

static void submit_start(holdfast_client *client, uint64_t number)
{
    char id[32], input[32];
    snprintf(id, sizeof id, "w-%llu", (unsigned long long)number);
    snprintf(input, sizeof input, "%llu", (unsigned long long)number);
    Holdfast__V1__Payload payload = HOLDFAST__V1__PAYLOAD__INIT, *payloads[] = {&payload};
    payload.encoding = (char *)"json/plain";
    payload.data = (ProtobufCBinaryData){strlen(input), (uint8_t *)input};
    Holdfast__V1__StartWorkflowRequest request = HOLDFAST__V1__START_WORKFLOW_REQUEST__INIT;
    request.workflow_id = id;
    request.workflow_type = (char *)"One";
    request.task_queue = (char *)"queue";
    request.input = payloads;
    request.n_input = 1;
    uint8_t bytes[512];
    size_t size = holdfast__v1__start_workflow_request__pack(&request, bytes);
    MUST(holdfast_client_submit(client, start_method, (holdfast_bytes){bytes, size}, 60000,
                                number * 2, NULL) == HOLDFAST_OK);
}

static void submit_result(holdfast_client *client, uint64_t number)
{
    char id[32];
    snprintf(id, sizeof id, "w-%llu", (unsigned long long)number);
    Holdfast__V1__WorkflowExecution execution = HOLDFAST__V1__WORKFLOW_EXECUTION__INIT;
    execution.workflow_id = id;
    Holdfast__V1__GetWorkflowResultRequest request =
        HOLDFAST__V1__GET_WORKFLOW_RESULT_REQUEST__INIT;
    request.execution = &execution;
    uint8_t bytes[256];
    size_t size = holdfast__v1__get_workflow_result_request__pack(&request, bytes);
    MUST(holdfast_client_submit(client, result_method, (holdfast_bytes){bytes, size}, 60000,
                                number * 2 + 1, NULL) == HOLDFAST_OK);
}

static void check_result(const holdfast_completion *completion)
{
    Holdfast__V1__GetWorkflowResultResponse *response =
        holdfast__v1__get_workflow_result_response__unpack(NULL, completion->response.len,
                                                           completion->response.ptr);
    char expected[32];
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)(completion->tag / 2));
    MUST(response != NULL && response->n_result == 1);
    MUST(response->status == HOLDFAST__V1__WORKFLOW_STATUS__WORKFLOW_STATUS_COMPLETED);
    MUST(response->result[0]->data.len == strlen(expected) &&
         memcmp(response->result[0]->data.data, expected, strlen(expected)) == 0);
    holdfast__v1__get_workflow_result_response__free_unpacked(response, NULL);
}

static void drive(holdfast_client *client, uint64_t workflows, uint64_t in_flight, uint64_t kills)
{
    uint64_t begun = 0, done = 0, killed = 0;
    for (; begun < in_flight && begun < workflows; begun++)
        submit_start(client, begun);
    while (done < workflows) {
        holdfast_completion *completion;
        MUST(holdfast_client_next_completion(client, 120000, &completion) == HOLDFAST_OK);
        if (completion->status != HOLDFAST_OK)
            fprintf(stderr, "call %llu: %s: %s\n", (unsigned long long)completion->tag,
                    holdfast_strerror(completion->status), completion->error->message.ptr);
        MUST(completion->status == HOLDFAST_OK);
        if (completion->tag % 2 == 0) {
            submit_result(client, completion->tag / 2);
        } else {
            check_result(completion);
            done++;
            if (begun < workflows)
                submit_start(client, begun++);
            if (killed < kills && done >= (killed + 1) * workflows / (kills + 1)) {
                kill_engine();
                start_engine();
                killed++;
            }
        }
        holdfast_completion_free(completion);
    }
}

static uint64_t argument_or(int count, char **arguments, int index, uint64_t fallback)
{
    return count > index ? strtoull(arguments[index], NULL, 10) : fallback;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        fprintf(stderr, "usage: %s ENGINE [WORKFLOWS [IN-FLIGHT [KILLS]]]\n", arguments[0]);
        return 2;
    }
    uint64_t workflows = argument_or(count, arguments, 2, 2000);
    uint64_t in_flight = argument_or(count, arguments, 3, 64);
    uint64_t kills = argument_or(count, arguments, 4, 3);
    engine_binary = arguments[1];
    strcpy(directory, "/tmp/holdfast-engine-XXXXXX");
    MUST(mkdtemp(directory) != NULL);
    snprintf(socket_path, sizeof socket_path, "%s/s", directory);
    snprintf(store_path, sizeof store_path, "%s/db", directory);
    start_engine();

    holdfast_client_options client_options = {.struct_size = sizeof client_options,
                                              .socket_path = holdfast_str(socket_path),
                                              .connect_timeout_ms = 20000};
    holdfast_string types[] = {HOLDFAST_STR("One")};
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(socket_path),
                                       .task_queue = HOLDFAST_STR("queue"),
                                       .workflow_types = types,
                                       .workflow_types_count = 1};
    holdfast_client *client;
    holdfast_worker *workflow_worker, *activity_worker;
    MUST(holdfast_client_connect(&client_options, &client, NULL) == HOLDFAST_OK);
    MUST(holdfast_worker_create(&options, &workflow_worker, NULL) == HOLDFAST_OK);
    options.workflow_types_count = 0;
    MUST(holdfast_worker_create(&options, &activity_worker, NULL) == HOLDFAST_OK);
    MUST(holdfast_worker_register_activity(activity_worker, "work", work, NULL) == HOLDFAST_OK);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, serve_workflows, workflow_worker);
    pthread_create(&threads[1], NULL, serve_activities, activity_worker);

    int64_t before = hf_now_ms();
    drive(client, workflows, in_flight, kills);
    int64_t spent = hf_now_ms() - before;
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    double cpu_us = ((double)cpu.tv_sec * 1e6 + (double)cpu.tv_nsec / 1e3) / (double)workflows;

    holdfast_worker_stop(workflow_worker);
    holdfast_worker_stop(activity_worker);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    holdfast_worker_free(workflow_worker);
    holdfast_worker_free(activity_worker);
    holdfast_client_close(client);
    kill_engine();
    remove_files();
    MUST((uint64_t)atomic_load(&activities_run) >= workflows);
    printf(
        "%llu workflows, %llu in flight, %llu kills: %lld ms, %.0f/s, %.1f us of CPU each in the "
        "workers and the client, %d activities run\n",
        (unsigned long long)workflows, (unsigned long long)in_flight, (unsigned long long)kills,
        (long long)spent, (double)workflows * 1000.0 / (double)(spent > 0 ? spent : 1), cpu_us,
        atomic_load(&activities_run));
    return 0;
}
