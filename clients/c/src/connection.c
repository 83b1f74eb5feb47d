#include "connection.h"

#include <stdlib.h>

#define HF_LENGTH_BYTES 4u

static char *string_or(holdfast_string value, const char *fallback)
{
    return hf_string_copy(value.len > 0 ? value : holdfast_str(fallback));
}

static holdfast_status queue_hello(holdfast_connection *connection,
                                   const holdfast_connection_options *options)
{
    uint32_t version = HF_PROTOCOL_VERSION;
    char *name = string_or(options->client_name, "libholdfast");
    char *release = string_or(options->client_version, HOLDFAST_VERSION_STRING);
    char *language = string_or(options->language, "c");
    char *identity = string_or(options->identity, "");
    holdfast_status status = HOLDFAST_OUT_OF_MEMORY;
    if (name != NULL && release != NULL && language != NULL && identity != NULL) {
        Holdfast__V1__Hello hello = HOLDFAST__V1__HELLO__INIT;
        hello.n_protocol_versions = 1;
        hello.protocol_versions = &version;
        hello.client_name = name;
        hello.client_version = release;
        hello.language = language;
        hello.identity = identity;
        Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
        frame.kind_case = HOLDFAST__V1__FRAME__KIND_HELLO;
        frame.hello = &hello;
        status = hf_connection_queue(connection, &frame);
    }
    free(name);
    free(release);
    free(language);
    free(identity);
    return status;
}

static bool strings_valid(const holdfast_connection_options *options)
{
    const holdfast_string all[] = {options->client_name, options->client_version, options->language,
                                   options->identity};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (hf_utf8_fault(all[i].ptr, all[i].len) != NULL)
            return false;
    }
    return true;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value != 0 ? value : fallback;
}

holdfast_status holdfast_connection_create(const holdfast_connection_options *options,
                                           int64_t now_ms, holdfast_connection **connection)
{
    if (connection == NULL)
        return HOLDFAST_BAD_ARGUMENT;
    *connection = NULL;
    holdfast_connection_options given = {.struct_size = sizeof given};
    if (options != NULL) {
        if (options->struct_size != sizeof given || !strings_valid(options))
            return HOLDFAST_BAD_ARGUMENT;
        given = *options;
    }
    holdfast_connection *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HOLDFAST_OUT_OF_MEMORY;
    made->next_stream = 1;
    made->next_ping = 1;
    made->frame_in_max = given.frame_bytes_max > 0 ? given.frame_bytes_max : HF_FRAME_BYTES_MAX;
    made->frame_out_max = HF_FRAME_BYTES_MAX;
    made->handshake_deadline = hf_deadline(now_ms, or_default(given.handshake_timeout_ms, 5000));
    made->ping_interval = or_default(given.ping_interval_ms, 15000);
    made->ping_timeout = or_default(given.ping_timeout_ms, 15000);
    made->ping_sent = -1;
    made->last_received = now_ms;
    holdfast_status status = queue_hello(made, &given);
    if (status != HOLDFAST_OK) {
        holdfast_connection_free(made);
        return status;
    }
    *connection = made;
    return HOLDFAST_OK;
}

void holdfast_connection_free(holdfast_connection *connection)
{
    if (connection == NULL)
        return;
    hf_node *node;
    while ((node = hf_table_next(&connection->streams, NULL)) != NULL) {
        hf_table_remove(&connection->streams, node);
        free(HF_CONTAINER(node, hf_stream, node));
    }
    hf_table_free(&connection->streams);
    hf_buffer_free(&connection->in);
    hf_buffer_free(&connection->out);
    holdfast_error_free(connection->failure);
    holdfast_error_free(connection->event_error);
    free(connection);
}

void hf_connection_fail(holdfast_connection *connection, holdfast_error *failure)
{
    if (connection->phase == HF_PHASE_FAILED) {
        holdfast_error_free(failure);
        return;
    }
    connection->phase = HF_PHASE_FAILED;
    connection->failure = failure;
}

holdfast_status hf_connection_queue(holdfast_connection *connection,
                                    const Holdfast__V1__Frame *frame)
{
    size_t size = holdfast__v1__frame__get_packed_size(frame);
    if (size > connection->frame_out_max)
        return HOLDFAST_TOO_LARGE;
    hf_buffer *out = &connection->out;
    if (!hf_buffer_reserve(out, HF_LENGTH_BYTES + size))
        return HOLDFAST_OUT_OF_MEMORY;
    uint8_t *at = out->data + out->end;
    at[0] = (uint8_t)(size >> 24);
    at[1] = (uint8_t)(size >> 16);
    at[2] = (uint8_t)(size >> 8);
    at[3] = (uint8_t)size;
    holdfast__v1__frame__pack(frame, at + HF_LENGTH_BYTES);
    out->end += HF_LENGTH_BYTES + size;
    return HOLDFAST_OK;
}

hf_stream *hf_connection_stream(const holdfast_connection *connection, uint64_t id)
{
    hf_node *node = hf_table_find(&connection->streams, &id, sizeof id);
    return node != NULL ? HF_CONTAINER(node, hf_stream, node) : NULL;
}

/* The bytes that the last event viewed are not needed any more. */
static void release_event(holdfast_connection *connection)
{
    hf_buffer_consume(&connection->in, connection->event_bytes);
    connection->event_bytes = 0;
    holdfast_error_free(connection->event_error);
    connection->event_error = NULL;
}

