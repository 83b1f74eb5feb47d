/* Public structs into protobuf-c's. */
#include "payload.h"
#include "wire.h"

#include <stdlib.h>

void hf_builder_init(hf_builder *builder, holdfast_error **error)
{
    *builder = (hf_builder){.status = HOLDFAST_OK, .error = error};
    hf_arena_init(&builder->arena, 0);
}

void hf_builder_free(hf_builder *builder)
{
    hf_arena_free(&builder->arena);
}

holdfast_status hf_builder_fault(hf_builder *builder, holdfast_status status, const char *field,
                                 const char *what)
{
    if (builder->status == HOLDFAST_OK)
        builder->status = hf_fail_field(builder->error, status, field, "%s %s", field, what);
    return builder->status;
}

void *hf_build_alloc(hf_builder *builder, size_t size)
{
    void *memory = builder->status == HOLDFAST_OK ? hf_arena_alloc(&builder->arena, size) : NULL;
    if (memory == NULL && builder->status == HOLDFAST_OK)
        builder->status = hf_fail(builder->error, HOLDFAST_OUT_OF_MEMORY, "out of memory");
    return memory;
}

char *hf_build_string(hf_builder *builder, holdfast_string string, const char *field)
{
    char *empty = (char *)protobuf_c_empty_string;
    if (builder->status != HOLDFAST_OK || string.len == 0)
        return empty;
    const char *what = string.ptr != NULL ? hf_utf8_fault(string.ptr, string.len) : "is NULL";
    if (what != NULL) {
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, what);
        return empty;
    }
    char *copy = hf_build_alloc(builder, string.len + 1);
    if (copy == NULL)
        return empty;
    memcpy(copy, string.ptr, string.len);
    return copy;
}

ProtobufCBinaryData hf_build_bytes(holdfast_bytes bytes)
{
    return (ProtobufCBinaryData){bytes.len, (uint8_t *)bytes.ptr};
}

static int by_metadata_key(const void *left, const void *right)
{
    return strcmp((*(Holdfast__V1__MetadataEntry *const *)left)->key,
                  (*(Holdfast__V1__MetadataEntry *const *)right)->key);
}

static void build_metadata(hf_builder *builder, const holdfast_payload *from,
                           Holdfast__V1__Payload *to, const char *field)
{
    size_t count = from->metadata_count;
    if (count == 0)
        return;
    if (from->metadata == NULL) {
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has metadata NULL");
        return;
    }
    Holdfast__V1__MetadataEntry **list = hf_build_alloc(builder, count * sizeof *list);
    for (size_t i = 0; i < count && list != NULL; i++) {
        list[i] = hf_build_alloc(builder, sizeof **list);
        if (list[i] == NULL)
            return;
        holdfast__v1__metadata_entry__init(list[i]);
        list[i]->key = hf_build_string(builder, from->metadata[i].key, field);
        list[i]->value = hf_build_bytes(from->metadata[i].value);
    }
    if (builder->status != HOLDFAST_OK)
        return;
    qsort(list, count, sizeof *list, by_metadata_key);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(list[i - 1]->key, list[i]->key) == 0)
            hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "repeats a metadata key");
    }
    to->metadata = list;
    to->n_metadata = count;
}

static Holdfast__V1__Payload *build_payload(hf_builder *builder, const holdfast_payload *from,
                                            const char *field)
{
    Holdfast__V1__Payload *to = hf_build_alloc(builder, sizeof *to);
    if (to == NULL)
        return NULL;
    holdfast__v1__payload__init(to);
    holdfast_string encoding = from->encoding;
    if (encoding.len == 0)
        encoding = holdfast_str("binary/plain");
    if (from->data.ptr == NULL && from->data.len > 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has data NULL");
    to->encoding = hf_build_string(builder, encoding, field);
    to->data = hf_build_bytes(from->data);
    build_metadata(builder, from, to, field);
    return to;
}

Holdfast__V1__Payload **hf_build_payloads(hf_builder *builder, holdfast_payloads payloads,
                                          const char *field, size_t *count)
{
    *count = 0;
    if (payloads.count == 0 || builder->status != HOLDFAST_OK)
        return NULL;
    if (payloads.items == NULL) {
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has items NULL");
        return NULL;
    }
    Holdfast__V1__Payload **list = hf_build_alloc(builder, payloads.count * sizeof *list);
    for (size_t i = 0; i < payloads.count && list != NULL; i++)
        list[i] = build_payload(builder, &payloads.items[i], field);
    if (builder->status != HOLDFAST_OK)
        return NULL;
    *count = payloads.count;
    return list;
}

static int by_header_key(const void *left, const void *right)
{
    return strcmp((*(Holdfast__V1__PayloadEntry *const *)left)->key,
                  (*(Holdfast__V1__PayloadEntry *const *)right)->key);
}

Holdfast__V1__Header *hf_build_header(hf_builder *builder, holdfast_header header,
                                      const char *field)
{
    if (header.count == 0 || builder->status != HOLDFAST_OK)
        return NULL;
    Holdfast__V1__Header *made = hf_build_alloc(builder, sizeof *made);
    Holdfast__V1__PayloadEntry **list = hf_build_alloc(builder, header.count * sizeof *list);
    if (header.fields == NULL)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has fields NULL");
    for (size_t i = 0; i < header.count && builder->status == HOLDFAST_OK; i++) {
        list[i] = hf_build_alloc(builder, sizeof **list);
        if (list[i] == NULL)
            break;
        holdfast__v1__payload_entry__init(list[i]);
        list[i]->key = hf_build_string(builder, header.fields[i].key, field);
        list[i]->value = build_payload(builder, &header.fields[i].value, field);
    }
    if (builder->status != HOLDFAST_OK)
        return NULL;
    qsort(list, header.count, sizeof *list, by_header_key);
    for (size_t i = 1; i < header.count; i++) {
        if (strcmp(list[i - 1]->key, list[i]->key) == 0)
            hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "repeats a key");
    }
    holdfast__v1__header__init(made);
    made->fields = list;
    made->n_fields = header.count;
    return made;
}

