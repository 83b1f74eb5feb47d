/* The connection without I/O, byte by byte. */
#include "test.h"

#include "holdfast/v1/frame.pb-c.h"

static void feed_bytes(holdfast_connection *connection, const void *bytes, size_t length)
{
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_connection_receive(connection, (holdfast_bytes){bytes, length}, 0));
}

static size_t encode(const Holdfast__V1__Frame *frame, uint8_t *bytes)
{
    size_t size = holdfast__v1__frame__pack(frame, bytes + 4);
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(size >> (24 - 8 * i));
    return size + 4;
}

static void feed(holdfast_connection *connection, const Holdfast__V1__Frame *frame)
{
    uint8_t bytes[4096];
    feed_bytes(connection, bytes, encode(frame, bytes));
}

static Holdfast__V1__Frame *take_frame(holdfast_connection *connection)
{
    holdfast_bytes pending = holdfast_connection_pending(connection);
    if (pending.len < 4)
        return NULL;
    const uint8_t *at = pending.ptr;
    size_t size = (size_t)at[2] << 8 | at[3];
    CHECK(pending.len >= 4 + size);
    Holdfast__V1__Frame *frame = holdfast__v1__frame__unpack(NULL, size, at + 4);
    CHECK(frame != NULL);
    holdfast_connection_sent(connection, 4 + size);
    return frame;
}

static void welcome(holdfast_connection *connection, uint32_t credit)
{
    Holdfast__V1__Limits limits = HOLDFAST__V1__LIMITS__INIT;
    limits.initial_credit = credit;
    limits.streams_max = 3;
    limits.frame_bytes_max = 100000;
    Holdfast__V1__Welcome answer = HOLDFAST__V1__WELCOME__INIT;
    answer.protocol_version = 1;
    answer.epoch = 7;
    answer.limits = &limits;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_WELCOME;
    frame.welcome = &answer;
    feed(connection, &frame);
}

static holdfast_connection *ready(uint32_t credit)
{
    holdfast_connection *connection;
    holdfast_event event;
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_create(NULL, 0, &connection));
    Holdfast__V1__Frame *hello = take_frame(connection);
    CHECK(hello->kind_case == HOLDFAST__V1__FRAME__KIND_HELLO);
    CHECK(strcmp(hello->hello->client_name, "libholdfast") == 0);
    holdfast__v1__frame__free_unpacked(hello, NULL);
    welcome(connection, credit);
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(event.kind == HOLDFAST_EVENT_READY && event.epoch == 7 &&
          event.frame_bytes_max == 100000);
    CHECK(!holdfast_connection_next_event(connection, &event));
    return connection;
}

static void expect_closed(holdfast_connection *connection, holdfast_status code)
{
    holdfast_event event;
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(event.kind == HOLDFAST_EVENT_CLOSED && event.error != NULL);
    CHECK(event.error->code == code);
    CHECK(!holdfast_connection_next_event(connection, &event));
    CHECK(holdfast_connection_receive(connection, (holdfast_bytes){"x", 1}, 0) == HOLDFAST_CLOSED);
    uint64_t stream;
    CHECK(holdfast_connection_open(connection, "a/b", (holdfast_bytes){0}, 0, true, &stream) ==
          HOLDFAST_CLOSED);
    holdfast_connection_free(connection);
}

static uint64_t open_stream(holdfast_connection *connection, const char *method, bool end)
{
    uint64_t stream;
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_open(connection, method, (holdfast_bytes){0}, 5,
                                                       end, &stream));
    return stream;
}

static Holdfast__V1__Frame message_frame(uint64_t stream, Holdfast__V1__StreamMessage *body)
{
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_MESSAGE;
    frame.message = body;
    return frame;
}

