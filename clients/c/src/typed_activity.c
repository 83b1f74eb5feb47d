/* ActivityService with option structs: activities ended from anywhere. */
#include "reply.h"

#include "holdfast/v1/activity_service.pb-c.h"

#define ACTIVITY_SERVICE "holdfast.v1.ActivityService/"

static Holdfast__V1__ActivityReference *build_reference(hf_builder *builder,
                                                        const holdfast_activity_options *options)
{
    Holdfast__V1__ActivityReference *made = hf_build_alloc(builder, sizeof *made);
    Holdfast__V1__WorkflowExecution *execution = hf_build_alloc(builder, sizeof *execution);
    if (made == NULL || execution == NULL)
        return NULL;
    holdfast__v1__activity_reference__init(made);
    if (options->token.len > 0) {
        made->token = hf_build_bytes(options->token);
        return made;
    }
    if (options->workflow_id.len == 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, "workflow_id", "and token are both empty");
    if (options->activity_id.len == 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, "activity_id", "is empty");
    holdfast__v1__workflow_execution__init(execution);
    execution->workflow_id = hf_build_string(builder, options->workflow_id, "workflow_id");
    execution->run_id = hf_build_string(builder, options->run_id, "run_id");
    made->execution = execution;
    made->activity_id = hf_build_string(builder, options->activity_id, "activity_id");
    return made;
}

static holdfast_status begin(holdfast_client *client, const holdfast_activity_options *options,
                             hf_builder *builder, holdfast_error **error)
{
    return hf_typed_begin(client, options, options != NULL ? options->struct_size : 0,
                          sizeof *options, NULL, builder, error);
}

static int64_t timeout_of(const holdfast_client *client, const holdfast_activity_options *options)
{
    return options->timeout_ms != 0 ? options->timeout_ms : client->call_timeout_ms;
}

holdfast_status holdfast_complete_activity(holdfast_client *client,
                                           const holdfast_activity_options *options,
                                           holdfast_error **error)
{
    hf_builder b;
    holdfast_status status = begin(client, options, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__CompleteActivityRequest request = HOLDFAST__V1__COMPLETE_ACTIVITY_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.activity = build_reference(&b, options);
    request.result = hf_build_payloads(&b, options->payloads, "payloads", &request.n_result);
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, ACTIVITY_SERVICE "CompleteActivity", &request.base,
                         timeout_of(client, options), NULL, NULL);
}

holdfast_status holdfast_fail_activity(holdfast_client *client,
                                       const holdfast_activity_options *options,
                                       holdfast_error **error)
{
    hf_builder b;
    holdfast_status status = begin(client, options, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__FailActivityRequest request = HOLDFAST__V1__FAIL_ACTIVITY_REQUEST__INIT;
    if (options->failure == NULL)
        hf_builder_fault(&b, HOLDFAST_BAD_ARGUMENT, "failure", "is NULL");
    else
        request.failure = hf_build_failure(&b, options->failure, "failure");
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.activity = build_reference(&b, options);
    request.last_heartbeat_details =
        hf_build_payloads(&b, options->last_heartbeat_details, "last_heartbeat_details",
                          &request.n_last_heartbeat_details);
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, ACTIVITY_SERVICE "FailActivity", &request.base,
                         timeout_of(client, options), NULL, NULL);
}

holdfast_status holdfast_report_activity_cancelled(holdfast_client *client,
                                                   const holdfast_activity_options *options,
                                                   holdfast_error **error)
{
    hf_builder b;
    holdfast_status status = begin(client, options, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__ReportActivityCancelledRequest request =
        HOLDFAST__V1__REPORT_ACTIVITY_CANCELLED_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.activity = build_reference(&b, options);
    request.details = hf_build_payloads(&b, options->payloads, "payloads", &request.n_details);
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, ACTIVITY_SERVICE "ReportActivityCancelled", &request.base,
                         timeout_of(client, options), NULL, NULL);
}

static bool read_heartbeat(holdfast_reply *reply, const ProtobufCMessage *message)
{
    reply->cancel_requested =
        ((const Holdfast__V1__HeartbeatActivityResponse *)message)->cancel_requested;
    return true;
}

holdfast_status holdfast_heartbeat_activity(holdfast_client *client,
                                            const holdfast_activity_options *options,
                                            bool *cancel_requested, holdfast_error **error)
{
    if (cancel_requested != NULL)
        *cancel_requested = false;
    hf_builder b;
    holdfast_status status = begin(client, options, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__HeartbeatActivityRequest request = HOLDFAST__V1__HEARTBEAT_ACTIVITY_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.activity = build_reference(&b, options);
    request.details = hf_build_payloads(&b, options->payloads, "payloads", &request.n_details);
    holdfast_reply *reply = NULL;
    status = hf_typed_call(client, &b, ACTIVITY_SERVICE "HeartbeatActivity", &request.base,
                           timeout_of(client, options), read_heartbeat, &reply);
    if (cancel_requested != NULL)
        *cancel_requested = holdfast_reply_cancel_requested(reply);
    holdfast_reply_free(reply);
    return status;
}
