/* The blocking client against scripted engines. */
#include "client.h"
#include "connection.h"
#include "stage.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_start_request(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    CHECK(strcmp(open->open->method, "holdfast.v1.WorkflowService/StartWorkflow") == 0);
    CHECK(open->open->end && open->open->timeout_ms > 4000 && open->open->timeout_ms <= 5000);
    Holdfast__V1__StartWorkflowRequest *request = holdfast__v1__start_workflow_request__unpack(
        NULL, open->open->message.len, open->open->message.data);
    CHECK(strcmp(request->workflow_id, "order-1") == 0);
    CHECK(strcmp(request->namespace_, "space") == 0);
    CHECK(strcmp(request->identity, "tester") == 0);
    CHECK(strlen(request->request_id) == 36);
    CHECK(request->n_input == 2 && strcmp(request->input[0]->encoding, "json/plain") == 0);
    CHECK(strcmp(request->input[1]->encoding, "binary/plain") == 0);
    CHECK(request->input[1]->n_metadata == 2);
    CHECK(strcmp(request->input[1]->metadata[0]->key, "a") == 0);
    CHECK(request->header->n_fields == 1);
    CHECK(strcmp(request->user_metadata->summary, "an order") == 0);
    CHECK(request->execution_timeout_ms == 60000 && request->id_conflict_policy == 2);
    holdfast__v1__start_workflow_request__free_unpacked(request, NULL);
    stage_answer_start(peer, open);
    fake_free(open);
    fake_wait_for_close(peer);
}

static void a_start_carries_all_its_options(void)
{
    fake_engine engine;
    fake_prepare(&engine, check_start_request, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_metadata metadata[] = {{HOLDFAST_STR("b"), {"2", 1}}, {HOLDFAST_STR("a"), {"1", 1}}};
    holdfast_payload input[] = {holdfast_json("{\"total\":3}"), {.data = {"\0\1", 2}}};
    input[1].metadata = metadata;
    input[1].metadata_count = 2;
    holdfast_header_field field = {HOLDFAST_STR("trace"), holdfast_json("1")};
    holdfast_start_options options = stage_start_options("order-1");
    options.input = (holdfast_payloads){input, 2};
    options.header = (holdfast_header){&field, 1};
    options.summary = holdfast_str("an order");
    options.execution_timeout_ms = 60000;
    options.id_conflict_policy = HOLDFAST_ID_CONFLICT_USE_EXISTING;
    holdfast_reply *reply = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, &reply, NULL));
    CHECK(string_is(holdfast_reply_run_id(reply), "run:order-1") && holdfast_reply_started(reply));
    CHECK(holdfast_reply_message(reply).len > 0);
    holdfast_reply_free(reply);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void faults_of_the_caller_are_told_with_their_field(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_error *error = NULL;
    holdfast_start_options options = stage_start_options("a");
    options.workflow_id = (holdfast_string){"a\0b", 3};
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, &options, NULL, &error));
    CHECK(string_is(error->field, "workflow_id"));
    holdfast_error_free(error);
    options = stage_start_options("\xff");
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, &options, NULL, &error));
    holdfast_error_free(error);
    options = stage_start_options("");
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, &options, NULL, NULL));
    options = stage_start_options("a");
    options.struct_size = 4;
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, &options, NULL, NULL));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, NULL, NULL, NULL));
    holdfast_metadata twice[] = {{HOLDFAST_STR("a"), {0}}, {HOLDFAST_STR("a"), {0}}};
    holdfast_payload payload = {.metadata = twice, .metadata_count = 2};
    options = stage_start_options("a");
    options.input = (holdfast_payloads){&payload, 1};
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_start_workflow(client, &options, NULL, NULL));
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT,
                 holdfast_client_call(client, "holdfast.v1.WorkflowService/StartWorkflow",
                                      (holdfast_bytes){"\x12\x02"
                                                       "a\0",
                                                       4},
                                      100, NULL, &error));
    CHECK(string_is(error->field, "workflow_id"));
    holdfast_error_free(error);
    uint8_t *large = calloc(1, 5 * 1024 * 1024);
    payload = holdfast_binary(large, 5 * 1024 * 1024);
    CHECK_STATUS(HOLDFAST_TOO_LARGE, holdfast_start_workflow(client, &options, NULL, &error));
    holdfast_error_free(error);
    free(large);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void refuse_all(fake_peer *peer, void *context)
{
    const int *refusal = context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open;
    while ((open = fake_next_open(peer)) != NULL) {
        fake_refuse(peer, open->stream, refusal[0], refusal[1], refusal[2]);
        fake_free(open);
    }
}

