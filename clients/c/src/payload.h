/* The public views of payloads, headers and failures, to and from protobuf-c's structs. */
#ifndef HF_PAYLOAD_H
#define HF_PAYLOAD_H

#include "arena.h"
#include "error.h"

#include "holdfast/v1/common.pb-c.h"

/* Builds one request. The first fault sticks; everything after it does nothing. */
typedef struct hf_builder {
    hf_arena arena;
    holdfast_status status;
    holdfast_error **error; /* may be NULL */
} hf_builder;

void hf_builder_init(hf_builder *builder, holdfast_error **error);
void hf_builder_free(hf_builder *builder);
holdfast_status hf_builder_fault(hf_builder *builder, holdfast_status status, const char *field,
                                 const char *what);

/* All return what fits in a message also after a fault, never NULL but for empty messages. */
void *hf_build_alloc(hf_builder *builder, size_t size);
char *hf_build_string(hf_builder *builder, holdfast_string string, const char *field);
ProtobufCBinaryData hf_build_bytes(holdfast_bytes bytes);
Holdfast__V1__Payload **hf_build_payloads(hf_builder *builder, holdfast_payloads payloads,
                                          const char *field, size_t *count);
/* NULL for an empty header. */
Holdfast__V1__Header *hf_build_header(hf_builder *builder, holdfast_header header,
                                      const char *field);
Holdfast__V1__Failure *hf_build_failure(hf_builder *builder, const holdfast_failure *failure,
                                        const char *field);
/* Serializes into the arena; ptr NULL after a fault. */
holdfast_bytes hf_build_pack(hf_builder *builder, const ProtobufCMessage *message);

/* Views of unpacked messages; the arrays come from the arena. False: out of memory. */
bool hf_view_payloads(hf_arena *arena, size_t count, Holdfast__V1__Payload **payloads,
                      holdfast_payloads *view);
bool hf_view_header(hf_arena *arena, const Holdfast__V1__Header *header, holdfast_header *view);
bool hf_view_failure(hf_arena *arena, const Holdfast__V1__Failure *failure,
                     holdfast_bytes serialized, holdfast_failure *view);

#endif
