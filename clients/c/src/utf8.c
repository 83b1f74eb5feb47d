#include "base.h"

/* The length of the sequence that begins at `at`, 0 when it is not valid (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
static size_t sequence(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    if (first == 0xe0 && at[1] < 0xa0)
        return 0;
    if (first == 0xed && at[1] > 0x9f)
        return 0;
    if (first == 0xf0 && at[1] < 0x90)
        return 0;
    if (first == 0xf4 && at[1] > 0x8f)
        return 0;
    return length;
}

const char *hf_utf8_fault(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (length > 0) {
        if (*at == 0)
            return "contains NUL";
        if (*at < 0x80) {
            at++;
            length--;
            continue;
        }
        size_t step = sequence(at, length);
        if (step == 0)
            return "is not valid UTF-8";
        at += step;
        length -= step;
    }
    return NULL;
}