static void a_refusal_is_told_whole(void)
{
    int refusal[] = {HOLDFAST_ALREADY_EXISTS, HOLDFAST__V1__REASON__REASON_WORKFLOW_ALREADY_STARTED,
                     0};
    fake_engine engine;
    fake_prepare(&engine, refuse_all, refusal);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options options = stage_start_options("a");
    holdfast_error *error = NULL;
    holdfast_reply *reply = (void *)1;
    CHECK_STATUS(HOLDFAST_ALREADY_EXISTS,
                 holdfast_start_workflow(client, &options, &reply, &error));
    CHECK(reply == NULL && error->code == HOLDFAST_ALREADY_EXISTS && error->reason == 10);
    CHECK(strcmp(error->reason_name, "WORKFLOW_ALREADY_STARTED") == 0);
    CHECK(string_is(error->field, "some.field") && string_is(error->run_id, "run-1"));
    CHECK(string_is(error->message, "refused by the script") && !error->retryable);
    holdfast_error_free(error);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* The first connection takes the start and dies; the second must get the same request id. */
static char first_request_id[64];

static void die_after_the_first_start(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return;
    Holdfast__V1__SignalWithStartWorkflowRequest *request =
        holdfast__v1__signal_with_start_workflow_request__unpack(NULL, open->open->message.len,
                                                                 open->open->message.data);
    CHECK(request != NULL && strlen(request->start->request_id) == 36);
    CHECK(strcmp(request->start->identity, "tester") == 0);
    CHECK(strcmp(request->signal_name, "go") == 0);
    if (peer->number == 1) {
        strcpy(first_request_id, request->start->request_id);
    } else {
        CHECK(strcmp(first_request_id, request->start->request_id) == 0);
        Holdfast__V1__StartWorkflowResponse response = HOLDFAST__V1__START_WORKFLOW_RESPONSE__INIT;
        response.run_id = (char *)"r";
        fake_answer(peer, open->stream, &response.base);
    }
    holdfast__v1__signal_with_start_workflow_request__free_unpacked(request, NULL);
    fake_free(open);
    if (peer->number > 1)
        fake_wait_for_close(peer);
}

static void a_lost_request_is_sent_again_with_its_id(void)
{
    fake_engine engine;
    fake_prepare(&engine, die_after_the_first_start, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options start = stage_start_options("a");
    holdfast_signal_with_start_options options = {
        .struct_size = sizeof options, .start = &start, .signal_name = HOLDFAST_STR("go")};
    holdfast_reply *reply = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_signal_with_start(client, &options, &reply, NULL));
    CHECK(string_is(holdfast_reply_run_id(reply), "r") && !holdfast_reply_started(reply));
    holdfast_reply_free(reply);
    CHECK(atomic_load(&engine.connections) == 2);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void answer_starts(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open;
    while ((open = fake_next_open(peer)) != NULL) {
        stage_answer_start(peer, open);
        fake_free(open);
    }
}

/* Another thread may see that state while the one that closes the connection lets go of the lock.
 */
static void a_call_on_a_connection_that_has_just_failed_is_sent_over_the_next(void)
{
    fake_engine engine;
    fake_prepare(&engine, answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options options = stage_start_options("a");
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    pthread_mutex_lock(&client->lock);
    holdfast_error *error = NULL;
    hf_fail(&error, HOLDFAST_DISCONNECTED, "the engine closed the connection");
    hf_connection_fail(client->link.connection, error);
    shutdown(client->link.fd, SHUT_RDWR);
    pthread_mutex_unlock(&client->lock);
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    CHECK(atomic_load(&engine.connections) == 2);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void overloaded_twice(fake_peer *peer, void *context)
{
    int *opens = context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open;
    while ((open = fake_next_open(peer)) != NULL) {
        if (++*opens <= 2)
            fake_refuse(peer, open->stream, HOLDFAST_RESOURCE_EXHAUSTED,
                        HOLDFAST__V1__REASON__REASON_OVERLOADED, 30);
        else
            stage_answer_start(peer, open);
        fake_free(open);
    }
}

static void retry_after_is_obeyed_within_the_timeout(void)
{
    int opens = 0;
    fake_engine engine;
    fake_prepare(&engine, overloaded_twice, &opens);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options options = stage_start_options("a");
    int64_t before = hf_now_ms();
    CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(client, &options, NULL, NULL));
    CHECK(hf_now_ms() - before >= 60 && opens == 3);
    opens = 0;
    options.timeout_ms = 40; /* the second pause would not fit: the refusal is the answer */
    CHECK_STATUS(HOLDFAST_RESOURCE_EXHAUSTED,
                 holdfast_start_workflow(client, &options, NULL, NULL));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void say_nothing(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    fake_wait_for_close(peer);
}

static void a_call_ends_with_its_timeout(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_start_options options = stage_start_options("a");
    options.timeout_ms = 50;
    int64_t before = hf_now_ms();
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_start_workflow(client, &options, NULL, &error));
    CHECK(hf_now_ms() - before >= 50 && hf_now_ms() - before < 2000 && error->retryable);
    holdfast_error_free(error);
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_submit(client, "holdfast.v1.OperatorService/Health",
                                                     (holdfast_bytes){0}, 50, 7, NULL));
    holdfast_completion *completion = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 5000, &completion));
    CHECK(completion->tag == 7 && completion->status == HOLDFAST_TIMEOUT);
    holdfast_completion_free(completion);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void no_engine_is_told(void)
{
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .socket_path = HOLDFAST_STR("/nonexistent/socket"),
                                       .connect_timeout_ms = 50};
    holdfast_client *client = NULL;
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_DISCONNECTED, holdfast_client_connect(&options, &client, &error));
    CHECK(client == NULL && strstr(error->message.ptr, "/nonexistent/socket") != NULL);
    holdfast_error_free(error);
    options.reconnect.never = true;
    options.connect_timeout_ms = 60000;
    int64_t before = hf_now_ms();
    CHECK_STATUS(HOLDFAST_DISCONNECTED, holdfast_client_connect(&options, &client, NULL));
    CHECK(hf_now_ms() - before < 1000);
    char longest[200];
    memset(longest, 'a', sizeof longest);
    options.socket_path = (holdfast_string){longest, sizeof longest};
    CHECK_STATUS(HOLDFAST_BAD_ARGUMENT, holdfast_client_connect(&options, &client, NULL));
}

