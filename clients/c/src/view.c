/* protobuf-c's structs into public views. */
#include "payload.h"

static bool view_payload(hf_arena *arena, const Holdfast__V1__Payload *from, holdfast_payload *to)
{
    *to = (holdfast_payload){.encoding = holdfast_str(from->encoding),
                             .data = {from->data.data, from->data.len},
                             .metadata_count = from->n_metadata};
    if (from->n_metadata == 0)
        return true;
    holdfast_metadata *list = hf_arena_alloc(arena, from->n_metadata * sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < from->n_metadata; i++) {
        const Holdfast__V1__MetadataEntry *entry = from->metadata[i];
        list[i] =
            (holdfast_metadata){holdfast_str(entry->key), {entry->value.data, entry->value.len}};
    }
    to->metadata = list;
    return true;
}

bool hf_view_payloads(hf_arena *arena, size_t count, Holdfast__V1__Payload **payloads,
                      holdfast_payloads *view)
{
    *view = (holdfast_payloads){0};
    if (count == 0)
        return true;
    holdfast_payload *list = hf_arena_alloc(arena, count * sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!view_payload(arena, payloads[i], &list[i]))
            return false;
    }
    *view = (holdfast_payloads){list, count};
    return true;
}

bool hf_view_header(hf_arena *arena, const Holdfast__V1__Header *header, holdfast_header *view)
{
    *view = (holdfast_header){0};
    if (header == NULL || header->n_fields == 0)
        return true;
    holdfast_header_field *list = hf_arena_alloc(arena, header->n_fields * sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < header->n_fields; i++) {
        const Holdfast__V1__PayloadEntry *entry = header->fields[i];
        list[i].key = holdfast_str(entry->key);
        if (entry->value != NULL && !view_payload(arena, entry->value, &list[i].value))
            return false;
    }
    *view = (holdfast_header){list, header->n_fields};
    return true;
}

static bool view_details(hf_arena *arena, const Holdfast__V1__FailureInfo *info,
                         holdfast_failure *view)
{
    switch (info->kind_case) {
    case HOLDFAST__V1__FAILURE_INFO__KIND_APPLICATION:
        view->type = holdfast_str(info->application->type);
        view->non_retryable = info->application->non_retryable;
        view->next_retry_delay_ms = info->application->next_retry_delay_ms;
        return hf_view_payloads(arena, info->application->n_details, info->application->details,
                                &view->details);
    case HOLDFAST__V1__FAILURE_INFO__KIND_TIMEOUT:
        return hf_view_payloads(arena, info->timeout->n_last_heartbeat_details,
                                info->timeout->last_heartbeat_details, &view->details);
    case HOLDFAST__V1__FAILURE_INFO__KIND_CANCELED:
        return hf_view_payloads(arena, info->canceled->n_details, info->canceled->details,
                                &view->details);
    case HOLDFAST__V1__FAILURE_INFO__KIND_ACTIVITY:
        view->type = holdfast_str(info->activity->activity_type);
        return true;
    case HOLDFAST__V1__FAILURE_INFO__KIND_SERVER:
        view->non_retryable = info->server->non_retryable;
        return true;
    default:
        return true;
    }
}

static bool view_info(hf_arena *arena, const Holdfast__V1__FailureInfo *info,
                      holdfast_failure *view)
{
    *view = (holdfast_failure){.struct_size = sizeof *view};
    if (info == NULL)
        return true;
    view->kind = (holdfast_failure_kind)info->kind_case;
    view->message = holdfast_str(info->message);
    view->source = holdfast_str(info->source);
    view->stack_trace = holdfast_str(info->stack_trace);
    return view_details(arena, info, view);
}

bool hf_view_failure(hf_arena *arena, const Holdfast__V1__Failure *failure,
                     holdfast_bytes serialized, holdfast_failure *view)
{
    if (!view_info(arena, failure->info, view))
        return false;
    view->serialized = serialized;
    if (failure->n_causes == 0)
        return true;
    holdfast_failure *list = hf_arena_alloc(arena, failure->n_causes * sizeof *list);
    if (list == NULL)
        return false;
    for (size_t i = 0; i < failure->n_causes; i++) {
        if (!view_info(arena, failure->causes[i], &list[i]))
            return false;
    }
    view->causes = list;
    view->causes_count = failure->n_causes;
    return true;
}
