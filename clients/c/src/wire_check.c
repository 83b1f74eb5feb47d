#include "wire.h"

#include "holdfast/v1/activity_service.pb-c.h"
#include "holdfast/v1/batch_service.pb-c.h"
#include "holdfast/v1/operator_service.pb-c.h"
#include "holdfast/v1/schedule_service.pb-c.h"
#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

#include <stdio.h>

/* The schema is not recursive; nothing in it nests deeper than this. */
#define HF_DEPTH_MAX 24

static uint32_t wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 2;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return 5;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 1;
    default:
        return 0;
    }
}

static bool fail(hf_fault *fault, const char *what)
{
    fault->what = what;
    return false;
}

/* Puts `name` before the path that the fault has so far. */
static void prepend(hf_fault *fault, const char *name)
{
    char rest[sizeof fault->path];
    memcpy(rest, fault->path, sizeof rest);
    snprintf(fault->path, sizeof fault->path, "%s%s%.*s", name, rest[0] != '\0' ? "." : "",
             (int)(sizeof rest / 2), rest);
}

static bool check_packed(const ProtobufCFieldDescriptor *known, holdfast_bytes bytes)
{
    uint32_t wire_type = wire_type_of(known->type);
    if (wire_type != 0)
        return bytes.len % (wire_type == 1 ? 8 : 4) == 0;
    const uint8_t *at = bytes.ptr;
    unsigned run = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        run = (at[i] & 0x80) != 0 ? run + 1 : 0;
        if (run >= 10)
            return false;
    }
    return run == 0;
}

static bool check_message(const ProtobufCMessageDescriptor *type, holdfast_bytes message,
                          unsigned depth, hf_fault *fault);

static bool check_field(const ProtobufCFieldDescriptor *known, const hf_field *field,
                        unsigned depth, hf_fault *fault)
{
    uint32_t wire_type = wire_type_of(known->type);
    bool packed = known->label == PROTOBUF_C_LABEL_REPEATED && wire_type != 2;
    if (packed && field->wire_type == 2)
        return check_packed(known, field->bytes) || fail(fault, "is malformed");
    if (field->wire_type != wire_type)
        return fail(fault, "has another type on the wire");
    if (known->type == PROTOBUF_C_TYPE_STRING) {
        const char *what = hf_utf8_fault(field->bytes.ptr, field->bytes.len);
        return what == NULL || fail(fault, what);
    }
    if (known->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_message(known->descriptor, field->bytes, depth + 1, fault);
    return true;
}

static bool check_message(const ProtobufCMessageDescriptor *type, holdfast_bytes message,
                          unsigned depth, hf_fault *fault)
{
    if (depth > HF_DEPTH_MAX)
        return fail(fault, "is nested too deep");
    hf_reader reader = hf_read(message);
    hf_field field;
    while (hf_read_field(&reader, &field)) {
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, field.number);
        if (known == NULL || check_field(known, &field, depth, fault))
            continue;
        prepend(fault, known->name);
        return false;
    }
    return !reader.malformed || fail(fault, "is malformed");
}

bool hf_wire_check(const ProtobufCMessageDescriptor *type, holdfast_bytes message, hf_fault *fault)
{
    *fault = (hf_fault){0};
    return check_message(type, message, 0, fault);
}

bool hf_method_types(const char *path, const ProtobufCMessageDescriptor **request,
                     const ProtobufCMessageDescriptor **response)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &holdfast__v1__workflow_service__descriptor,
        &holdfast__v1__activity_service__descriptor,
        &holdfast__v1__operator_service__descriptor,
        &holdfast__v1__worker_service__descriptor,
        &holdfast__v1__schedule_service__descriptor,
        &holdfast__v1__batch_service__descriptor,
    };
    const char *slash = strchr(path, '/');
    if (slash == NULL)
        return false;
    size_t length = (size_t)(slash - path);
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        const ProtobufCServiceDescriptor *service = services[i];
        if (strlen(service->name) != length || memcmp(service->name, path, length) != 0)
            continue;
        const ProtobufCMethodDescriptor *method =
            protobuf_c_service_descriptor_get_method_by_name(service, slash + 1);
        if (method == NULL)
            return false;
        *request = method->input;
        *response = method->output;
        return true;
    }
    return false;
}