static void another_uid_is_refused(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine.path),
                                       .require_server_uid = true,
                                       .server_uid = getuid() + 1};
    holdfast_client *client = NULL;
    CHECK_STATUS(HOLDFAST_PERMISSION_DENIED, holdfast_client_connect(&options, &client, NULL));
    options.server_uid = getuid();
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_connect(&options, &client, NULL));
    holdfast_client_close(client);
    fake_stop(&engine);
}

typedef struct caller {
    holdfast_client *client;
    int number;
} caller;

static void *call_many(void *argument)
{
    caller *self = argument;
    for (int i = 0; i < 200; i++) {
        char id[32], run[40];
        snprintf(id, sizeof id, "w%d-%d", self->number, i);
        snprintf(run, sizeof run, "run:%s", id);
        holdfast_start_options options = stage_start_options(id);
        holdfast_reply *reply = NULL;
        CHECK_STATUS(HOLDFAST_OK, holdfast_start_workflow(self->client, &options, &reply, NULL));
        CHECK(string_is(holdfast_reply_run_id(reply), run));
        holdfast_reply_free(reply);
    }
    return NULL;
}

static void many_threads_share_a_connection(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    engine.streams_max = 5; /* fewer than threads: the others wait their turn */
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    enum { THREADS = 12 };
    pthread_t threads[THREADS];
    caller callers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){client, i};
        CHECK(pthread_create(&threads[i], NULL, call_many, &callers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(atomic_load(&engine.connections) == 1);
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void submitted_calls_complete_in_any_order(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    enum { CALLS = 300 };
    for (uint64_t i = 0; i < CALLS; i++) {
        char request[16];
        int length = snprintf(request, sizeof request, "\x12\x04%04d", (int)i);
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_client_submit(client, "holdfast.v1.WorkflowService/StartWorkflow",
                                            (holdfast_bytes){request, (size_t)length}, 0, i, NULL));
    }
    bool seen[CALLS] = {false};
    for (int i = 0; i < CALLS; i++) {
        holdfast_completion *completion = NULL;
        CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 5000, &completion));
        CHECK(completion->status == HOLDFAST_OK && completion->error == NULL);
        CHECK(completion->tag < CALLS && !seen[completion->tag]);
        seen[completion->tag] = true;
        Holdfast__V1__StartWorkflowResponse *response =
            holdfast__v1__start_workflow_response__unpack(NULL, completion->response.len,
                                                          completion->response.ptr);
        char run[32];
        snprintf(run, sizeof run, "run:%04d", (int)completion->tag);
        CHECK(strcmp(response->run_id, run) == 0);
        holdfast__v1__start_workflow_response__free_unpacked(response, NULL);
        holdfast_completion_free(completion);
    }
    holdfast_completion *none = NULL;
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_client_next_completion(client, 0, &none));
    CHECK_STATUS(HOLDFAST_NOT_FOUND, holdfast_client_cancel_call(client, 3));
    holdfast_client_close(client);
    fake_stop(&engine);
}

