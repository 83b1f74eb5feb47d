/* What the fuzz targets share. A target is a source of its own with LLVMFuzzerTestOneInput; it is
 * linked with libFuzzer, or with replay.c, which runs it on files. */
#ifndef FUZZ_H
#define FUZZ_H

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A belief; where it is wrong there is a finding. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What is left of an input. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left;
} fuzz_input;

/* The next byte; 0 at the end. */
uint8_t fuzz_byte(fuzz_input *input);
/* The next bytes, as many as there are up to `length`. */
holdfast_bytes fuzz_take(fuzz_input *input, size_t length);

/* Reads every byte, so that a sanitizer sees what is not there. */
void fuzz_touch(holdfast_bytes bytes);
/* As that, and the NUL that the library puts behind strings. */
void fuzz_touch_string(holdfast_string string);
void fuzz_touch_payloads(holdfast_payloads payloads);
/* An error says something: a status, a message, valid texts. */
void fuzz_check_error(const holdfast_error *error);

/* The world of a client or a worker, in place of sockets and clocks: one engine, which says what
 * the input holds, and a clock that moves when nothing else does. One thread; nothing sleeps.
 *
 * The engine's part is a list of pieces, one for each time that the library waits: a length (1 to
 * 255) and so many bytes to send. Length 0 is followed by an act: 0 ends the connection (what is
 * left is for the next one), n lets n × 500 ms go by. When the list is over the engine goes away,
 * and comes back no more. */
void fuzz_world_begin(fuzz_input engine, bool greets, unsigned connections_max);
/* Whether anything may still come from the engine. */
bool fuzz_world_lives(void);
void fuzz_world_end(void);

#endif
