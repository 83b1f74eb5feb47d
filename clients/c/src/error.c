#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct parts {
    holdfast_status code;
    int32_t reason;
    const char *message, *field, *run_id;
    int64_t retry_after_ms;
} parts;

const char *holdfast_strerror(holdfast_status status)
{
    static const char *const canonical[] = {
        "ok",
        "cancelled",
        "unknown error",
        "invalid argument",
        "deadline exceeded",
        "not found",
        "already exists",
        "permission denied",
        "resource exhausted",
        "failed precondition",
        "aborted",
        "out of range",
        "unimplemented",
        "internal error of the engine",
        "unavailable",
        "data loss",
        "unauthenticated",
    };
    static const char *const local[] = {
        "not connected to an engine",
        "timed out",
        "closed",
        "the handle belongs to the parent process",
        "bad argument",
        "out of memory",
        "the engine violated the protocol",
        "too large for a frame",
        "the activity was completed before",
        "system error",
    };
    int number = (int)status;
    if (number >= 0 && number <= 16)
        return canonical[number];
    if (number >= 100 && number <= 109)
        return local[number - 100];
    return "unknown status";
}

static const char *reason_name(int32_t reason)
{
    const ProtobufCEnumValue *value =
        reason != 0
            ? protobuf_c_enum_descriptor_get_value(&holdfast__v1__reason__descriptor, reason)
            : NULL;
    const char *prefix = "REASON_";
    if (value == NULL || strncmp(value->name, prefix, strlen(prefix)) != 0)
        return "";
    return value->name + strlen(prefix);
}

static bool is_retryable(holdfast_status code, int32_t reason)
{
    switch (code) {
    case HOLDFAST_UNAVAILABLE:
    case HOLDFAST_ABORTED:
    case HOLDFAST_DISCONNECTED:
    case HOLDFAST_TIMEOUT:
    case HOLDFAST_DEADLINE_EXCEEDED:
        return true;
    case HOLDFAST_RESOURCE_EXHAUSTED:
        return reason != HOLDFAST__V1__REASON__REASON_PAYLOAD_TOO_LARGE &&
               reason != HOLDFAST__V1__REASON__REASON_FRAME_TOO_LARGE;
    default:
        return false;
    }
}

static holdfast_string place(char **at, const char *text)
{
    size_t length = strlen(text);
    holdfast_string view = {*at, length};
    memcpy(*at, text, length + 1);
    *at += length + 1;
    return view;
}

/* The struct and its strings are one block. */
static holdfast_error *make(const parts *from)
{
    size_t text = strlen(from->message) + strlen(from->field) + strlen(from->run_id) + 3;
    holdfast_error *error = malloc(sizeof *error + text);
    if (error == NULL)
        return NULL;
    char *at = (char *)(error + 1);
    error->code = from->code;
    error->reason = from->reason;
    error->reason_name = reason_name(from->reason);
    error->message = place(&at, from->message);
    error->field = place(&at, from->field);
    error->run_id = place(&at, from->run_id);
    error->retryable = is_retryable(from->code, from->reason);
    error->retry_after_ms = from->retry_after_ms;
    return error;
}

holdfast_status hf_fail(holdfast_error **error, holdfast_status code, const char *format, ...)
{
    if (error == NULL)
        return code;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    *error = make(&(parts){code, 0, message, "", "", 0});
    return code;
}

holdfast_status hf_fail_field(holdfast_error **error, holdfast_status code, const char *field,
                              const char *format, ...)
{
    if (error == NULL)
        return code;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    *error = make(&(parts){code, 0, message, field, "", 0});
    return code;
}

holdfast_status hf_fail_status(holdfast_error **error, const Holdfast__V1__Status *status)
{
    if (status == NULL || status->code == HOLDFAST__V1__STATUS_CODE__STATUS_CODE_OK) {
        if (error != NULL)
            *error = NULL;
        return HOLDFAST_OK;
    }
    int number = (int)status->code;
    holdfast_status code = number > 0 && number <= 16 ? (holdfast_status)number : HOLDFAST_UNKNOWN;
    const char *message = status->message[0] != '\0' ? status->message : holdfast_strerror(code);
    if (error != NULL)
        *error = make(&(parts){code, (int32_t)status->reason, message, status->field,
                               status->run_id, status->retry_after_ms});
    return code;
}

holdfast_error *hf_error_copy(const holdfast_error *error)
{
    if (error == NULL)
        return NULL;
    return make(&(parts){error->code, error->reason, error->message.ptr, error->field.ptr,
                         error->run_id.ptr, error->retry_after_ms});
}

void holdfast_error_free(holdfast_error *error)
{
    free(error);
}

void holdfast_bytes_free(holdfast_bytes *bytes)
{
    if (bytes == NULL)
        return;
    free((void *)bytes->ptr);
    *bytes = (holdfast_bytes){0};
}
