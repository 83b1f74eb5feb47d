#include "fuzz.h"

uint8_t fuzz_byte(fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

holdfast_bytes fuzz_take(fuzz_input *input, size_t length)
{
    size_t taken = length < input->left ? length : input->left;
    holdfast_bytes bytes = {input->at, taken};
    input->at += taken;
    input->left -= taken;
    return bytes;
}

void fuzz_touch(holdfast_bytes bytes)
{
    static volatile uint8_t sum;
    const uint8_t *at = bytes.ptr;
    FUZZ_CHECK(at != NULL || bytes.len == 0);
    for (size_t i = 0; i < bytes.len; i++)
        sum ^= at[i];
}

void fuzz_touch_string(holdfast_string string)
{
    FUZZ_CHECK(hf_utf8_fault(string.ptr, string.len) == NULL);
    FUZZ_CHECK(string.ptr == NULL || string.ptr[string.len] == '\0');
}

void fuzz_touch_payloads(holdfast_payloads payloads)
{
    for (size_t i = 0; i < payloads.count; i++) {
        const holdfast_payload *one = &payloads.items[i];
        fuzz_touch_string(one->encoding);
        fuzz_touch(one->data);
        for (size_t m = 0; m < one->metadata_count; m++) {
            fuzz_touch_string(one->metadata[m].key);
            fuzz_touch(one->metadata[m].value);
        }
    }
}

void fuzz_check_error(const holdfast_error *error)
{
    FUZZ_CHECK(error != NULL && error->code != HOLDFAST_OK);
    FUZZ_CHECK(error->message.len > 0 && error->reason_name != NULL);
    fuzz_touch_string(error->message);
    fuzz_touch_string(error->field);
    fuzz_touch_string(error->run_id);
}
