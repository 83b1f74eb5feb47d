/* protobuf-c's verdict on bytes, for the tests of the Swift codec. */
#ifndef HOLDFAST_ORACLE_H
#define HOLDFAST_ORACLE_H

#include <stddef.h>
#include <stdint.h>

enum {
  HOLDFAST_ORACLE_ACCEPTED = 0,
  HOLDFAST_ORACLE_REFUSED = 1,
  HOLDFAST_ORACLE_NO_SUCH_MESSAGE = 2
};

/* Unpacks `bytes` as the message with the full name `message` and packs it again. If accepted,
 * `*packed` is the caller's, to be freed with free(); else it is NULL. */
int holdfast_oracle(const char *message, const uint8_t *bytes, size_t count, uint8_t **packed,
                    size_t *packed_count);

#endif
