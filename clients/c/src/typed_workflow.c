/* WorkflowService and Health with option structs. */
#include "reply.h"
#include "wire.h"

#include "holdfast/v1/operator_service.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

#define WORKFLOW_SERVICE "holdfast.v1.WorkflowService/"

/* Fills a struct member that is a message, from the builder's arena. */
static Holdfast__V1__WorkflowExecution *
build_execution(hf_builder *builder, holdfast_string workflow_id, holdfast_string run_id)
{
    if (workflow_id.len == 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, "workflow_id", "is empty");
    Holdfast__V1__WorkflowExecution *made = hf_build_alloc(builder, sizeof *made);
    if (made == NULL)
        return NULL;
    holdfast__v1__workflow_execution__init(made);
    made->workflow_id = hf_build_string(builder, workflow_id, "workflow_id");
    made->run_id = hf_build_string(builder, run_id, "run_id");
    return made;
}

static int64_t timeout_or_default(const holdfast_client *client, int64_t timeout_ms)
{
    return timeout_ms != 0 ? timeout_ms : client->call_timeout_ms;
}

static void require(hf_builder *builder, holdfast_string value, const char *field)
{
    if (value.len == 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "is empty");
}

static void build_start(hf_builder *builder, const holdfast_start_options *options,
                        Holdfast__V1__StartWorkflowRequest *request)
{
    holdfast__v1__start_workflow_request__init(request);
    require(builder, options->workflow_id, "workflow_id");
    require(builder, options->workflow_type, "workflow_type");
    require(builder, options->task_queue, "task_queue");
    request->namespace_ = hf_build_string(builder, options->name_space, "namespace");
    request->workflow_id = hf_build_string(builder, options->workflow_id, "workflow_id");
    request->workflow_type = hf_build_string(builder, options->workflow_type, "workflow_type");
    request->task_queue = hf_build_string(builder, options->task_queue, "task_queue");
    request->input = hf_build_payloads(builder, options->input, "input", &request->n_input);
    request->header = hf_build_header(builder, options->header, "header");
    request->execution_timeout_ms = options->execution_timeout_ms;
    request->run_timeout_ms = options->run_timeout_ms;
    request->task_timeout_ms = options->task_timeout_ms;
    request->id_reuse_policy = (Holdfast__V1__WorkflowIdReusePolicy)options->id_reuse_policy;
    request->id_conflict_policy =
        (Holdfast__V1__WorkflowIdConflictPolicy)options->id_conflict_policy;
    request->request_id = hf_build_string(builder, options->request_id, "request_id");
    if (options->summary.len == 0 && options->details.len == 0)
        return;
    request->user_metadata = hf_build_alloc(builder, sizeof *request->user_metadata);
    if (request->user_metadata == NULL)
        return;
    holdfast__v1__user_metadata__init(request->user_metadata);
    request->user_metadata->summary = hf_build_string(builder, options->summary, "summary");
    request->user_metadata->details = hf_build_string(builder, options->details, "details");
}

static bool read_start(holdfast_reply *reply, const ProtobufCMessage *message)
{
    const Holdfast__V1__StartWorkflowResponse *response = (const void *)message;
    reply->run_id = holdfast_str(response->run_id);
    reply->started = response->started;
    return true;
}

holdfast_status holdfast_start_workflow(holdfast_client *client,
                                        const holdfast_start_options *options,
                                        holdfast_reply **reply, holdfast_error **error)
{
    hf_builder builder;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &builder, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__StartWorkflowRequest request;
    build_start(&builder, options, &request);
    return hf_typed_call(client, &builder, WORKFLOW_SERVICE "StartWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_start, reply);
}

static bool read_signal(holdfast_reply *reply, const ProtobufCMessage *message)
{
    reply->run_id = holdfast_str(((const Holdfast__V1__SignalWorkflowResponse *)message)->run_id);
    return true;
}

holdfast_status holdfast_signal_workflow(holdfast_client *client,
                                         const holdfast_signal_options *options,
                                         holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__SignalWorkflowRequest request = HOLDFAST__V1__SIGNAL_WORKFLOW_REQUEST__INIT;
    require(&b, options->signal_name, "signal_name");
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    request.signal_name = hf_build_string(&b, options->signal_name, "signal_name");
    request.input = hf_build_payloads(&b, options->input, "input", &request.n_input);
    request.header = hf_build_header(&b, options->header, "header");
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "SignalWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_signal, reply);
}

holdfast_status holdfast_signal_with_start(holdfast_client *client,
                                           const holdfast_signal_with_start_options *options,
                                           holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    const holdfast_start_options *start = options->start;
    if (start == NULL || start->struct_size != sizeof *start) {
        hf_builder_free(&b);
        return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, "start",
                             "start is NULL or has a wrong struct_size");
    }
    Holdfast__V1__StartWorkflowRequest inner;
    Holdfast__V1__SignalWithStartWorkflowRequest request =
        HOLDFAST__V1__SIGNAL_WITH_START_WORKFLOW_REQUEST__INIT;
    build_start(&b, start, &inner);
    require(&b, options->signal_name, "signal_name");
    request.start = &inner;
    request.signal_name = hf_build_string(&b, options->signal_name, "signal_name");
    request.signal_input =
        hf_build_payloads(&b, options->signal_input, "signal_input", &request.n_signal_input);
    request.signal_header = hf_build_header(&b, options->signal_header, "signal_header");
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "SignalWithStartWorkflow", &request.base,
                         timeout_or_default(client, start->timeout_ms), read_start, reply);
}

