/* Fills in what every request may carry and callers mostly leave out. Fields are appended: a later
 * field of the same number wins, so an explicitly empty one is overridden too. */
#include "client.h"
#include "wire.h"

static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessageDescriptor *type,
                                                   const char *name, ProtobufCType kind)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(type, name);
    return field != NULL && field->type == kind ? field : NULL;
}

static bool is_set(holdfast_bytes message, uint32_t number)
{
    holdfast_bytes value;
    return hf_find_bytes(message, number, &value) && value.len > 0;
}

static bool append_if_unset(const ProtobufCMessageDescriptor *type, holdfast_bytes message,
                            const char *name, const char *value, hf_buffer *out)
{
    const ProtobufCFieldDescriptor *field = field_named(type, name, PROTOBUF_C_TYPE_STRING);
    if (field == NULL || value == NULL || value[0] == '\0' || is_set(message, field->id))
        return true;
    return hf_put_bytes(out, field->id, (holdfast_bytes){value, strlen(value)});
}

static bool append_defaults(const holdfast_client *client, const ProtobufCMessageDescriptor *type,
                            holdfast_bytes message, hf_buffer *out)
{
    char request_id[37] = "";
    if (field_named(type, "request_id", PROTOBUF_C_TYPE_STRING) != NULL &&
        !hf_random_uuid(request_id))
        return false;
    return append_if_unset(type, message, "namespace", client->name_space, out) &&
           append_if_unset(type, message, "identity", client->endpoint.identity, out) &&
           append_if_unset(type, message, "request_id", request_id, out);
}

/* SignalWithStartWorkflow carries its request in `start`: written anew, because its length grows.
 */
static bool copy_with_start(const holdfast_client *client, const ProtobufCFieldDescriptor *start,
                            holdfast_bytes message, hf_buffer *out)
{
    hf_reader reader = hf_read(message);
    hf_field field;
    holdfast_bytes inner = {0};
    while (hf_read_field(&reader, &field)) {
        if (field.number == start->id) {
            inner = field.bytes;
            continue;
        }
        if (!hf_buffer_append(out, field.whole.ptr, field.whole.len))
            return false;
    }
    hf_buffer grown = {0};
    bool done = hf_buffer_append(&grown, inner.ptr, inner.len) &&
                append_defaults(client, start->descriptor, inner, &grown) &&
                hf_put_bytes(out, start->id, hf_buffer_view(&grown));
    hf_buffer_free(&grown);
    return done;
}

holdfast_status hf_request_prepare(holdfast_client *client, const char *method,
                                   holdfast_bytes request, hf_buffer *prepared, bool *repeatable,
                                   const ProtobufCMessageDescriptor **response_type,
                                   holdfast_error **error)
{
    const ProtobufCMessageDescriptor *type = NULL;
    *response_type = NULL;
    *repeatable = hf_method_types(method, &type, response_type);
    bool done;
    if (!*repeatable) {
        /* A method of a later engine: sent as it is, once. */
        done = hf_buffer_append(prepared, request.ptr, request.len);
    } else {
        hf_fault fault;
        if (!hf_wire_check(type, request, &fault))
            return hf_fail_field(error, HOLDFAST_BAD_ARGUMENT, fault.path, "%s %s",
                                 fault.path[0] != '\0' ? fault.path : "the request", fault.what);
        const ProtobufCFieldDescriptor *start = field_named(type, "start", PROTOBUF_C_TYPE_MESSAGE);
        done = start != NULL ? copy_with_start(client, start, request, prepared)
                             : hf_buffer_append(prepared, request.ptr, request.len);
        done = done && append_defaults(client, type, request, prepared);
    }
    return done ? HOLDFAST_OK : hf_fail(error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
}
