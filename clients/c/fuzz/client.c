/* A client with calls and a stream under way, and a lying engine. The first byte is a set of flags,
 * the rest is the engine's part (fuzz.h). */
#include "fuzz.h"

#include <poll.h>

enum { GREETED = 1, NEVER = 2, UNKNOWN_METHOD = 4, LOOPED = 8 };

#define CALLS 4u
#define CONNECTIONS_MAX 3u

static const char *const methods[CALLS] = {
    "holdfast.v1.WorkflowService/StartWorkflow", "holdfast.v1.WorkflowService/GetWorkflowResult",
    "holdfast.v1.OperatorService/Health", "holdfast.v1.WorkflowService/DescribeWorkflow"};

static const char history[] = "holdfast.v1.WorkflowService/GetHistory";

typedef struct submitted {
    bool done[CALLS];
    bool any_method; /* of a later engine: its answers are not checked */
} submitted;

static const char *method_of(const submitted *calls, size_t number)
{
    return calls->any_method ? "holdfast.v2.Later/Call" : methods[number];
}

/* What the check let through is well-formed. */
static void check_response(const char *method, holdfast_bytes response)
{
    const ProtobufCMessageDescriptor *request_type, *response_type;
    hf_fault fault;
    fuzz_touch(response);
    if (hf_method_types(method, &request_type, &response_type))
        FUZZ_CHECK(hf_wire_check(response_type, response, &fault));
}

static void check_completion(submitted *calls, const holdfast_completion *completion)
{
    FUZZ_CHECK(completion->tag < CALLS && !calls->done[completion->tag]);
    calls->done[completion->tag] = true;
    if (completion->status == HOLDFAST_OK) {
        FUZZ_CHECK(completion->error == NULL);
        check_response(method_of(calls, completion->tag), completion->response);
        return;
    }
    fuzz_check_error(completion->error);
    FUZZ_CHECK(completion->error->code == completion->status);
}

/* One look for completions and messages; false: both have ended. */
static bool look(holdfast_client *client, holdfast_stream *stream, submitted *calls,
                 int64_t wait_ms)
{
    holdfast_completion *completion;
    holdfast_status status = holdfast_client_next_completion(client, wait_ms, &completion);
    if (status == HOLDFAST_OK)
        check_completion(calls, completion);
    holdfast_completion_free(completion);
    holdfast_bytes message;
    holdfast_error *error;
    holdfast_status streamed = holdfast_stream_next(stream, 0, &message, &error);
    if (streamed == HOLDFAST_OK)
        check_response(history, message);
    else if (streamed != HOLDFAST_CLOSED)
        fuzz_check_error(error);
    holdfast_error_free(error);
    return status == HOLDFAST_OK || streamed == HOLDFAST_OK;
}

/* As a caller's loop does: what nothing tells and no time ends, the world does not wait for. */
static void process(holdfast_client *client)
{
    struct pollfd slot = {.fd = holdfast_client_fd(client), .events = POLLIN};
    int64_t timeout_ms = holdfast_client_timeout_ms(client);
    poll(&slot, 1, (int)timeout_ms);
    holdfast_error *error;
    if (holdfast_client_process(client, &error) != HOLDFAST_OK)
        fuzz_check_error(error);
    holdfast_error_free(error);
}

static void use(holdfast_client *client, bool looped, submitted *calls)
{
    holdfast_stream *stream;
    for (uint64_t i = 0; i < CALLS; i++)
        FUZZ_CHECK(holdfast_client_submit(client, method_of(calls, i), (holdfast_bytes){0}, -1, i,
                                          NULL) == HOLDFAST_OK);
    FUZZ_CHECK(holdfast_client_open(client, history, (holdfast_bytes){0}, 0, &stream, NULL) ==
               HOLDFAST_OK);
    while (fuzz_world_lives()) {
        if (looped)
            process(client);
        look(client, stream, calls, looped ? 0 : 1000);
    }
    holdfast_client_shutdown(client);
    while (look(client, stream, calls, 0))
        ;
    for (size_t i = 0; i < CALLS; i++)
        FUZZ_CHECK(calls->done[i]);
    holdfast_stream_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint8_t flags = fuzz_byte(&input);
    fuzz_world_begin(input, flags & GREETED, flags & NEVER ? 1 : CONNECTIONS_MAX);
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .identity = HOLDFAST_STR("fuzz"),
                                       .reconnect = {.never = flags & NEVER}};
    holdfast_client *client;
    holdfast_error *error;
    holdfast_status status = flags & LOOPED ? holdfast_client_create(&options, &client, &error)
                                            : holdfast_client_connect(&options, &client, &error);
    if (status == HOLDFAST_OK) {
        submitted calls = {.any_method = flags & UNKNOWN_METHOD};
        use(client, flags & LOOPED, &calls);
    } else {
        FUZZ_CHECK(client == NULL);
        fuzz_check_error(error);
        FUZZ_CHECK(error->code == status);
    }
    holdfast_error_free(error);
    holdfast_client_close(client);
    fuzz_world_end();
    return 0;
}