uint8_t *hf_connection_reserve(holdfast_connection *connection, size_t size, size_t *room)
{
    release_event(connection);
    hf_buffer *in = &connection->in;
    if (!hf_buffer_reserve(in, size))
        return NULL;
    *room = in->capacity - in->end;
    return in->data + in->end;
}

void hf_connection_commit(holdfast_connection *connection, size_t received, int64_t now_ms)
{
    connection->in.end += received;
    connection->last_received = now_ms;
    connection->ping_sent = -1;
}

holdfast_status holdfast_connection_receive(holdfast_connection *connection, holdfast_bytes bytes,
                                            int64_t now_ms)
{
    if (connection == NULL || (bytes.ptr == NULL && bytes.len > 0))
        return HOLDFAST_BAD_ARGUMENT;
    if (connection->phase == HF_PHASE_FAILED || connection->input_ended)
        return HOLDFAST_CLOSED;
    size_t room;
    uint8_t *at = hf_connection_reserve(connection, bytes.len, &room);
    if (at == NULL && bytes.len > 0)
        return HOLDFAST_OUT_OF_MEMORY;
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    hf_connection_commit(connection, bytes.len, now_ms);
    return HOLDFAST_OK;
}

void holdfast_connection_receive_end(holdfast_connection *connection)
{
    if (connection != NULL)
        connection->input_ended = true;
}

holdfast_bytes holdfast_connection_pending(const holdfast_connection *connection)
{
    return connection != NULL ? hf_buffer_view(&connection->out) : (holdfast_bytes){0};
}

void holdfast_connection_sent(holdfast_connection *connection, size_t count)
{
    if (connection != NULL)
        hf_buffer_consume(&connection->out, count);
}

void hf_connection_take(holdfast_connection *connection, hf_buffer *empty)
{
    hf_buffer full = connection->out;
    hf_buffer_reset(empty);
    connection->out = *empty;
    *empty = full;
}

int64_t holdfast_connection_deadline(const holdfast_connection *connection)
{
    if (connection == NULL || connection->phase == HF_PHASE_FAILED)
        return -1;
    int64_t deadline;
    if (connection->phase == HF_PHASE_HELLO)
        deadline = connection->handshake_deadline;
    else if (connection->ping_interval < 0)
        deadline = HF_NEVER;
    else if (connection->ping_sent >= 0)
        deadline = hf_deadline(connection->ping_sent, connection->ping_timeout);
    else
        deadline = hf_deadline(connection->last_received, connection->ping_interval);
    return deadline != HF_NEVER ? deadline : -1;
}

void holdfast_connection_tick(holdfast_connection *connection, int64_t now_ms)
{
    int64_t deadline = holdfast_connection_deadline(connection);
    if (deadline < 0 || now_ms < deadline)
        return;
    holdfast_error *error = NULL;
    if (connection->phase == HF_PHASE_HELLO) {
        hf_fail(&error, HOLDFAST_TIMEOUT, "the engine did not answer the handshake");
        hf_connection_fail(connection, error);
        return;
    }
    if (connection->ping_sent >= 0) {
        hf_fail(&error, HOLDFAST_DISCONNECTED, "the engine did not answer a ping");
        hf_connection_fail(connection, error);
        return;
    }
    Holdfast__V1__Ping ping = HOLDFAST__V1__PING__INIT;
    ping.id = connection->next_ping++;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_PING;
    frame.ping = &ping;
    hf_connection_queue(connection, &frame);
    connection->ping_sent = now_ms;
}

static bool closed_event(holdfast_connection *connection, holdfast_event *event)
{
    if (connection->closed_told)
        return false;
    connection->closed_told = true;
    *event = (holdfast_event){.kind = HOLDFAST_EVENT_CLOSED, .error = connection->failure};
    return true;
}

/* 1: *frame is the next whole frame; 0: more bytes are needed; -1: the connection has failed. */
static int next_frame(holdfast_connection *connection, holdfast_bytes *frame)
{
    size_t have = hf_buffer_length(&connection->in);
    if (have < HF_LENGTH_BYTES)
        return 0;
    const uint8_t *at = connection->in.data + connection->in.start;
    uint32_t size =
        (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    if (size == 0 || size > connection->frame_in_max) {
        holdfast_error *error = NULL;
        hf_fail(&error, HOLDFAST_PROTOCOL_ERROR, "a frame of %u bytes (allowed: 1 to %u)", size,
                connection->frame_in_max);
        hf_connection_fail(connection, error);
        return -1;
    }
    if (have - HF_LENGTH_BYTES < size)
        return 0;
    *frame = (holdfast_bytes){at + HF_LENGTH_BYTES, size};
    connection->event_bytes = HF_LENGTH_BYTES + (size_t)size;
    return 1;
}

bool holdfast_connection_next_event(holdfast_connection *connection, holdfast_event *event)
{
    if (connection == NULL || event == NULL)
        return false;
    for (;;) {
        release_event(connection);
        if (connection->phase == HF_PHASE_FAILED)
            return closed_event(connection, event);
        holdfast_bytes frame;
        int found = next_frame(connection, &frame);
        if (found < 0)
            continue;
        if (found == 0 && !connection->input_ended)
            return false;
        if (found == 0) {
            holdfast_error *error = NULL;
            hf_fail(&error, HOLDFAST_DISCONNECTED, "the engine closed the connection");
            hf_connection_fail(connection, error);
            continue;
        }
        *event = (holdfast_event){0};
        if (hf_connection_frame(connection, frame, event))
            return true;
    }
}
