/* How failures are told. */
#ifndef HF_ERROR_H
#define HF_ERROR_H

#include "base.h"

#include "holdfast/v1/frame.pb-c.h"

/* Fills *error (may be NULL) with a new error and returns `code`. */
holdfast_status hf_fail(holdfast_error **error, holdfast_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As hf_fail, about a field. */
holdfast_status hf_fail_field(holdfast_error **error, holdfast_status code, const char *field,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What the engine said; HOLDFAST_OK and *error NULL for a missing status and for code OK. */
holdfast_status hf_fail_status(holdfast_error **error, const Holdfast__V1__Status *status);
/* A copy; NULL for NULL and when out of memory. */
holdfast_error *hf_error_copy(const holdfast_error *error);

#endif
