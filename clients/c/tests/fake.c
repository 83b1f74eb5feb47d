#include "fake.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void fake_prepare(fake_engine *engine, fake_script script, void *context)
{
    *engine = (fake_engine){.script = script,
                            .context = context,
                            .frame_bytes_max = 4 * 1024 * 1024,
                            .initial_credit = 16,
                            .streams_max = 1000,
                            .listener = -1};
    strcpy(engine->directory, "/tmp/holdfast-test-XXXXXX");
    CHECK(mkdtemp(engine->directory) != NULL);
    snprintf(engine->path, sizeof engine->path, "%s/s", engine->directory);
}

static void *serve(void *argument)
{
    fake_engine *engine = argument;
    while (!atomic_load(&engine->stopping)) {
        struct pollfd wait = {.fd = engine->listener, .events = POLLIN};
        if (poll(&wait, 1, 20) <= 0)
            continue;
        int fd = accept4(engine->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        fake_peer peer = {
            .engine = engine, .fd = fd, .number = atomic_fetch_add(&engine->connections, 1) + 1};
        engine->script(&peer, engine->context);
        if (peer.work != NULL)
            holdfast__v1__work_request__free_unpacked(peer.work, NULL);
        close(fd);
    }
    return NULL;
}

void fake_start(fake_engine *engine)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, engine->path);
    engine->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(engine->listener >= 0);
    CHECK(bind(engine->listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(engine->listener, 16) == 0);
    CHECK(pthread_create(&engine->thread, NULL, serve, engine) == 0);
}

void fake_stop(fake_engine *engine)
{
    atomic_store(&engine->stopping, true);
    pthread_join(engine->thread, NULL);
    close(engine->listener);
    unlink(engine->path);
    rmdir(engine->directory);
}

static bool read_all(int fd, uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = recv(fd, bytes, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        length -= (size_t)got;
    }
    return true;
}

