/* Writes inputs to begin with into a folder for each target: messages with every field set, and
 * what an honest engine says. */
#include "fuzz.h"

#include "holdfast/v1/activity_service.pb-c.h"
#include "holdfast/v1/frame.pb-c.h"
#include "holdfast/v1/operator_service.pb-c.h"
#include "holdfast/v1/schedule_service.pb-c.h"
#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

#include <sys/stat.h>

#define DEPTH_MAX 4u
/* Field numbers of Frame.kind, and of EngineMessage.kind. */
enum { WELCOME = 3, GO_AWAY = 4, MESSAGE = 6, END = 7, CREDIT = 9, PING = 10 };
enum { ATTACHED = 1, ACTIVATION, REPLAY, EVICT, ACTIVITY, CANCEL, RECORDED, REFUSED, DRAIN };

static const char *folder;

static void must(bool done)
{
    if (!done)
        abort();
}

static holdfast_bytes text(const char *value)
{
    return (holdfast_bytes){value, strlen(value)};
}

static void save(const char *target, const char *name, hf_buffer *input)
{
    char path[1024];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    must(file != NULL);
    holdfast_bytes bytes = hf_buffer_view(input);
    must(fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len && fclose(file) == 0);
    hf_buffer_free(input);
}

static void put_byte(hf_buffer *out, uint8_t byte)
{
    must(hf_buffer_append(out, &byte, 1));
}

/* Every field of a type once; of a oneof each, so that the last one counts. */
static void put_all(hf_buffer *out, const ProtobufCMessageDescriptor *type, unsigned depth)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        hf_buffer inner = {0};
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
            must(hf_put_bytes(out, field->id, text(depth % 2 == 0 ? "f" : "json/plain")));
            break;
        case PROTOBUF_C_TYPE_MESSAGE:
            if (depth < DEPTH_MAX)
                put_all(&inner, field->descriptor, depth + 1);
            must(hf_put_bytes(out, field->id, hf_buffer_view(&inner)));
            break;
        case PROTOBUF_C_TYPE_DOUBLE:
            must(hf_put_varint(out, (uint64_t)field->id << 3 | 1) &&
                 hf_buffer_append(out, "\0\0\0\0\0\0\0\x40", 8));
            break;
        default:
            must(hf_put_number(out, field->id, 1));
        }
        hf_buffer_free(&inner);
    }
}

static void save_wire(void)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &holdfast__v1__worker_service__descriptor, &holdfast__v1__workflow_service__descriptor,
        &holdfast__v1__activity_service__descriptor, &holdfast__v1__operator_service__descriptor,
        &holdfast__v1__schedule_service__descriptor};
    uint8_t choice = 0;
    char name[64];
    hf_buffer input;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        for (unsigned m = 0; m < 2 * services[i]->n_methods; m++, choice++) {
            const ProtobufCMethodDescriptor *method = &services[i]->methods[m / 2];
            input = (hf_buffer){0};
            put_byte(&input, choice);
            put_all(&input, m % 2 == 0 ? method->input : method->output, 0);
            snprintf(name, sizeof name, "%s-%s", method->name, m % 2 == 0 ? "request" : "response");
            save("wire", name, &input);
        }
    }
    input = (hf_buffer){0};
    put_byte(&input, choice);
    put_all(&input, &holdfast__v1__frame__descriptor, 0);
    save("wire", "Frame", &input);
}

/* A frame as pieces; `body` NULL: with every field set. */
static void put_frame(hf_buffer *out, uint64_t stream, uint32_t kind, const hf_buffer *body)
{
    hf_buffer inner = {0}, frame = {0};
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&holdfast__v1__frame__descriptor, kind);
    if (body == NULL)
        put_all(&inner, field->descriptor, 2);
    must((stream == 0 || hf_put_number(&frame, 1, stream)) &&
         hf_put_bytes(&frame, kind, hf_buffer_view(body != NULL ? body : &inner)));
    size_t length = hf_buffer_length(&frame);
    const uint8_t head[] = {4, 0, 0, (uint8_t)(length >> 8), (uint8_t)length};
    must(hf_buffer_append(out, head, sizeof head));
    for (; (length = hf_buffer_length(&frame)) > 0; hf_buffer_consume(&frame, length)) {
        if (length > UINT8_MAX)
            length = UINT8_MAX;
        put_byte(out, (uint8_t)length);
        must(hf_buffer_append(out, hf_buffer_view(&frame).ptr, length));
    }
    hf_buffer_free(&inner);
    hf_buffer_free(&frame);
}

