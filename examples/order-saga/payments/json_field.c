#include "json_field.h"

#include <string.h>

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) != NULL && *c->at != '\0') {
        c->at++;
    }
}

static bool take(cursor *c, char expected)
{
    skip_space(c);
    if (c->at == c->end || *c->at != expected) {
        return false;
    }
    c->at++;
    return true;
}

/* Reads a string into `out`; what does not fit is a failure, never a shorter string. */
static bool take_string(cursor *c, char *out, size_t out_size)
{
    size_t length = 0;
    if (!take(c, '"')) {
        return false;
    }
    while (c->at < c->end && *c->at != '"') {
        if (*c->at == '\\') {
            c->at++;
            if (c->at == c->end || (*c->at != '"' && *c->at != '\\' && *c->at != '/')) {
                return false;
            }
        }
        if (*c->at == '\0' || length + 1 >= out_size) {
            return false;
        }
        out[length++] = *c->at++;
    }
    out[length] = '\0';
    return take(c, '"');
}

static bool take_int(cursor *c, int64_t *out)
{
    skip_space(c);
    bool negative = c->at < c->end && *c->at == '-';
    if (negative) {
        c->at++;
    }
    const char *first = c->at;
    int64_t value = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        int digit = *c->at++ - '0';
        if (value > (INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = negative ? -value : value;
    bool fraction = c->at < c->end && strchr(".eE", *c->at) != NULL;
    return c->at > first && !fraction;
}

/* Passes over a value that nobody asked for: a string of any length, a number, true, false, null.
 */
static bool skip_value(cursor *c)
{
    skip_space(c);
    if (c->at < c->end && *c->at == '"') {
        for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
            if (*c->at == '\\' && c->at + 1 < c->end) {
                c->at++;
            }
        }
        return take(c, '"');
    }
    const char *first = c->at;
    while (c->at < c->end && strchr(",}{[ \t\r\n", *c->at) == NULL) {
        c->at++;
    }
    return c->at > first;
}

/* Moves the cursor to the value of the field `name`. */
static bool find_field(cursor *c, const char *name)
{
    char field[64];
    if (!take(c, '{')) {
        return false;
    }
    do {
        if (!take_string(c, field, sizeof field) || !take(c, ':')) {
            return false;
        }
        if (strcmp(field, name) == 0) {
            return true;
        }
    } while (skip_value(c) && take(c, ','));
    return false;
}

bool json_string_field(const char *json, size_t size, const char *name, char *out, size_t out_size)
{
    cursor c = {json, json + size};
    return find_field(&c, name) && take_string(&c, out, out_size);
}

bool json_int_field(const char *json, size_t size, const char *name, int64_t *out)
{
    cursor c = {json, json + size};
    return find_field(&c, name) && take_int(&c, out);
}
