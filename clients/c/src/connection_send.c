/* Streams, from our side. */
#include "connection.h"

#include <stdlib.h>

/* Its slots bound the one, and the sides of the other take turns. */
static bool is_unmetered(const char *method)
{
    return strcmp(method, "holdfast.v1.WorkerService/Work") == 0 ||
           strcmp(method, "holdfast.v1.WorkerService/Replay") == 0;
}

static holdfast_status usable(const holdfast_connection *connection)
{
    if (connection == NULL)
        return HOLDFAST_BAD_ARGUMENT;
    switch (connection->phase) {
    case HF_PHASE_FAILED:
        return HOLDFAST_CLOSED;
    case HF_PHASE_HELLO:
        return HOLDFAST_FAILED_PRECONDITION;
    case HF_PHASE_READY:
    case HF_PHASE_DRAINING:
        return HOLDFAST_OK;
    }
    return HOLDFAST_CLOSED;
}

static holdfast_status queue_open(holdfast_connection *connection, uint64_t id, const char *method,
                                  holdfast_bytes message, int64_t timeout_ms, bool end)
{
    Holdfast__V1__Open open = HOLDFAST__V1__OPEN__INIT;
    open.method = (char *)method;
    open.timeout_ms = timeout_ms;
    open.message = (ProtobufCBinaryData){message.len, (uint8_t *)message.ptr};
    open.end = end;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = id;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_OPEN;
    frame.open = &open;
    return hf_connection_queue(connection, &frame);
}

holdfast_status holdfast_connection_open(holdfast_connection *connection, const char *method,
                                         holdfast_bytes message, int64_t timeout_ms, bool end,
                                         uint64_t *stream)
{
    holdfast_status status = usable(connection);
    if (status != HOLDFAST_OK)
        return status;
    if (connection->phase == HF_PHASE_DRAINING)
        return HOLDFAST_FAILED_PRECONDITION;
    if (method == NULL || stream == NULL || hf_utf8_fault(method, strlen(method)) != NULL)
        return HOLDFAST_BAD_ARGUMENT;
    if (connection->streams_max > 0 && connection->streams.count >= connection->streams_max)
        return HOLDFAST_RESOURCE_EXHAUSTED;
    hf_stream *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    made->id = connection->next_stream;
    made->unmetered = is_unmetered(method);
    made->ended = end;
    made->send_credit = made->receive_credit = connection->initial_credit;
    if (!hf_table_insert(&connection->streams, &made->node, &made->id, sizeof made->id)) {
        free(made);
        return HOLDFAST_OUT_OF_MEMORY;
    }
    status =
        queue_open(connection, made->id, method, message, timeout_ms > 0 ? timeout_ms : 0, end);
    if (status != HOLDFAST_OK) {
        hf_table_remove(&connection->streams, &made->node);
        free(made);
        return status;
    }
    connection->next_stream++;
    *stream = made->id;
    return HOLDFAST_OK;
}

holdfast_status holdfast_connection_send(holdfast_connection *connection, uint64_t id,
                                         holdfast_bytes body, bool end)
{
    holdfast_status status = usable(connection);
    if (status != HOLDFAST_OK)
        return status;
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL || stream->ended)
        return HOLDFAST_NOT_FOUND;
    if (!stream->unmetered && stream->send_credit == 0)
        return HOLDFAST_RESOURCE_EXHAUSTED;
    Holdfast__V1__StreamMessage message = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    message.body = (ProtobufCBinaryData){body.len, (uint8_t *)body.ptr};
    message.end = end;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = id;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_MESSAGE;
    frame.message = &message;
    status = hf_connection_queue(connection, &frame);
    if (status != HOLDFAST_OK)
        return status;
    stream->ended = end;
    if (!stream->unmetered)
        stream->send_credit--;
    return HOLDFAST_OK;
}

holdfast_status holdfast_connection_cancel(holdfast_connection *connection, uint64_t id,
                                           const char *reason)
{
    holdfast_status status = usable(connection);
    if (status != HOLDFAST_OK)
        return status;
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL)
        return HOLDFAST_NOT_FOUND;
    if (reason != NULL && hf_utf8_fault(reason, strlen(reason)) != NULL)
        return HOLDFAST_BAD_ARGUMENT;
    Holdfast__V1__Cancel cancel = HOLDFAST__V1__CANCEL__INIT;
    if (reason != NULL)
        cancel.reason = (char *)reason;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = id;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_CANCEL;
    frame.cancel = &cancel;
    status = hf_connection_queue(connection, &frame);
    if (status != HOLDFAST_OK)
        return status;
    hf_table_remove(&connection->streams, &stream->node);
    free(stream);
    return HOLDFAST_OK;
}

holdfast_status holdfast_connection_credit(holdfast_connection *connection, uint64_t id,
                                           uint32_t messages)
{
    holdfast_status status = usable(connection);
    if (status != HOLDFAST_OK)
        return status;
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL)
        return HOLDFAST_NOT_FOUND;
    Holdfast__V1__Credit credit = HOLDFAST__V1__CREDIT__INIT;
    credit.messages = messages;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = id;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_CREDIT;
    frame.credit = &credit;
    status = hf_connection_queue(connection, &frame);
    if (status == HOLDFAST_OK)
        stream->receive_credit += messages;
    return status;
}