/* StreamMessage.body is field 1; End's answer is field 2. */
static void put_body(hf_buffer *out, uint64_t stream, uint32_t kind,
                     const ProtobufCMessageDescriptor *type)
{
    hf_buffer message = {0}, wrapped = {0};
    put_all(&message, type, 2);
    must(hf_put_bytes(&wrapped, kind == END ? 2 : 1, hf_buffer_view(&message)));
    put_frame(out, stream, kind, &wrapped);
    hf_buffer_free(&message);
    hf_buffer_free(&wrapped);
}

static void put_welcome(hf_buffer *out)
{
    hf_buffer welcome = {0};
    must(hf_put_number(&welcome, 1, 1) && hf_put_number(&welcome, 3, 7) &&
         hf_put_bytes(&welcome, 4, text("\x20\x14\x28\x02")));
    put_frame(out, 0, WELCOME, &welcome);
    hf_buffer_free(&welcome);
}

static void put_act(hf_buffer *out, uint8_t act)
{
    put_byte(out, 0);
    put_byte(out, act);
}

static void save_connection(void)
{
    char name[32];
    for (uint8_t flags = 0; flags < 8; flags++) {
        hf_buffer input = {0};
        put_byte(&input, flags);
        if (flags % 2 == 0)
            put_welcome(&input);
        put_frame(&input, 2, CREDIT, NULL);
        put_act(&input, 2 << 3 | 2);
        put_body(&input, 2, MESSAGE, &holdfast__v1__ping__descriptor);
        put_act(&input, 3 << 3 | 5);
        put_frame(&input, 0, PING, NULL);
        put_body(&input, 1, END, &holdfast__v1__ping__descriptor);
        put_frame(&input, 3, END, NULL);
        for (uint8_t act = 0; act < 8; act++)
            put_act(&input, (uint8_t)(2 << 3 | act));
        put_act(&input, 6);
        put_act(&input, 6);
        put_frame(&input, 0, GO_AWAY, NULL);
        snprintf(name, sizeof name, "all-%u", flags);
        save("connection", name, &input);
    }
}

/* The engine asks for the request to be sent again: UNAVAILABLE, DRAINING, after 500 ms. */
static void put_draining(hf_buffer *out, uint64_t stream)
{
    hf_buffer end = {0};
    must(hf_put_bytes(&end, 1, text("\x08\x0e\x18\x12\x28\xf4\x03")));
    put_frame(out, stream, END, &end);
    hf_buffer_free(&end);
}

static void save_client(void)
{
    static const ProtobufCMessageDescriptor *const answers[] = {
        &holdfast__v1__start_workflow_response__descriptor,
        &holdfast__v1__get_workflow_result_response__descriptor,
        &holdfast__v1__health_response__descriptor,
        &holdfast__v1__describe_workflow_response__descriptor};
    char name[32];
    for (uint8_t flags = 0; flags < 8; flags++) {
        hf_buffer input = {0};
        put_byte(&input, flags);
        if ((flags & 1) == 0)
            put_welcome(&input);
        put_body(&input, 5, MESSAGE, &holdfast__v1__history_batch__descriptor);
        put_body(&input, 5, MESSAGE, &holdfast__v1__history_batch__descriptor);
        put_draining(&input, 1);
        put_body(&input, 2, END, answers[1]);
        put_frame(&input, 3, END, NULL);
        put_act(&input, 40);
        put_act(&input, 0);
        for (uint64_t stream = 1; stream < 5; stream++)
            put_body(&input, stream, END, answers[stream - 1]);
        put_frame(&input, 5, END, NULL);
        snprintf(name, sizeof name, "all-%u", flags);
        save("client", name, &input);
    }
}