static void bytes_may_be_split_anywhere(void)
{
    holdfast_connection *connection = ready(4);
    uint64_t stream = open_stream(connection, "a/Stream", true);
    uint8_t bytes[512];
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    body.body = (ProtobufCBinaryData){5, (uint8_t *)"hello"};
    Holdfast__V1__Frame frame = message_frame(stream, &body);
    size_t one = encode(&frame, bytes);
    size_t two = one + encode(&frame, bytes + one);
    holdfast_event event;
    int seen = 0;
    for (size_t i = 0; i < two; i++) {
        feed_bytes(connection, bytes + i, 1);
        while (holdfast_connection_next_event(connection, &event)) {
            CHECK(event.kind == HOLDFAST_EVENT_MESSAGE && event.stream == stream);
            CHECK(event.body.len == 5 && memcmp(event.body.ptr, "hello", 5) == 0);
            seen++;
        }
    }
    CHECK(seen == 2);
    feed_bytes(connection, bytes, two); /* both at once */
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(!holdfast_connection_next_event(connection, &event));
    holdfast_connection_free(connection);
}

static void a_length_outside_the_limit_ends_the_connection(void)
{
    holdfast_connection *zero = ready(0), *huge = ready(0);
    feed_bytes(zero, "\0\0\0\0", 4);
    expect_closed(zero, HOLDFAST_PROTOCOL_ERROR);
    feed_bytes(huge, "\xff\xff\xff\xff", 4);
    expect_closed(huge, HOLDFAST_PROTOCOL_ERROR);
}

static void garbage_ends_the_connection(void)
{
    holdfast_connection *connection = ready(0);
    feed_bytes(connection, "\0\0\0\5\xff\xff\xff\xff\xff", 9);
    expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);
}

static void strings_of_the_engine_are_checked(void)
{
    const char *texts[] = {"bad \xff text", "ok"};
    for (int i = 0; i < 2; i++) {
        holdfast_connection *connection = ready(4);
        uint64_t stream = open_stream(connection, "a/b", true);
        Holdfast__V1__Status status = HOLDFAST__V1__STATUS__INIT;
        status.code = HOLDFAST__V1__STATUS_CODE__STATUS_CODE_NOT_FOUND;
        status.reason = HOLDFAST__V1__REASON__REASON_WORKFLOW_NOT_FOUND;
        status.message = (char *)texts[i];
        Holdfast__V1__End end = HOLDFAST__V1__END__INIT;
        end.status = &status;
        Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
        frame.stream = stream;
        frame.kind_case = HOLDFAST__V1__FRAME__KIND_END;
        frame.end = &end;
        feed(connection, &frame);
        if (i == 0) {
            expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);
            continue;
        }
        holdfast_event event;
        CHECK(holdfast_connection_next_event(connection, &event));
        CHECK(event.kind == HOLDFAST_EVENT_END && event.error->code == HOLDFAST_NOT_FOUND);
        CHECK(strcmp(event.error->reason_name, "WORKFLOW_NOT_FOUND") == 0);
        CHECK(string_is(event.error->message, "ok") && !event.error->retryable);
        holdfast_connection_free(connection);
    }
}

static void frames_out_of_order_end_the_connection(void)
{
    holdfast_connection *connection;
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_create(NULL, 0, &connection));
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    Holdfast__V1__Frame frame = message_frame(1, &body);
    feed(connection, &frame);
    expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);

    connection = ready(0);
    welcome(connection, 0);
    expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);

    connection = ready(0);
    Holdfast__V1__Open open = HOLDFAST__V1__OPEN__INIT;
    Holdfast__V1__Frame opened = HOLDFAST__V1__FRAME__INIT;
    opened.kind_case = HOLDFAST__V1__FRAME__KIND_OPEN;
    opened.open = &open;
    feed(connection, &opened);
    expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);
}

static void credit_holds_both_ways(void)
{
    holdfast_connection *connection = ready(1);
    uint64_t stream = open_stream(connection, "a/Both", false);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_connection_send(connection, stream, (holdfast_bytes){"1", 1}, false));
    CHECK_STATUS(HOLDFAST_RESOURCE_EXHAUSTED,
                 holdfast_connection_send(connection, stream, (holdfast_bytes){"2", 1}, false));
    Holdfast__V1__Credit credit = HOLDFAST__V1__CREDIT__INIT;
    credit.messages = 1;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.stream = stream;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_CREDIT;
    frame.credit = &credit;
    feed(connection, &frame);
    holdfast_event event;
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(event.kind == HOLDFAST_EVENT_CREDIT && event.credit == 1);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_connection_send(connection, stream, (holdfast_bytes){"2", 1}, true));
    CHECK_STATUS(HOLDFAST_NOT_FOUND,
                 holdfast_connection_send(connection, stream, (holdfast_bytes){"3", 1}, false));
    /* The engine has 1, is given 1 more, and sends 3. */
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_credit(connection, stream, 1));
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    Holdfast__V1__Frame message = message_frame(stream, &body);
    for (int i = 0; i < 2; i++) {
        feed(connection, &message);
        CHECK(holdfast_connection_next_event(connection, &event));
        CHECK(event.kind == HOLDFAST_EVENT_MESSAGE);
    }
    feed(connection, &message);
    expect_closed(connection, HOLDFAST_PROTOCOL_ERROR);
}