bool fake_write_bytes(fake_peer *peer, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0) {
        ssize_t sent = send(peer->fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

Holdfast__V1__Frame *fake_read(fake_peer *peer)
{
    uint8_t head[4];
    if (!read_all(peer->fd, head, 4))
        return NULL;
    uint32_t size = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
                    (uint32_t)head[3];
    CHECK(size >= 1 && size <= peer->engine->frame_bytes_max);
    uint8_t *bytes = malloc(size);
    CHECK(bytes != NULL);
    Holdfast__V1__Frame *frame = NULL;
    if (read_all(peer->fd, bytes, size)) {
        frame = holdfast__v1__frame__unpack(NULL, size, bytes);
        CHECK(frame != NULL);
    }
    free(bytes);
    return frame;
}

Holdfast__V1__Frame *fake_expect(fake_peer *peer, Holdfast__V1__Frame__KindCase kind)
{
    Holdfast__V1__Frame *frame = fake_read(peer);
    CHECK(frame == NULL || frame->kind_case == kind);
    return frame;
}

void fake_free(Holdfast__V1__Frame *frame)
{
    if (frame != NULL)
        holdfast__v1__frame__free_unpacked(frame, NULL);
}

bool fake_write(fake_peer *peer, const Holdfast__V1__Frame *frame)
{
    size_t size = holdfast__v1__frame__get_packed_size(frame);
    uint8_t *bytes = malloc(size + 4);
    CHECK(bytes != NULL);
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(size >> (24 - 8 * i));
    holdfast__v1__frame__pack(frame, bytes + 4);
    bool written = fake_write_bytes(peer, bytes, size + 4);
    free(bytes);
    return written;
}

bool fake_handshake(fake_peer *peer)
{
    Holdfast__V1__Frame *hello = fake_expect(peer, HOLDFAST__V1__FRAME__KIND_HELLO);
    if (hello == NULL)
        return false;
    CHECK(hello->stream == 0 && hello->hello->n_protocol_versions == 1);
    fake_free(hello);
    Holdfast__V1__Limits limits = HOLDFAST__V1__LIMITS__INIT;
    limits.frame_bytes_max = peer->engine->frame_bytes_max;
    limits.initial_credit = peer->engine->initial_credit;
    limits.streams_max = peer->engine->streams_max;
    Holdfast__V1__Welcome welcome = HOLDFAST__V1__WELCOME__INIT;
    welcome.protocol_version = 1;
    welcome.epoch = (uint64_t)peer->number;
    welcome.limits = &limits;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_WELCOME;
    frame.welcome = &welcome;
    return fake_write(peer, &frame);
}

Holdfast__V1__Frame *fake_next_open(fake_peer *peer)
{
    for (;;) {
        Holdfast__V1__Frame *frame = fake_read(peer);
        if (frame == NULL)
            return NULL;
        if (frame->kind_case == HOLDFAST__V1__FRAME__KIND_OPEN) {
            CHECK(frame->stream > peer->stream);
            peer->stream = frame->stream;
            return frame;
        }
        fake_free(frame);
    }
}

static uint8_t *pack(const ProtobufCMessage *message, size_t *size)
{
    *size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(*size + 1);
    CHECK(bytes != NULL);
    protobuf_c_message_pack(message, bytes);
    return bytes;
}

bool fake_answer(fake_peer *peer, uint64_t stream, const ProtobufCMessage *response)
{
    Holdfast__V1__End end = HOLDFAST__V1__END__INIT;
    end.message.data = pack(response, &end.message.len);
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_END;
    frame.end = &end;
    bool written = fake_write(peer, &frame);
    free(end.message.data);
    return written;
}

bool fake_refuse(fake_peer *peer, uint64_t stream, int code, int reason, int64_t retry_after_ms)
{
    Holdfast__V1__Status status = HOLDFAST__V1__STATUS__INIT;
    status.code = (Holdfast__V1__StatusCode)code;
    status.reason = (Holdfast__V1__Reason)reason;
    status.message = (char *)"refused by the script";
    status.field = (char *)"some.field";
    status.run_id = (char *)"run-1";
    status.retry_after_ms = retry_after_ms;
    Holdfast__V1__End end = HOLDFAST__V1__END__INIT;
    end.status = &status;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_END;
    frame.end = &end;
    return fake_write(peer, &frame);
}

bool fake_message(fake_peer *peer, uint64_t stream, const ProtobufCMessage *message)
{
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    body.body.data = pack(message, &body.body.len);
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_MESSAGE;
    frame.message = &body;
    bool written = fake_write(peer, &frame);
    free(body.body.data);
    return written;
}

Holdfast__V1__WorkerMessage *fake_accept_worker(fake_peer *peer)
{
    if (!fake_handshake(peer))
        return NULL;
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return NULL;
    CHECK(strcmp(open->open->method, "holdfast.v1.WorkerService/Work") == 0);
    CHECK(!open->open->end);
    fake_free(open);
    Holdfast__V1__WorkerMessage *attach = fake_next_message(peer);
    CHECK(attach == NULL || attach->kind_case == HOLDFAST__V1__WORKER_MESSAGE__KIND_ATTACH);
    return attach;
}

bool fake_attached(fake_peer *peer, const ProtobufCBinaryData *lost, size_t count)
{
    Holdfast__V1__Attached attached = HOLDFAST__V1__ATTACHED__INIT;
    attached.session_id = (char *)"session";
    attached.resume_window_ms = 10000;
    attached.lost_leases = (ProtobufCBinaryData *)lost;
    attached.n_lost_leases = count;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_ATTACHED;
    message.attached = &attached;
    return fake_send(peer, &message);
}

static bool next_work(fake_peer *peer)
{
    while (peer->work == NULL || peer->work_next == peer->work->n_messages) {
        if (peer->work != NULL)
            holdfast__v1__work_request__free_unpacked(peer->work, NULL);
        peer->work = NULL;
        Holdfast__V1__Frame *frame = fake_read(peer);
        if (frame == NULL)
            return false;
        if (frame->kind_case == HOLDFAST__V1__FRAME__KIND_MESSAGE) {
            CHECK(frame->stream == peer->stream);
            peer->work = holdfast__v1__work_request__unpack(NULL, frame->message->body.len,
                                                            frame->message->body.data);
            peer->work_next = 0;
            CHECK(peer->work != NULL);
        }
        fake_free(frame);
    }
    return true;
}

Holdfast__V1__WorkerMessage *fake_next_message(fake_peer *peer)
{
    while (next_work(peer)) {
        Holdfast__V1__WorkerMessage *message = peer->work->messages[peer->work_next];
        peer->work->messages[peer->work_next++] = NULL;
        /* The place must stay valid for protobuf-c's free. */
        Holdfast__V1__WorkerMessage *empty = malloc(sizeof *empty);
        CHECK(empty != NULL);
        holdfast__v1__worker_message__init(empty);
        peer->work->messages[peer->work_next - 1] = empty;
        if (message->kind_case != HOLDFAST__V1__WORKER_MESSAGE__KIND_GRANT)
            return message;
        peer->workflow_slots += message->grant->workflow_slots;
        peer->activity_slots += message->grant->activity_slots;
        fake_free_message(message);
    }
    return NULL;
}

void fake_free_message(Holdfast__V1__WorkerMessage *message)
{
    if (message != NULL)
        holdfast__v1__worker_message__free_unpacked(message, NULL);
}

bool fake_send(fake_peer *peer, const Holdfast__V1__EngineMessage *message)
{
    Holdfast__V1__EngineMessage *list[] = {(Holdfast__V1__EngineMessage *)message};
    Holdfast__V1__WorkResponse response = HOLDFAST__V1__WORK_RESPONSE__INIT;
    response.messages = list;
    response.n_messages = 1;
    return fake_message(peer, peer->stream, &response.base);
}

static ProtobufCBinaryData binary(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

bool fake_send_activity(fake_peer *peer, const char *token, const char *type,
                        int64_t heartbeat_timeout_ms)
{
    Holdfast__V1__Payload input = HOLDFAST__V1__PAYLOAD__INIT;
    input.encoding = (char *)"json/plain";
    input.data = binary("42");
    Holdfast__V1__Payload *inputs[] = {&input};
    Holdfast__V1__ActivityTask task = HOLDFAST__V1__ACTIVITY_TASK__INIT;
    task.token = binary(token);
    task.workflow_id = (char *)"workflow";
    task.run_id = (char *)"run";
    task.activity_id = (char *)"1";
    task.activity_type = (char *)type;
    task.attempt = 3;
    task.idempotency_key = (char *)"key";
    task.heartbeat_timeout_ms = heartbeat_timeout_ms;
    task.input = inputs;
    task.n_input = 1;
    task.heartbeat_details = inputs;
    task.n_heartbeat_details = 1;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_ACTIVITY_TASK;
    message.activity_task = &task;
    return fake_send(peer, &message);
}

bool fake_send_cancel(fake_peer *peer, const char *token, int reason)
{
    Holdfast__V1__ActivityCancel cancel = HOLDFAST__V1__ACTIVITY_CANCEL__INIT;
    cancel.token = binary(token);
    cancel.reason = (Holdfast__V1__ActivityCancelReason)reason;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_ACTIVITY_CANCEL;
    message.activity_cancel = &cancel;
    return fake_send(peer, &message);
}

bool fake_recorded(fake_peer *peer, const char *token)
{
    ProtobufCBinaryData tokens[] = {binary(token)};
    Holdfast__V1__Recorded recorded = HOLDFAST__V1__RECORDED__INIT;
    recorded.tokens = tokens;
    recorded.n_tokens = 1;
    Holdfast__V1__EngineMessage message = HOLDFAST__V1__ENGINE_MESSAGE__INIT;
    message.kind_case = HOLDFAST__V1__ENGINE_MESSAGE__KIND_RECORDED;
    message.recorded = &recorded;
    return fake_send(peer, &message);
}

void fake_wait_for_close(fake_peer *peer)
{
    Holdfast__V1__Frame *frame;
    while ((frame = fake_read(peer)) != NULL)
        fake_free(frame);
}

bool token_is(ProtobufCBinaryData token, const char *expected)
{
    return token.len == strlen(expected) && memcmp(token.data, expected, token.len) == 0;
}
