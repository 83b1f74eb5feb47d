#include "oracle.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>

/* Generated; ends with NULL. */
extern const ProtobufCMessageDescriptor *const holdfast_descriptors[];

static const ProtobufCMessageDescriptor *find(const char *name) {
  for (size_t i = 0; holdfast_descriptors[i]; i++) {
    if (strcmp(holdfast_descriptors[i]->name, name) == 0) return holdfast_descriptors[i];
  }
  return NULL;
}

int holdfast_oracle(const char *name, const uint8_t *bytes, size_t count, uint8_t **packed,
                    size_t *packed_count) {
  *packed = NULL;
  *packed_count = 0;
  const ProtobufCMessageDescriptor *descriptor = find(name);
  if (!descriptor) return HOLDFAST_ORACLE_NO_SUCH_MESSAGE;
  ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, count, bytes);
  if (!message) return HOLDFAST_ORACLE_REFUSED;
  size_t size = protobuf_c_message_get_packed_size(message);
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) abort();
  *packed_count = protobuf_c_message_pack(message, copy);
  if (*packed_count != size) abort();
  *packed = copy;
  protobuf_c_message_free_unpacked(message, NULL);
  return HOLDFAST_ORACLE_ACCEPTED;
}