static void cancelled_and_shut_down_calls_end(void)
{
    fake_engine engine;
    fake_prepare(&engine, say_nothing, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    const char *method = "holdfast.v1.OperatorService/Health";
    for (uint64_t tag = 1; tag <= 3; tag++)
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_client_submit(client, method, (holdfast_bytes){0}, -1, tag, NULL));
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_cancel_call(client, 2));
    holdfast_completion *completion = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 1000, &completion));
    CHECK(completion->tag == 2 && completion->status == HOLDFAST_CANCELLED);
    holdfast_completion_free(completion);
    holdfast_client_shutdown(client);
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_next_completion(client, 1000, &completion));
    CHECK(completion->status == HOLDFAST_CLOSED);
    holdfast_completion_free(completion);
    CHECK_STATUS(HOLDFAST_CLOSED,
                 holdfast_client_call(client, method, (holdfast_bytes){0}, 0, NULL, NULL));
    holdfast_client_close(client); /* with one completion that nobody took */
    fake_stop(&engine);
}

static void answer_results(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return;
    CHECK(open->open->timeout_ms == 0);
    Holdfast__V1__Payload detail = HOLDFAST__V1__PAYLOAD__INIT;
    detail.encoding = (char *)"json/plain";
    detail.data = (ProtobufCBinaryData){1, (uint8_t *)"1"};
    Holdfast__V1__Payload *details[] = {&detail};
    Holdfast__V1__ApplicationFailure application = HOLDFAST__V1__APPLICATION_FAILURE__INIT;
    application.type = (char *)"Declined";
    application.non_retryable = true;
    application.details = details;
    application.n_details = 1;
    Holdfast__V1__FailureInfo cause = HOLDFAST__V1__FAILURE_INFO__INIT;
    cause.message = (char *)"card declined";
    cause.kind_case = HOLDFAST__V1__FAILURE_INFO__KIND_APPLICATION;
    cause.application = &application;
    Holdfast__V1__ActivityFailure activity = HOLDFAST__V1__ACTIVITY_FAILURE__INIT;
    activity.activity_type = (char *)"charge";
    Holdfast__V1__FailureInfo info = HOLDFAST__V1__FAILURE_INFO__INIT;
    info.message = (char *)"activity failed";
    info.kind_case = HOLDFAST__V1__FAILURE_INFO__KIND_ACTIVITY;
    info.activity = &activity;
    Holdfast__V1__FailureInfo *causes[] = {&cause};
    Holdfast__V1__Failure failure = HOLDFAST__V1__FAILURE__INIT;
    failure.info = &info;
    failure.causes = causes;
    failure.n_causes = 1;
    Holdfast__V1__GetWorkflowResultResponse response =
        HOLDFAST__V1__GET_WORKFLOW_RESULT_RESPONSE__INIT;
    response.status = HOLDFAST__V1__WORKFLOW_STATUS__WORKFLOW_STATUS_FAILED;
    response.run_id = (char *)"r";
    response.failure = &failure;
    fake_answer(peer, open->stream, &response.base);
    fake_free(open);
    fake_wait_for_close(peer);
}

