/* Random and mutated messages of every method and of the Work stream: what the check lets through
 * can be unpacked and packed again. protobuf-c refuses a few that are well-formed: those that give
 * one submessage in several pieces, where it fails to merge their oneofs. No encoder does that. */
#include "test.h"

#include "arena.h"
#include "wire.h"

#include "holdfast/v1/frame.pb-c.h"
#include "holdfast/v1/worker.pb-c.h"

#define ROUNDS 3000

static uint64_t state;
static int refused;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static void put_random(hf_buffer *out, const ProtobufCMessageDescriptor *type, unsigned depth);

static void put_field(hf_buffer *out, const ProtobufCFieldDescriptor *field, unsigned depth)
{
    static const char *const texts[] = {"",         "a",    "json/plain",
                                        "\xc3\xa9", "\xff", "x\xf0\x9f\x98\x80"};
    hf_buffer inner = {0};
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: {
        const char *text = texts[draw(6)];
        CHECK(hf_put_bytes(out, field->id, (holdfast_bytes){text, strlen(text)}));
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        put_random(&inner, field->descriptor, depth + 1);
        CHECK(hf_put_bytes(out, field->id, hf_buffer_view(&inner)));
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        CHECK(hf_put_varint(out, (uint64_t)field->id << 3 | 1) &&
              hf_buffer_append(out, texts[2], 8));
        break;
    default:
        CHECK(hf_put_number(out, field->id, draw(4) == 0 ? UINT64_MAX : draw(300)));
    }
    hf_buffer_free(&inner);
}

static void put_random(hf_buffer *out, const ProtobufCMessageDescriptor *type, unsigned depth)
{
    for (uint64_t left = draw(depth < 4 ? 6 : 2); left > 0 && type->n_fields > 0; left--)
        put_field(out, &type->fields[draw(type->n_fields)], depth);
}

static void mutate(hf_buffer *bytes)
{
    size_t length = hf_buffer_length(bytes);
    for (uint64_t times = draw(4); times > 0 && length > 0; times--)
        bytes->data[bytes->start + draw(length)] ^= (uint8_t)(1u << draw(8));
    if (length > 0 && draw(4) == 0)
        bytes->end -= draw(length);
}

static int try_one(const ProtobufCMessageDescriptor *type)
{
    hf_buffer bytes = {0};
    put_random(&bytes, type, 0);
    mutate(&bytes);
    hf_fault fault;
    bool passes = hf_wire_check(type, hf_buffer_view(&bytes), &fault);
    CHECK(passes == (fault.what == NULL));
    if (passes) {
        hf_arena arena;
        hf_arena_init(&arena, 0);
        ProtobufCMessage *message = hf_unpack(&arena, type, hf_buffer_view(&bytes));
        refused += message == NULL;
        size_t size = message != NULL ? protobuf_c_message_get_packed_size(message) : 0;
        uint8_t *packed = malloc(size + 1);
        CHECK(packed != NULL);
        CHECK(message == NULL || protobuf_c_message_pack(message, packed) == size);
        CHECK(hf_wire_check(type, (holdfast_bytes){packed, size}, &fault));
        free(packed);
        hf_arena_free(&arena);
    }
    hf_buffer_free(&bytes);
    return passes;
}

static void what_passes_the_check_can_be_unpacked(void)
{
    static const char *const methods[] = {
        "holdfast.v1.WorkflowService/StartWorkflow",
        "holdfast.v1.WorkflowService/SignalWithStartWorkflow",
        "holdfast.v1.WorkflowService/DescribeWorkflow",
        "holdfast.v1.WorkflowService/GetWorkflowResult",
        "holdfast.v1.WorkflowService/GetHistory",
        "holdfast.v1.ActivityService/FailActivity",
        "holdfast.v1.OperatorService/DescribeTaskQueue",
        "holdfast.v1.WorkerService/Work",
        "holdfast.v1.ScheduleService/CreateSchedule",
        "holdfast.v1.ScheduleService/DescribeSchedule",
    };
    state = 20260101;
    int passed = try_one(&holdfast__v1__frame__descriptor);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const ProtobufCMessageDescriptor *request, *response;
        CHECK(hf_method_types(methods[i], &request, &response));
        for (int round = 0; round < ROUNDS; round++)
            passed +=
                try_one(request) + try_one(response) + try_one(&holdfast__v1__frame__descriptor);
    }
    CHECK(passed > ROUNDS && refused < passed / 20);
}

const test_case mutation_tests[] = {
    {"what_passes_the_check_can_be_unpacked", what_passes_the_check_can_be_unpacked, false},
    {0},
};