static Holdfast__V1__FailureInfo *
build_failure_info(hf_builder *builder, const holdfast_failure *from, const char *field)
{
    Holdfast__V1__FailureInfo *info = hf_build_alloc(builder, sizeof *info);
    Holdfast__V1__ApplicationFailure *application = hf_build_alloc(builder, sizeof *application);
    if (builder->status != HOLDFAST_OK)
        return NULL;
    holdfast__v1__failure_info__init(info);
    holdfast__v1__application_failure__init(application);
    holdfast_string source = from->source.len > 0 ? from->source : holdfast_str("libholdfast");
    info->message = hf_build_string(builder, from->message, field);
    info->source = hf_build_string(builder, source, field);
    info->stack_trace = hf_build_string(builder, from->stack_trace, field);
    info->kind_case = HOLDFAST__V1__FAILURE_INFO__KIND_APPLICATION;
    info->application = application;
    application->type = hf_build_string(builder, from->type, field);
    application->non_retryable = from->non_retryable;
    application->next_retry_delay_ms = from->next_retry_delay_ms;
    application->details =
        hf_build_payloads(builder, from->details, field, &application->n_details);
    return info;
}

static Holdfast__V1__Failure *unpack_failure(hf_builder *builder, holdfast_bytes serialized,
                                             const char *field)
{
    hf_fault fault;
    if (!hf_wire_check(&holdfast__v1__failure__descriptor, serialized, &fault)) {
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, fault.what);
        return NULL;
    }
    ProtobufCMessage *message =
        hf_unpack(&builder->arena, &holdfast__v1__failure__descriptor, serialized);
    if (message == NULL)
        hf_builder_fault(builder, HOLDFAST_OUT_OF_MEMORY, field, "does not fit in memory");
    return (Holdfast__V1__Failure *)message;
}

Holdfast__V1__Failure *hf_build_failure(hf_builder *builder, const holdfast_failure *failure,
                                        const char *field)
{
    if (failure->struct_size != sizeof *failure)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has a wrong struct_size");
    if (builder->status != HOLDFAST_OK)
        return NULL;
    if (failure->serialized.len > 0)
        return unpack_failure(builder, failure->serialized, field);
    if (failure->causes == NULL && failure->causes_count > 0)
        hf_builder_fault(builder, HOLDFAST_BAD_ARGUMENT, field, "has causes NULL");
    size_t causes = failure->causes_count;
    Holdfast__V1__Failure *made = hf_build_alloc(builder, sizeof *made);
    Holdfast__V1__FailureInfo **list =
        causes > 0 ? hf_build_alloc(builder, causes * sizeof *list) : NULL;
    if (builder->status != HOLDFAST_OK)
        return NULL;
    holdfast__v1__failure__init(made);
    made->info = build_failure_info(builder, failure, field);
    for (size_t i = 0; i < causes; i++)
        list[i] = build_failure_info(builder, &failure->causes[i], field);
    made->causes = list;
    made->n_causes = causes;
    return builder->status == HOLDFAST_OK ? made : NULL;
}

holdfast_bytes hf_build_pack(hf_builder *builder, const ProtobufCMessage *message)
{
    if (builder->status != HOLDFAST_OK)
        return (holdfast_bytes){0};
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = hf_build_alloc(builder, size > 0 ? size : 1);
    if (bytes == NULL)
        return (holdfast_bytes){0};
    protobuf_c_message_pack(message, bytes);
    return (holdfast_bytes){bytes, size};
}
