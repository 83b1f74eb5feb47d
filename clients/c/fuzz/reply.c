/* The answer to a typed call. The first byte chooses the call, the second says whether the rest is
 * the answer or the status of a refusal. */
#include "fuzz.h"

static const holdfast_workflow_options workflow = {.struct_size = sizeof workflow,
                                                   .workflow_id = HOLDFAST_STR("w")};

static holdfast_status start(holdfast_client *client, holdfast_reply **reply,
                             holdfast_error **error)
{
    holdfast_start_options options = {.struct_size = sizeof options,
                                      .workflow_id = HOLDFAST_STR("w"),
                                      .workflow_type = HOLDFAST_STR("Order"),
                                      .task_queue = HOLDFAST_STR("orders")};
    return holdfast_start_workflow(client, &options, reply, error);
}

static holdfast_status signal(holdfast_client *client, holdfast_reply **reply,
                              holdfast_error **error)
{
    holdfast_signal_options options = {.struct_size = sizeof options,
                                       .workflow_id = HOLDFAST_STR("w"),
                                       .signal_name = HOLDFAST_STR("s")};
    return holdfast_signal_workflow(client, &options, reply, error);
}

static holdfast_status query(holdfast_client *client, holdfast_reply **reply,
                             holdfast_error **error)
{
    holdfast_query_options options = {.struct_size = sizeof options,
                                      .workflow_id = HOLDFAST_STR("w"),
                                      .query_type = HOLDFAST_STR("q")};
    return holdfast_query_workflow(client, &options, reply, error);
}

static holdfast_status heartbeat(holdfast_client *client, holdfast_error **error)
{
    holdfast_activity_options options = {.struct_size = sizeof options, .token = {"token", 5}};
    bool cancel_requested;
    return holdfast_heartbeat_activity(client, &options, &cancel_requested, error);
}

/* *reply NULL after OK: the call gives none. */
static holdfast_status call(uint8_t choice, holdfast_client *client, holdfast_reply **reply,
                            holdfast_error **error)
{
    *reply = NULL;
    switch (choice % 8) {
    case 0:
        return holdfast_get_result(client, &workflow, reply, error);
    case 1:
        return start(client, reply, error);
    case 2:
        return signal(client, reply, error);
    case 3:
        return query(client, reply, error);
    case 4:
        return holdfast_describe_workflow(client, &workflow, reply, error);
    case 5:
        return holdfast_cancel_workflow(client, &workflow, reply, error);
    case 6:
        return heartbeat(client, error);
    default:
        return holdfast_health(client, 0, reply, error);
    }
}

static void touch_failure(const holdfast_failure *failure)
{
    fuzz_touch_string(failure->message);
    fuzz_touch_string(failure->type);
    fuzz_touch_string(failure->source);
    fuzz_touch_string(failure->stack_trace);
    fuzz_touch_payloads(failure->details);
    fuzz_touch(failure->serialized);
    for (size_t i = 0; i < failure->causes_count; i++)
        touch_failure(&failure->causes[i]);
}

static void touch_reply(const holdfast_reply *reply)
{
    fuzz_touch(holdfast_reply_message(reply));
    fuzz_touch_string(holdfast_reply_run_id(reply));
    fuzz_touch_payloads(holdfast_reply_payloads(reply));
    if (holdfast_reply_failure(reply) != NULL)
        touch_failure(holdfast_reply_failure(reply));
}

/* Puts an End for stream 1 into pieces. */
static void put_end(hf_buffer *pieces, bool refusal, holdfast_bytes rest)
{
    hf_buffer end = {0}, frame = {0};
    bool put = hf_put_bytes(&end, refusal ? 1 : 2, rest) && hf_put_number(&frame, 1, 1) &&
               hf_put_bytes(&frame, 7, hf_buffer_view(&end));
    uint32_t size = (uint32_t)hf_buffer_length(&frame);
    const uint8_t head[] = {4, size >> 24 & 0xff, size >> 16 & 0xff, size >> 8 & 0xff, size & 0xff};
    put = put && hf_buffer_append(pieces, head, sizeof head);
    for (size_t length; put && (length = hf_buffer_length(&frame)) > 0;) {
        const uint8_t piece = length < UINT8_MAX ? (uint8_t)length : UINT8_MAX;
        put = hf_buffer_append(pieces, &piece, 1) &&
              hf_buffer_append(pieces, hf_buffer_view(&frame).ptr, piece);
        hf_buffer_consume(&frame, piece);
    }
    FUZZ_CHECK(put);
    hf_buffer_free(&end);
    hf_buffer_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint8_t choice = fuzz_byte(&input);
    hf_buffer pieces = {0};
    put_end(&pieces, fuzz_byte(&input) % 2 == 1, (holdfast_bytes){input.at, input.left});
    holdfast_bytes engine = hf_buffer_view(&pieces);
    fuzz_world_begin((fuzz_input){engine.ptr, engine.len}, true, 1);
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .identity = HOLDFAST_STR("fuzz"),
                                       .reconnect = {.never = true}};
    holdfast_client *client;
    FUZZ_CHECK(holdfast_client_connect(&options, &client, NULL) == HOLDFAST_OK);
    holdfast_reply *reply;
    holdfast_error *error;
    holdfast_status status = call(choice, client, &reply, &error);
    if (status == HOLDFAST_OK) {
        touch_reply(reply);
        FUZZ_CHECK(error == NULL);
    } else {
        fuzz_check_error(error);
        FUZZ_CHECK(error->code == status && reply == NULL);
    }
    holdfast_reply_free(reply);
    holdfast_error_free(error);
    holdfast_client_close(client);
    fuzz_world_end();
    hf_buffer_free(&pieces);
    return 0;
}
