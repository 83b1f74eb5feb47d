/* Protobuf's wire format: read field by field, written field by field, checked against a schema. */
#ifndef HF_WIRE_H
#define HF_WIRE_H

#include "base.h"

#include <protobuf-c/protobuf-c.h>

typedef struct hf_field {
    uint32_t number;
    uint32_t wire_type;   /* 0, 1, 2 or 5 */
    uint64_t value;       /* wire types 0, 1 and 5 */
    holdfast_bytes bytes; /* wire type 2 */
    holdfast_bytes whole; /* the field with its tag */
} hf_field;

typedef struct hf_reader {
    const uint8_t *at, *end;
    bool malformed;
} hf_reader;

hf_reader hf_read(holdfast_bytes message);
/* The next field; false at the end and when the rest is malformed (reader->malformed). */
bool hf_read_field(hf_reader *reader, hf_field *field);
/* The last field `number` of wire type 2; false when there is none. */
bool hf_find_bytes(holdfast_bytes message, uint32_t number, holdfast_bytes *bytes);
/* The last field `number` of wire type 0; 0 when there is none. */
uint64_t hf_find_number(holdfast_bytes message, uint32_t number);

/* All return false when out of memory; the buffer then holds part of the field. */
bool hf_put_varint(hf_buffer *buffer, uint64_t value);
bool hf_put_number(hf_buffer *buffer, uint32_t number, uint64_t value);
bool hf_put_bytes(hf_buffer *buffer, uint32_t number, holdfast_bytes bytes);
size_t hf_varint_size(uint64_t value);
/* The size of a field of wire type 2 that holds `length` bytes. */
size_t hf_bytes_field_size(uint32_t number, size_t length);

/* What is wrong with a message: nothing when `what` is NULL. */
typedef struct hf_fault {
    const char *what;
    char path[160]; /* "input.encoding"; empty: the message itself */
} hf_fault;

/* Checks that a serialized message is well-formed, that each known field has its type, and that
 * every string is UTF-8 without NUL. protobuf-c checks neither strings nor nesting. */
bool hf_wire_check(const ProtobufCMessageDescriptor *type, holdfast_bytes message, hf_fault *fault);

/* The request and response types of "service/method"; false for one that the library does not know.
 */
bool hf_method_types(const char *path, const ProtobufCMessageDescriptor **request,
                     const ProtobufCMessageDescriptor **response);

#endif