static void work_needs_no_credit(void)
{
    holdfast_connection *connection = ready(0);
    uint64_t stream = open_stream(connection, "holdfast.v1.WorkerService/Work", false);
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    Holdfast__V1__Frame message = message_frame(stream, &body);
    holdfast_event event;
    for (int i = 0; i < 100; i++) {
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_connection_send(connection, stream, (holdfast_bytes){"1", 1}, false));
        feed(connection, &message);
        CHECK(holdfast_connection_next_event(connection, &event));
    }
    holdfast_connection_free(connection);
}

static void streams_have_a_limit_and_may_be_cancelled(void)
{
    holdfast_connection *connection = ready(4);
    uint64_t first = open_stream(connection, "a/b", true), stream;
    open_stream(connection, "a/b", true);
    CHECK(open_stream(connection, "a/b", true) == first + 2);
    CHECK_STATUS(
        HOLDFAST_RESOURCE_EXHAUSTED,
        holdfast_connection_open(connection, "a/b", (holdfast_bytes){0}, 0, true, &stream));
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_cancel(connection, first, "why not"));
    CHECK_STATUS(HOLDFAST_NOT_FOUND, holdfast_connection_cancel(connection, first, ""));
    open_stream(connection, "a/b", true);
    /* What the engine had sent before it saw the Cancel is dropped. */
    Holdfast__V1__StreamMessage body = HOLDFAST__V1__STREAM_MESSAGE__INIT;
    Holdfast__V1__Frame message = message_frame(first, &body);
    feed(connection, &message);
    holdfast_event event;
    CHECK(!holdfast_connection_next_event(connection, &event));
    uint8_t *large = calloc(1, 200000);
    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_cancel(connection, first + 1, NULL));
    CHECK_STATUS(HOLDFAST_TOO_LARGE,
                 holdfast_connection_open(connection, "a/b", (holdfast_bytes){large, 200000}, 0,
                                          true, &stream));
    free(large);
    holdfast_connection_free(connection);
}

static void silence_is_pinged_and_then_ends(void)
{
    holdfast_connection *connection = ready(0);
    int64_t deadline = holdfast_connection_deadline(connection);
    CHECK(deadline == 15000);
    holdfast_connection_tick(connection, deadline - 1);
    CHECK(holdfast_connection_pending(connection).len == 0);
    holdfast_connection_tick(connection, deadline);
    Holdfast__V1__Frame *ping = take_frame(connection);
    CHECK(ping->kind_case == HOLDFAST__V1__FRAME__KIND_PING);
    holdfast__v1__frame__free_unpacked(ping, NULL);
    CHECK(holdfast_connection_deadline(connection) == 30000);
    holdfast_connection_tick(connection, 30000);
    expect_closed(connection, HOLDFAST_DISCONNECTED);

    CHECK_STATUS(HOLDFAST_OK, holdfast_connection_create(NULL, 100, &connection));
    CHECK(holdfast_connection_deadline(connection) == 5100);
    holdfast_connection_tick(connection, 5100);
    expect_closed(connection, HOLDFAST_TIMEOUT);
}

