#include "reply.h"
#include "wire.h"

#include <stdlib.h>

holdfast_status hf_typed_begin(holdfast_client *client, const void *options, uint32_t given,
                               size_t expected, holdfast_reply **reply, hf_builder *builder,
                               holdfast_error **error)
{
    if (reply != NULL)
        *reply = NULL;
    holdfast_status status = hf_client_check(client, error);
    if (status != HOLDFAST_OK)
        return status;
    if (options == NULL)
        return hf_fail(error, HOLDFAST_BAD_ARGUMENT, "options is NULL");
    if (given != expected)
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "struct_size",
                             "struct_size is %u, not %zu", given, expected);
    hf_builder_init(builder, error);
    return HOLDFAST_OK;
}

static holdfast_status make_reply(const char *method, holdfast_bytes response, hf_reply_reader read,
                                  holdfast_reply **reply, holdfast_error **error)
{
    holdfast_reply *made = calloc(1, sizeof *made);
    if (made == NULL)
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    hf_arena_init(&made->arena, 0);
    const ProtobufCMessageDescriptor *request_type, *response_type;
    holdfast_string copy = hf_arena_copy(&made->arena, response.ptr, response.len);
    made->message = (holdfast_bytes){copy.ptr, copy.len};
    ProtobufCMessage *message = NULL;
    if (copy.ptr != NULL && hf_method_types(method, &request_type, &response_type))
        message = hf_unpack(&made->arena, response_type, made->message);
    if (message == NULL || !read(made, message)) {
        holdfast_reply_free(made);
        return hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "%s: the answer does not fit in memory",
                       method);
    }
    *reply = made;
    return HOLDFAST_OK;
}

holdfast_status hf_typed_call(holdfast_client *client, hf_builder *builder, const char *method,
                              const ProtobufCMessage *request, int64_t timeout_ms,
                              hf_reply_reader read, holdfast_reply **reply)
{
    holdfast_bytes bytes = hf_build_pack(builder, request), response = {0};
    holdfast_status status = builder->status;
    if (status == HOLDFAST_OK)
        status = hf_client_call(client, method, bytes, timeout_ms, &response, builder->error);
    if (status == HOLDFAST_OK && reply != NULL && read != NULL)
        status = make_reply(method, response, read, reply, builder->error);
    holdfast_bytes_free(&response);
    hf_builder_free(builder);
    return status;
}

holdfast_bytes holdfast_reply_message(const holdfast_reply *reply)
{
    return reply != NULL ? reply->message : (holdfast_bytes){0};
}

holdfast_string holdfast_reply_run_id(const holdfast_reply *reply)
{
    return reply != NULL && reply->run_id.ptr != NULL ? reply->run_id : holdfast_str("");
}

bool holdfast_reply_started(const holdfast_reply *reply)
{
    return reply != NULL && reply->started;
}

holdfast_workflow_status holdfast_reply_workflow_status(const holdfast_reply *reply)
{
    return reply != NULL ? reply->workflow_status : HOLDFAST_WORKFLOW_UNSPECIFIED;
}

holdfast_payloads holdfast_reply_payloads(const holdfast_reply *reply)
{
    return reply != NULL ? reply->payloads : (holdfast_payloads){0};
}

const holdfast_failure *holdfast_reply_failure(const holdfast_reply *reply)
{
    return reply != NULL && reply->failed ? &reply->failure : NULL;
}

bool holdfast_reply_cancel_requested(const holdfast_reply *reply)
{
    return reply != NULL && reply->cancel_requested;
}

bool holdfast_reply_serving(const holdfast_reply *reply)
{
    return reply != NULL && reply->serving;
}

void holdfast_reply_free(holdfast_reply *reply)
{
    if (reply == NULL)
        return;
    hf_arena_free(&reply->arena);
    free(reply);
}
