/* Just enough JSON to read one flat object: strings and whole numbers by name. */
#ifndef PAYMENTS_JSON_FIELD_H
#define PAYMENTS_JSON_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies the string field `name` of the object `json` into `out`, NUL-terminated. false: no such
 * field, not a string, too long for `out`, or not an object that this reader understands (nested
 * values and \u escapes it does not). */
bool json_string_field(const char *json, size_t size, const char *name, char *out, size_t out_size);

/* Reads the whole number `name` of the object `json`; false as above, or not a number that fits. */
bool json_int_field(const char *json, size_t size, const char *name, int64_t *out);

#endif
