/* A message of any type: what the check lets through unpacks, packs and passes again. The first
 * byte chooses the type, the rest is the message. */
#include "fuzz.h"

#include "arena.h"

#include "holdfast/v1/activity_service.pb-c.h"
#include "holdfast/v1/frame.pb-c.h"
#include "holdfast/v1/operator_service.pb-c.h"
#include "holdfast/v1/schedule_service.pb-c.h"
#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

#define FIELDS_MAX 64u

static const ProtobufCMessageDescriptor *type_of(uint8_t choice)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &holdfast__v1__worker_service__descriptor, &holdfast__v1__workflow_service__descriptor,
        &holdfast__v1__activity_service__descriptor, &holdfast__v1__operator_service__descriptor,
        &holdfast__v1__schedule_service__descriptor};
    unsigned number = choice;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        const ProtobufCServiceDescriptor *service = services[i];
        if (number < 2 * service->n_methods) {
            const ProtobufCMethodDescriptor *method = &service->methods[number / 2];
            return number % 2 == 0 ? method->input : method->output;
        }
        number -= 2 * service->n_methods;
    }
    return &holdfast__v1__frame__descriptor;
}

/* Whether a field that is one message comes more than once: protobuf-c has to merge the pieces, and
 * refuses when it cannot. */
static bool comes_in_pieces(const ProtobufCMessageDescriptor *type, holdfast_bytes message)
{
    bool seen[FIELDS_MAX] = {false};
    FUZZ_CHECK(type->n_fields <= FIELDS_MAX);
    hf_reader reader = hf_read(message);
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, field.number);
        if (known == NULL || known->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        bool *before = &seen[known - type->fields];
        if ((*before && known->label != PROTOBUF_C_LABEL_REPEATED) ||
            comes_in_pieces(known->descriptor, field.bytes))
            return true;
        *before = true;
    }
    return false;
}

static void *allocate(void *arena, size_t size)
{
    return hf_arena_alloc(arena, size);
}

static void forget(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

/* Whether only the budget stands in its way. */
static bool costs_too_much(const ProtobufCMessageDescriptor *type, holdfast_bytes message)
{
    hf_arena arena;
    hf_arena_init(&arena, 0);
    ProtobufCAllocator allocator = {.alloc = allocate, .free = forget, .allocator_data = &arena};
    bool unpacks = protobuf_c_message_unpack(type, &allocator, message.len, message.ptr) != NULL;
    bool much = arena.used > message.len * HF_UNPACK_FACTOR + HF_UNPACK_FLOOR;
    hf_arena_free(&arena);
    return unpacks && much;
}

static holdfast_bytes pack(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + (size == 0));
    FUZZ_CHECK(packed != NULL && protobuf_c_message_pack(message, packed) == size);
    return (holdfast_bytes){packed, size};
}

/* Packed, it passes again, and comes out of a second round as it went in. */
static void check_round(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *message)
{
    hf_fault fault;
    hf_arena arena;
    hf_arena_init(&arena, 0);
    holdfast_bytes packed = pack(message);
    FUZZ_CHECK(hf_wire_check(type, packed, &fault));
    const ProtobufCMessage *again = hf_unpack(&arena, type, packed);
    FUZZ_CHECK(again != NULL || costs_too_much(type, packed));
    if (again != NULL) {
        holdfast_bytes second = pack(again);
        FUZZ_CHECK(second.len == packed.len && memcmp(second.ptr, packed.ptr, packed.len) == 0);
        holdfast_bytes_free(&second);
    }
    holdfast_bytes_free(&packed);
    hf_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const ProtobufCMessageDescriptor *type = type_of(fuzz_byte(&input));
    holdfast_bytes bytes = {input.at, input.left};
    hf_fault fault;
    bool passes = hf_wire_check(type, bytes, &fault);
    FUZZ_CHECK(passes == (fault.what == NULL));
    FUZZ_CHECK(strlen(fault.path) < sizeof fault.path);
    if (!passes)
        return 0;
    hf_arena arena;
    hf_arena_init(&arena, 0);
    const ProtobufCMessage *message = hf_unpack(&arena, type, bytes);
    FUZZ_CHECK(arena.used <= bytes.len * HF_UNPACK_FACTOR + HF_UNPACK_FLOOR);
    if (message != NULL)
        check_round(type, message);
    else
        FUZZ_CHECK(comes_in_pieces(type, bytes) || costs_too_much(type, bytes));
    hf_arena_free(&arena);
    return 0;
}
