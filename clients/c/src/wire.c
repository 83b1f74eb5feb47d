#include "wire.h"

hf_reader hf_read(holdfast_bytes message)
{
    const uint8_t *at = message.ptr;
    return (hf_reader){at, message.len > 0 ? at + message.len : at, false};
}

/* Tags and lengths are numbers of 32 bits: protobuf-c reads no longer form of them. */
#define HF_VARINT32_BYTES 5u
#define HF_VARINT_BYTES 10u

static bool read_varint(hf_reader *reader, unsigned bytes_max, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 7 * bytes_max; shift += 7) {
        if (reader->at == reader->end)
            return false;
        uint8_t byte = *reader->at++;
        if (shift < 64)
            *value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

static bool read_fixed(hf_reader *reader, size_t size, uint64_t *value)
{
    if ((size_t)(reader->end - reader->at) < size)
        return false;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += size;
    return true;
}

static bool read_delimited(hf_reader *reader, hf_field *field)
{
    uint64_t length;
    if (!read_varint(reader, HF_VARINT32_BYTES, &length) ||
        length > (size_t)(reader->end - reader->at))
        return false;
    field->bytes = (holdfast_bytes){reader->at, (size_t)length};
    reader->at += length;
    return true;
}

static bool read_value(hf_reader *reader, hf_field *field)
{
    switch (field->wire_type) {
    case 0:
        return read_varint(reader, HF_VARINT_BYTES, &field->value);
    case 1:
        return read_fixed(reader, 8, &field->value);
    case 2:
        return read_delimited(reader, field);
    case 5:
        return read_fixed(reader, 4, &field->value);
    default: /* groups are not in the schema's subset, 6 and 7 do not exist */
        return false;
    }
}

bool hf_read_field(hf_reader *reader, hf_field *field)
{
    if (reader->at == reader->end || reader->malformed)
        return false;
    const uint8_t *start = reader->at;
    uint64_t tag;
    *field = (hf_field){0};
    if (!read_varint(reader, HF_VARINT32_BYTES, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        reader->malformed = true;
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->wire_type = (uint32_t)(tag & 7);
    if (!read_value(reader, field)) {
        reader->malformed = true;
        return false;
    }
    field->whole = (holdfast_bytes){start, (size_t)(reader->at - start)};
    return true;
}

bool hf_find_bytes(holdfast_bytes message, uint32_t number, holdfast_bytes *bytes)
{
    hf_reader reader = hf_read(message);
    hf_field field;
    bool found = false;
    while (hf_read_field(&reader, &field)) {
        if (field.number == number && field.wire_type == 2) {
            *bytes = field.bytes;
            found = true;
        }
    }
    return found;
}

uint64_t hf_find_number(holdfast_bytes message, uint32_t number)
{
    hf_reader reader = hf_read(message);
    hf_field field;
    uint64_t value = 0;
    while (hf_read_field(&reader, &field)) {
        if (field.number == number && field.wire_type == 0)
            value = field.value;
    }
    return value;
}

size_t hf_varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

size_t hf_bytes_field_size(uint32_t number, size_t length)
{
    return hf_varint_size((uint64_t)number << 3) + hf_varint_size(length) + length;
}

bool hf_put_varint(hf_buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    return hf_buffer_append(buffer, bytes, count);
}

bool hf_put_number(hf_buffer *buffer, uint32_t number, uint64_t value)
{
    return hf_put_varint(buffer, (uint64_t)number << 3) && hf_put_varint(buffer, value);
}

bool hf_put_bytes(hf_buffer *buffer, uint32_t number, holdfast_bytes bytes)
{
    return hf_put_varint(buffer, (uint64_t)number << 3 | 2) && hf_put_varint(buffer, bytes.len) &&
           hf_buffer_append(buffer, bytes.ptr, bytes.len);
}
