/* What a frame from the engine means. */
#include "connection.h"

#include <stdlib.h>

/* Pongs are dropped while so much waits to be sent: who pings without reading gains no memory. */
#define HF_PONG_BACKLOG_MAX (1u * 1024u * 1024u)

static bool violation(holdfast_connection *connection, const char *what)
{
    holdfast_error *error = NULL;
    hf_fail(&error, HOLDFAST_PROTOCOL_ERROR, "%s", what);
    hf_connection_fail(connection, error);
    return false;
}

static bool out_of_memory(holdfast_connection *connection)
{
    holdfast_error *error = NULL;
    hf_fail(&error, HOLDFAST_OUT_OF_MEMORY, "out of memory while reading a frame");
    hf_connection_fail(connection, error);
    return false;
}

static bool take_welcome(holdfast_connection *connection, const Holdfast__V1__Welcome *welcome,
                         holdfast_event *event)
{
    if (connection->phase != HF_PHASE_HELLO)
        return violation(connection, "a second Welcome");
    if (welcome->protocol_version != HF_PROTOCOL_VERSION) {
        holdfast_error *error = NULL;
        hf_fail(&error, HOLDFAST_FAILED_PRECONDITION, "the engine chose protocol version %u",
                welcome->protocol_version);
        hf_connection_fail(connection, error);
        return false;
    }
    const Holdfast__V1__Limits *limits = welcome->limits;
    if (limits != NULL) {
        if (limits->frame_bytes_max > 0 && limits->frame_bytes_max <= UINT32_MAX)
            connection->frame_out_max = (uint32_t)limits->frame_bytes_max;
        connection->streams_max = limits->streams_max;
        connection->initial_credit = limits->initial_credit;
    }
    connection->phase = HF_PHASE_READY;
    *event = (holdfast_event){.kind = HOLDFAST_EVENT_READY,
                              .epoch = welcome->epoch,
                              .initial_credit = connection->initial_credit,
                              .frame_bytes_max = connection->frame_out_max};
    return true;
}

static bool take_go_away(holdfast_connection *connection, const Holdfast__V1__GoAway *notice,
                         holdfast_event *event)
{
    bool drains = notice->code == HOLDFAST__V1__STATUS_CODE__STATUS_CODE_OK;
    if (drains && connection->phase != HF_PHASE_HELLO) {
        bool first = connection->phase != HF_PHASE_DRAINING;
        connection->phase = HF_PHASE_DRAINING;
        *event = (holdfast_event){.kind = HOLDFAST_EVENT_DRAIN};
        return first;
    }
    Holdfast__V1__Status status = HOLDFAST__V1__STATUS__INIT;
    /* A drain that comes before Welcome leaves nothing to finish. */
    status.code = drains ? HOLDFAST__V1__STATUS_CODE__STATUS_CODE_UNAVAILABLE : notice->code;
    status.message = notice->message;
    holdfast_error *error = NULL;
    hf_fail_status(&error, &status);
    hf_connection_fail(connection, error);
    return false;
}

static void drop_stream(holdfast_connection *connection, hf_stream *stream)
{
    hf_table_remove(&connection->streams, &stream->node);
    free(stream);
}

static bool take_message(holdfast_connection *connection, uint64_t id, holdfast_bytes body,
                         holdfast_event *event)
{
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL)
        return false; /* race: it crossed our Cancel */
    if (!stream->unmetered) {
        if (stream->receive_credit == 0)
            return violation(connection, "a message beyond the credit of its stream");
        stream->receive_credit--;
    }
    *event = (holdfast_event){.kind = HOLDFAST_EVENT_MESSAGE, .stream = id, .body = body};
    return true;
}

static bool take_end(holdfast_connection *connection, uint64_t id, const Holdfast__V1__End *end,
                     holdfast_bytes whole, holdfast_event *event)
{
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL)
        return false; /* race: it crossed our Cancel */
    drop_stream(connection, stream);
    hf_fail_status(&connection->event_error, end->status);
    *event = (holdfast_event){
        .kind = HOLDFAST_EVENT_END, .stream = id, .error = connection->event_error};
    /* The answer itself is viewed where it was received; the unpacked copy goes away. */
    if (end->message.len > 0)
        hf_find_bytes(whole, 2, &event->body);
    return true;
}