/* A message on the Work stream. */
static void put_engine_message(hf_buffer *out, uint32_t kind, const hf_buffer *inner)
{
    hf_buffer message = {0}, body = {0}, wrapped = {0};
    must(hf_put_bytes(&message, kind, hf_buffer_view(inner)) &&
         hf_put_bytes(&body, 1, hf_buffer_view(&message)) &&
         hf_put_bytes(&wrapped, 1, hf_buffer_view(&body)));
    put_frame(out, 1, MESSAGE, &wrapped);
    hf_buffer_free(&message);
    hf_buffer_free(&body);
    hf_buffer_free(&wrapped);
}

static void put_work(hf_buffer *out, uint32_t kind)
{
    hf_buffer inner = {0};
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&holdfast__v1__engine_message__descriptor, kind);
    put_all(&inner, field->descriptor, 2);
    put_engine_message(out, kind, &inner);
    hf_buffer_free(&inner);
}

/* Activations that the target leaves without an answer; the first is refused. */
static void save_activations(void)
{
    hf_buffer input = {0};
    put_byte(&input, 1);
    put_work(&input, ATTACHED);
    for (const char *run = "cgkos"; *run != '\0'; run++) {
        hf_buffer inner = {0};
        must(hf_put_bytes(&inner, 1, (holdfast_bytes){run, 1}) &&
             hf_put_bytes(&inner, 2, (holdfast_bytes){run, 1}));
        put_engine_message(&input, ACTIVATION, &inner);
        if (*run == 'c') {
            hf_buffer refused = {0};
            must(hf_put_bytes(&refused, 1, (holdfast_bytes){run, 1}));
            put_engine_message(&input, REFUSED, &refused);
            hf_buffer_free(&refused);
            put_engine_message(&input, ACTIVATION, &inner);
        }
        hf_buffer_free(&inner);
    }
    put_frame(&input, 1, END, NULL);
    save("worker", "activations", &input);
}

static void save_worker(void)
{
    char name[32];
    for (uint8_t flags = 0; flags < 16; flags++) {
        for (uint32_t kind = ACTIVATION; kind <= DRAIN; kind++) {
            hf_buffer input = {0};
            put_byte(&input, flags);
            if ((flags & 1) == 0)
                put_welcome(&input);
            put_work(&input, ATTACHED);
            put_work(&input, kind);
            put_work(&input, ACTIVITY);
            put_work(&input, kind == DRAIN ? RECORDED : kind);
            put_act(&input, 60);
            put_act(&input, 0);
            if ((flags & 1) == 0)
                put_welcome(&input);
            put_work(&input, ATTACHED);
            snprintf(name, sizeof name, "work-%u-%u", kind, flags);
            save("worker", name, &input);
        }
    }
}

static void save_reply(void)
{
    static const ProtobufCMessageDescriptor *const answers[8] = {
        &holdfast__v1__get_workflow_result_response__descriptor,
        &holdfast__v1__start_workflow_response__descriptor,
        &holdfast__v1__signal_workflow_response__descriptor,
        &holdfast__v1__query_workflow_response__descriptor,
        &holdfast__v1__describe_workflow_response__descriptor,
        &holdfast__v1__cancel_workflow_response__descriptor,
        &holdfast__v1__heartbeat_activity_response__descriptor,
        &holdfast__v1__health_response__descriptor};
    char name[32];
    for (uint8_t i = 0; i < 16; i++) {
        hf_buffer input = {0};
        put_byte(&input, i % 8);
        put_byte(&input, i / 8);
        put_all(&input, i < 8 ? answers[i] : &holdfast__v1__status__descriptor, 0);
        snprintf(name, sizeof name, "%s-%u", i < 8 ? "answer" : "refusal", i % 8);
        save("reply", name, &input);
    }
}

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    folder = arguments[1];
    save_wire();
    save_connection();
    save_client();
    save_worker();
    save_activations();
    save_reply();
    return 0;
}
