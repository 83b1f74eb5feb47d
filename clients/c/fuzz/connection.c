/* The protocol without I/O, fed by a lying engine. The first byte is a set of flags; then pieces
 * follow, as in fuzz.h: a length and so many bytes, or length 0 and something that we do. */
#include "fuzz.h"

#include "connection.h"

enum { GREETED = 1, STREAMS = 2, SMALL = 4 };

#define SMALL_FRAME 48u
/* What may wait to be sent when nobody sends it: the pongs' limit and one frame of each act. */
#define PENDING_MAX (1024u * 1024u + 256u * 1024u)

static const char welcome[] = "\0\0\0\x08\x1a\x06\x08\x01\x22\x02\x28\x02";
static const char start[] = "holdfast.v1.WorkflowService/StartWorkflow";
static const char history[] = "holdfast.v1.WorkflowService/GetHistory";
static const char work[] = "holdfast.v1.WorkerService/Work";

typedef struct engine {
    holdfast_connection *connection;
    int64_t now;
    size_t frame_max;
    bool ready, closed;
} engine;

static void check_event(engine *self, const holdfast_event *event)
{
    FUZZ_CHECK(!self->closed);
    fuzz_touch(event->body);
    switch (event->kind) {
    case HOLDFAST_EVENT_READY:
        FUZZ_CHECK(!self->ready && event->frame_bytes_max > 0);
        self->ready = true;
        break;
    case HOLDFAST_EVENT_MESSAGE:
        FUZZ_CHECK(self->ready && event->error == NULL);
        FUZZ_CHECK(hf_connection_stream(self->connection, event->stream) != NULL);
        break;
    case HOLDFAST_EVENT_END:
        FUZZ_CHECK(self->ready);
        FUZZ_CHECK(hf_connection_stream(self->connection, event->stream) == NULL);
        if (event->error != NULL)
            fuzz_check_error(event->error);
        break;
    case HOLDFAST_EVENT_CREDIT:
        FUZZ_CHECK(self->ready && event->credit > 0);
        break;
    case HOLDFAST_EVENT_DRAIN:
        FUZZ_CHECK(self->ready);
        break;
    case HOLDFAST_EVENT_CLOSED:
        fuzz_check_error(event->error);
        self->closed = true;
        break;
    default:
        FUZZ_CHECK(!"an event that the header does not know");
    }
}

static void take_events(engine *self)
{
    holdfast_event event;
    while (holdfast_connection_next_event(self->connection, &event))
        check_event(self, &event);
    FUZZ_CHECK(hf_buffer_length(&self->connection->in) <= 4 + self->frame_max + UINT8_MAX);
    FUZZ_CHECK(holdfast_connection_pending(self->connection).len <= PENDING_MAX);
}

static void open_stream(engine *self, const char *method, bool end)
{
    uint64_t stream;
    holdfast_bytes message = {"\x12\x01w", 3};
    holdfast_connection_open(self->connection, method, message, 1000, end, &stream);
}

/* What we do, by the input's will. */
static void act(engine *self, fuzz_input *input)
{
    uint8_t choice = fuzz_byte(input);
    uint64_t stream = choice >> 3;
    switch (choice & 7) {
    case 0:
        open_stream(self, stream % 2 == 0 ? start : history, true);
        break;
    case 1:
        open_stream(self, work, false);
        break;
    case 2:
        holdfast_connection_send(self->connection, stream, (holdfast_bytes){"hello", 5}, false);
        break;
    case 3:
        holdfast_connection_send(self->connection, stream, (holdfast_bytes){0}, true);
        break;
    case 4:
        holdfast_connection_cancel(self->connection, stream, "enough");
        break;
    case 5:
        holdfast_connection_credit(self->connection, stream, 3);
        break;
    case 6:
        self->now += 4000;
        holdfast_connection_tick(self->connection, self->now);
        break;
    default:
        holdfast_connection_sent(self->connection, (size_t)1 << stream);
    }
}

static void receive(engine *self, holdfast_bytes bytes)
{
    bool failed = self->connection->phase == HF_PHASE_FAILED;
    holdfast_status status = holdfast_connection_receive(self->connection, bytes, self->now);
    FUZZ_CHECK(status == (failed ? HOLDFAST_CLOSED : HOLDFAST_OK));
    take_events(self);
}

/* The engine goes away: one CLOSED has been told, and nothing can be done any more. */
static void end(engine *self)
{
    holdfast_connection_receive_end(self->connection);
    take_events(self);
    FUZZ_CHECK(self->closed);
    uint64_t stream;
    FUZZ_CHECK(holdfast_connection_open(self->connection, start, (holdfast_bytes){0}, 0, true,
                                        &stream) == HOLDFAST_CLOSED);
    FUZZ_CHECK(holdfast_connection_deadline(self->connection) == -1);
    holdfast_connection_free(self->connection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    uint8_t flags = fuzz_byte(&input);
    engine self = {.now = 1000};
    holdfast_connection_options options = {.struct_size = sizeof options,
                                           .frame_bytes_max = flags & SMALL ? SMALL_FRAME : 0};
    self.frame_max = flags & SMALL ? SMALL_FRAME : HF_FRAME_BYTES_MAX;
    FUZZ_CHECK(holdfast_connection_create(&options, self.now, &self.connection) == HOLDFAST_OK);
    if (flags & GREETED)
        receive(&self, (holdfast_bytes){welcome, sizeof welcome - 1});
    if (flags & STREAMS) {
        open_stream(&self, start, true);
        open_stream(&self, history, true);
        open_stream(&self, work, false);
    }
    while (input.left > 0) {
        uint8_t length = fuzz_byte(&input);
        if (length > 0)
            receive(&self, fuzz_take(&input, length));
        else
            act(&self, &input);
    }
    end(&self);
    return 0;
}
