/* Inside of the connection without I/O, for the parts that move its bytes without copying them. */
#ifndef HF_CONNECTION_H
#define HF_CONNECTION_H

#include "arena.h"
#include "error.h"
#include "wire.h"

#define HF_FRAME_BYTES_MAX (4u * 1024u * 1024u)
#define HF_PROTOCOL_VERSION 1u
/* Room that a frame needs beside the body of a message. */
#define HF_FRAME_OVERHEAD 64u

typedef enum hf_connection_phase {
    HF_PHASE_HELLO, /* Hello is queued or sent, Welcome is awaited */
    HF_PHASE_READY,
    HF_PHASE_DRAINING, /* the engine takes no new streams */
    HF_PHASE_FAILED    /* `failure` says why; CLOSED may still have to be reported */
} hf_connection_phase;

typedef struct hf_stream {
    hf_node node;
    uint64_t id;
    bool unmetered; /* credit applies neither to Work nor to Replay */
    bool ended;     /* our side has sent its last message */
    uint64_t send_credit, receive_credit;
} hf_stream;

struct holdfast_connection {
    hf_connection_phase phase;
    hf_buffer in, out;
    size_t event_bytes; /* of `in`, viewed by the last event, consumed at the next call */
    hf_table streams;
    uint64_t next_stream, next_ping;
    uint32_t frame_in_max, frame_out_max, streams_max, initial_credit;
    int64_t handshake_deadline, last_received, ping_sent; /* ping_sent: -1 none is out */
    int64_t ping_interval, ping_timeout;
    bool input_ended, closed_told;
    holdfast_error *failure;     /* of the connection */
    holdfast_error *event_error; /* of the last event */
};

/* Room for at least `size` bytes that are about to be received; NULL: out of memory. */
uint8_t *hf_connection_reserve(holdfast_connection *connection, size_t size, size_t *room);
void hf_connection_commit(holdfast_connection *connection, size_t received, int64_t now_ms);
/* Swaps all pending bytes into `empty`, an empty buffer. */
void hf_connection_take(holdfast_connection *connection, hf_buffer *empty);
/* Ends the connection from our side. */
void hf_connection_fail(holdfast_connection *connection, holdfast_error *failure);
/* Queues a frame; TOO_LARGE, OUT_OF_MEMORY. */
holdfast_status hf_connection_queue(holdfast_connection *connection,
                                    const Holdfast__V1__Frame *frame);
hf_stream *hf_connection_stream(const holdfast_connection *connection, uint64_t id);

/* connection_receive.c: takes one whole frame. True: *event is filled. */
bool hf_connection_frame(holdfast_connection *connection, holdfast_bytes frame,
                         holdfast_event *event);

#endif
