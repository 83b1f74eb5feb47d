/* The answer to a typed call. */
#ifndef HF_REPLY_H
#define HF_REPLY_H

#include "client.h"

struct holdfast_reply {
    hf_arena arena;
    holdfast_bytes message;
    holdfast_string run_id;
    bool started, cancel_requested, serving;
    holdfast_workflow_status workflow_status;
    holdfast_payloads payloads;
    bool failed;
    holdfast_failure failure;
};

/* Reads one kind of response into a reply; false: out of memory. */
typedef bool (*hf_reply_reader)(holdfast_reply *reply, const ProtobufCMessage *response);

/* Sends what the builder holds, and frees the builder. `reply` and `read` may be NULL. */
holdfast_status hf_typed_call(holdfast_client *client, hf_builder *builder, const char *method,
                              const ProtobufCMessage *request, int64_t timeout_ms,
                              hf_reply_reader read, holdfast_reply **reply);
/* Prepares a builder when the client and the options are usable. `given`: options->struct_size. */
holdfast_status hf_typed_begin(holdfast_client *client, const void *options, uint32_t given,
                               size_t expected, holdfast_reply **reply, hf_builder *builder,
                               holdfast_error **error);

#endif