static void a_result_tells_its_failure(void)
{
    fake_engine engine;
    fake_prepare(&engine, answer_results, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_connect(&engine);
    holdfast_workflow_options options = {.struct_size = sizeof options,
                                         .workflow_id = HOLDFAST_STR("w")};
    holdfast_reply *reply = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_get_result(client, &options, &reply, NULL));
    CHECK(holdfast_reply_workflow_status(reply) == HOLDFAST_WORKFLOW_FAILED);
    const holdfast_failure *failure = holdfast_reply_failure(reply);
    CHECK(failure->kind == HOLDFAST_FAILURE_ACTIVITY && failure->causes_count == 1);
    CHECK(string_is(failure->type, "charge") && failure->serialized.len > 0);
    const holdfast_failure *cause = &failure->causes[0];
    CHECK(cause->kind == HOLDFAST_FAILURE_APPLICATION && cause->non_retryable);
    CHECK(string_is(cause->type, "Declined") && string_is(cause->message, "card declined"));
    CHECK(cause->details.count == 1 && cause->details.items[0].data.len == 1);
    holdfast_reply_free(reply);
    holdfast_client_close(client);
    fake_stop(&engine);
}

const test_case client_tests[] = {
    {"a_start_carries_all_its_options", a_start_carries_all_its_options, false},
    {"faults_of_the_caller_are_told_with_their_field",
     faults_of_the_caller_are_told_with_their_field, false},
    {"a_refusal_is_told_whole", a_refusal_is_told_whole, false},
    {"a_lost_request_is_sent_again_with_its_id", a_lost_request_is_sent_again_with_its_id, false},
    {"a_call_on_a_connection_that_has_just_failed_is_sent_over_the_next",
     a_call_on_a_connection_that_has_just_failed_is_sent_over_the_next, false},
    {"retry_after_is_obeyed_within_the_timeout", retry_after_is_obeyed_within_the_timeout, false},
    {"a_call_ends_with_its_timeout", a_call_ends_with_its_timeout, false},
    {"no_engine_is_told", no_engine_is_told, false},
    {"another_uid_is_refused", another_uid_is_refused, false},
    {"many_threads_share_a_connection", many_threads_share_a_connection, false},
    {"submitted_calls_complete_in_any_order", submitted_calls_complete_in_any_order, false},
    {"cancelled_and_shut_down_calls_end", cancelled_and_shut_down_calls_end, false},
    {"a_result_tells_its_failure", a_result_tells_its_failure, false},
    {0},
};