static void pings_are_answered(void)
{
    holdfast_connection *connection = ready(0);
    Holdfast__V1__Ping ping = HOLDFAST__V1__PING__INIT;
    ping.id = 99;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_PING;
    frame.ping = &ping;
    feed(connection, &frame);
    holdfast_event event;
    CHECK(!holdfast_connection_next_event(connection, &event));
    Holdfast__V1__Frame *pong = take_frame(connection);
    CHECK(pong->kind_case == HOLDFAST__V1__FRAME__KIND_PONG && pong->pong->id == 99);
    holdfast__v1__frame__free_unpacked(pong, NULL);
    /* A peer that pings without reading does not make us grow. */
    for (int i = 0; i < 200000; i++) {
        feed(connection, &frame);
        holdfast_connection_next_event(connection, &event);
    }
    CHECK(holdfast_connection_pending(connection).len < 2 * 1024 * 1024);
    holdfast_connection_free(connection);
}

static void going_away_drains_or_ends(void)
{
    holdfast_connection *connection = ready(0);
    open_stream(connection, "a/b", true);
    Holdfast__V1__GoAway notice = HOLDFAST__V1__GO_AWAY__INIT;
    Holdfast__V1__Frame frame = HOLDFAST__V1__FRAME__INIT;
    frame.kind_case = HOLDFAST__V1__FRAME__KIND_GO_AWAY;
    frame.go_away = &notice;
    feed(connection, &frame);
    holdfast_event event;
    CHECK(holdfast_connection_next_event(connection, &event));
    CHECK(event.kind == HOLDFAST_EVENT_DRAIN);
    uint64_t stream;
    CHECK_STATUS(
        HOLDFAST_FAILED_PRECONDITION,
        holdfast_connection_open(connection, "a/b", (holdfast_bytes){0}, 0, true, &stream));
    notice.code = HOLDFAST__V1__STATUS_CODE__STATUS_CODE_RESOURCE_EXHAUSTED;
    notice.message = (char *)"too many";
    feed(connection, &frame);
    expect_closed(connection, HOLDFAST_RESOURCE_EXHAUSTED);

    connection = ready(0);
    holdfast_connection_receive_end(connection);
    expect_closed(connection, HOLDFAST_DISCONNECTED);
}

static void later_kinds_are_ignored(void)
{
    holdfast_connection *connection = ready(0);
    feed_bytes(connection, "\0\0\0\3\xa2\x06\x00", 7); /* field 100, empty */
    feed_bytes(connection, "\0\0\0\2\x08\x05", 6);     /* a stream and nothing else */
    holdfast_event event;
    CHECK(!holdfast_connection_next_event(connection, &event));
    holdfast_connection_free(connection);
}

static void random_bytes_do_no_harm(void)
{
    uint64_t seed = 42;
    for (int round = 0; round < 3000; round++) {
        holdfast_connection *connection = ready(8);
        open_stream(connection, "a/b", true);
        uint8_t bytes[64] = {0, 0, 0, 60};
        for (size_t i = 4; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(seed >> 56);
        }
        bytes[4] = (uint8_t)(8 + round % 11 * 8 + 2); /* often the tag of a known kind */
        feed_bytes(connection, bytes, sizeof bytes);
        holdfast_event event;
        while (holdfast_connection_next_event(connection, &event)) {
        }
        holdfast_connection_free(connection);
    }
}

const test_case connection_tests[] = {
    {"bytes_may_be_split_anywhere", bytes_may_be_split_anywhere, false},
    {"a_length_outside_the_limit_ends_the_connection",
     a_length_outside_the_limit_ends_the_connection, false},
    {"garbage_ends_the_connection", garbage_ends_the_connection, false},
    {"strings_of_the_engine_are_checked", strings_of_the_engine_are_checked, false},
    {"frames_out_of_order_end_the_connection", frames_out_of_order_end_the_connection, false},
    {"credit_holds_both_ways", credit_holds_both_ways, false},
    {"work_needs_no_credit", work_needs_no_credit, false},
    {"streams_have_a_limit_and_may_be_cancelled", streams_have_a_limit_and_may_be_cancelled, false},
    {"silence_is_pinged_and_then_ends", silence_is_pinged_and_then_ends, false},
    {"pings_are_answered", pings_are_answered, false},
    {"going_away_drains_or_ends", going_away_drains_or_ends, false},
    {"later_kinds_are_ignored", later_kinds_are_ignored, false},
    {"random_bytes_do_no_harm", random_bytes_do_no_harm, false},
    {0},
};