static bool take_credit(holdfast_connection *connection, uint64_t id, uint32_t messages,
                        holdfast_event *event)
{
    hf_stream *stream = hf_connection_stream(connection, id);
    if (stream == NULL || messages == 0)
        return false;
    stream->send_credit += messages;
    *event = (holdfast_event){.kind = HOLDFAST_EVENT_CREDIT, .stream = id, .credit = messages};
    return true;
}

static void answer_ping(holdfast_connection *connection, uint64_t id)
{
    if (hf_buffer_length(&connection->out) > HF_PONG_BACKLOG_MAX)
        return;
    Holdfast__V1__Pong pong = HOLDFAST__V1__PONG__INIT;
    pong.id = id;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_PONG;
    frame.pong = &pong;
    hf_connection_queue(connection, &frame);
}

static bool dispatch(holdfast_connection *connection, const Holdfast__V1__Frame *frame,
                     holdfast_bytes kind, holdfast_event *event)
{
    bool greeted = connection->phase != HF_PHASE_HELLO;
    switch (frame->kind_case) {
    case HOLDFAST__V1__FRAME__KIND_WELCOME:
        return take_welcome(connection, frame->welcome, event);
    case HOLDFAST__V1__FRAME__KIND_GO_AWAY:
        return take_go_away(connection, frame->go_away, event);
    case HOLDFAST__V1__FRAME__KIND_END:
        return greeted ? take_end(connection, frame->stream, frame->end, kind, event)
                       : violation(connection, "a frame before Welcome");
    case HOLDFAST__V1__FRAME__KIND_CREDIT:
        return greeted ? take_credit(connection, frame->stream, frame->credit->messages, event)
                       : violation(connection, "a frame before Welcome");
    case HOLDFAST__V1__FRAME__KIND_PING:
        answer_ping(connection, frame->ping->id);
        return false;
    case HOLDFAST__V1__FRAME__KIND_PONG:
        return false; /* that bytes arrived is all that matters */
    case HOLDFAST__V1__FRAME__KIND__NOT_SET:
        return false; /* a kind of a later version */
    default:
        return violation(connection, "a frame that only clients send");
    }
}

/* The hot kind: found without unpacking. Field numbers are frame.proto's. */
enum { FIELD_STREAM = 1, FIELD_MESSAGE = 6, FIELD_END = 7, FIELD_KIND_LAST = 11, FIELD_BODY = 1 };

typedef struct outline {
    uint64_t stream;
    uint32_t kind; /* 0: none known */
    holdfast_bytes body;
} outline;

static bool read_outline(holdfast_bytes frame, outline *found)
{
    *found = (outline){0};
    hf_reader reader = hf_read(frame);
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        if (field.number == FIELD_STREAM && field.wire_type == 0)
            found->stream = field.value;
        if (field.number > FIELD_STREAM && field.number <= FIELD_KIND_LAST &&
            field.wire_type == 2) {
            found->kind = field.number;
            found->body = field.bytes;
        }
    }
    return !reader.malformed;
}

bool hf_connection_frame(holdfast_connection *connection, holdfast_bytes bytes,
                         holdfast_event *event)
{
    outline found;
    if (!read_outline(bytes, &found))
        return violation(connection, "a malformed frame");
    hf_fault fault;
    if (!hf_wire_check(&holdfast__v1__frame__descriptor, bytes, &fault)) {
        holdfast_error *error = NULL;
        hf_fail_field(&error, HOLDFAST_PROTOCOL_ERROR, fault.path, "a frame's %s %s", fault.path,
                      fault.what);
        hf_connection_fail(connection, error);
        return false;
    }
    if (found.kind == FIELD_MESSAGE) {
        if (connection->phase == HF_PHASE_HELLO)
            return violation(connection, "a frame before Welcome");
        holdfast_bytes body = {0};
        hf_find_bytes(found.body, FIELD_BODY, &body);
        return take_message(connection, found.stream, body, event);
    }
    hf_arena arena;
    hf_arena_init(&arena, 0);
    Holdfast__V1__Frame *frame =
        (Holdfast__V1__Frame *)hf_unpack(&arena, &holdfast__v1__frame__descriptor, bytes);
    bool filled =
        frame != NULL ? dispatch(connection, frame, found.body, event) : out_of_memory(connection);
    hf_arena_free(&arena);
    return filled;
}