static bool read_query(holdfast_reply *reply, const ProtobufCMessage *message)
{
    const Holdfast__V1__QueryWorkflowResponse *response = (const void *)message;
    return hf_view_payloads(&reply->arena, response->n_result, response->result, &reply->payloads);
}

holdfast_status holdfast_query_workflow(holdfast_client *client,
                                        const holdfast_query_options *options,
                                        holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__QueryWorkflowRequest request = HOLDFAST__V1__QUERY_WORKFLOW_REQUEST__INIT;
    require(&b, options->query_type, "query_type");
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    request.query_type = hf_build_string(&b, options->query_type, "query_type");
    request.args = hf_build_payloads(&b, options->args, "args", &request.n_args);
    request.header = hf_build_header(&b, options->header, "header");
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "QueryWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_query, reply);
}

static bool read_result(holdfast_reply *reply, const ProtobufCMessage *message)
{
    const Holdfast__V1__GetWorkflowResultResponse *response = (const void *)message;
    reply->run_id = holdfast_str(response->run_id);
    reply->workflow_status = (holdfast_workflow_status)response->status;
    if (!hf_view_payloads(&reply->arena, response->n_result, response->result, &reply->payloads))
        return false;
    reply->failed = response->failure != NULL;
    const uint32_t failure_field = 4;
    holdfast_bytes serialized = {0};
    hf_find_bytes(reply->message, failure_field, &serialized);
    return !reply->failed ||
           hf_view_failure(&reply->arena, response->failure, serialized, &reply->failure);
}

holdfast_status holdfast_get_result(holdfast_client *client,
                                    const holdfast_workflow_options *options,
                                    holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__GetWorkflowResultRequest request =
        HOLDFAST__V1__GET_WORKFLOW_RESULT_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "GetWorkflowResult", &request.base,
                         options->timeout_ms != 0 ? options->timeout_ms : -1, read_result, reply);
}

static bool read_nothing(holdfast_reply *reply, const ProtobufCMessage *message)
{
    (void)reply;
    (void)message;
    return true;
}

holdfast_status holdfast_cancel_workflow(holdfast_client *client,
                                         const holdfast_workflow_options *options,
                                         holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__CancelWorkflowRequest request = HOLDFAST__V1__CANCEL_WORKFLOW_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    request.reason = hf_build_string(&b, options->reason, "reason");
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "CancelWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_nothing, reply);
}

holdfast_status holdfast_terminate_workflow(holdfast_client *client,
                                            const holdfast_workflow_options *options,
                                            holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__TerminateWorkflowRequest request = HOLDFAST__V1__TERMINATE_WORKFLOW_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    request.reason = hf_build_string(&b, options->reason, "reason");
    request.details = hf_build_payloads(&b, options->details, "details", &request.n_details);
    request.request_id = hf_build_string(&b, options->request_id, "request_id");
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "TerminateWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_nothing, reply);
}

static bool read_describe(holdfast_reply *reply, const ProtobufCMessage *message)
{
    const Holdfast__V1__DescribeWorkflowResponse *response = (const void *)message;
    reply->cancel_requested = response->cancel_requested;
    if (response->info == NULL)
        return true;
    reply->workflow_status = (holdfast_workflow_status)response->info->status;
    if (response->info->execution != NULL)
        reply->run_id = holdfast_str(response->info->execution->run_id);
    return true;
}

holdfast_status holdfast_describe_workflow(holdfast_client *client,
                                           const holdfast_workflow_options *options,
                                           holdfast_reply **reply, holdfast_error **error)
{
    hf_builder b;
    holdfast_status status =
        hf_typed_begin(client, options, options != NULL ? options->struct_size : 0, sizeof *options,
                       reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__DescribeWorkflowRequest request = HOLDFAST__V1__DESCRIBE_WORKFLOW_REQUEST__INIT;
    request.namespace_ = hf_build_string(&b, options->name_space, "namespace");
    request.execution = build_execution(&b, options->workflow_id, options->run_id);
    return hf_typed_call(client, &b, WORKFLOW_SERVICE "DescribeWorkflow", &request.base,
                         timeout_or_default(client, options->timeout_ms), read_describe, reply);
}

static bool read_health(holdfast_reply *reply, const ProtobufCMessage *message)
{
    const Holdfast__V1__HealthResponse *response = (const void *)message;
    reply->serving = response->state == HOLDFAST__V1__HEALTH_STATE__HEALTH_STATE_SERVING;
    return true;
}

holdfast_status holdfast_health(holdfast_client *client, int64_t timeout_ms, holdfast_reply **reply,
                                holdfast_error **error)
{
    hf_builder b;
    holdfast_status status = hf_typed_begin(client, client, 0, 0, reply, &b, error);
    if (status != HOLDFAST_OK)
        return status;
    Holdfast__V1__HealthRequest request = HOLDFAST__V1__HEALTH_REQUEST__INIT;
    return hf_typed_call(client, &b, "holdfast.v1.OperatorService/Health", &request.base,
                         timeout_or_default(client, timeout_ms), read_health, reply);
}
