/* An engine that does what a script says, in a thread of its own. A script is a function that is
 * called for each connection, in turn, and speaks frames. */
#ifndef FAKE_H
#define FAKE_H

#include "test.h"

#include "holdfast/v1/activity_service.pb-c.h"
#include "holdfast/v1/frame.pb-c.h"
#include "holdfast/v1/operator_service.pb-c.h"
#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

typedef struct fake_engine fake_engine;

typedef struct fake_peer {
    fake_engine *engine;
    int fd, number;                  /* number: from 1, of the connection */
    uint64_t stream;                 /* of the last Open, or of Work */
    Holdfast__V1__WorkRequest *work; /* partly taken */
    size_t work_next;
    uint32_t workflow_slots, activity_slots; /* granted in all */
} fake_peer;

typedef void (*fake_script)(fake_peer *peer, void *context);

struct fake_engine {
    char directory[64], path[96];
    int listener;
    pthread_t thread;
    fake_script script;
    void *context;
    uint32_t frame_bytes_max, initial_credit, streams_max;
    atomic_int connections;
    atomic_bool stopping;
};

/* Limits may be changed before fake_start. */
void fake_prepare(fake_engine *engine, fake_script script, void *context);
void fake_start(fake_engine *engine);
void fake_stop(fake_engine *engine);

/* Frames; NULL and false: the peer has closed. */
Holdfast__V1__Frame *fake_read(fake_peer *peer);
Holdfast__V1__Frame *fake_expect(fake_peer *peer, Holdfast__V1__Frame__KindCase kind);
void fake_free(Holdfast__V1__Frame *frame);
bool fake_write(fake_peer *peer, const Holdfast__V1__Frame *frame);
bool fake_write_bytes(fake_peer *peer, const void *bytes, size_t length);

bool fake_handshake(fake_peer *peer);
/* Reads on to the next Open; its body is unpacked as `type` into *request. */
Holdfast__V1__Frame *fake_next_open(fake_peer *peer);
bool fake_answer(fake_peer *peer, uint64_t stream, const ProtobufCMessage *response);
bool fake_refuse(fake_peer *peer, uint64_t stream, int code, int reason, int64_t retry_after_ms);
bool fake_message(fake_peer *peer, uint64_t stream, const ProtobufCMessage *message);

/* The Work stream: handshake, Open, Attach. The caller frees the Attach's message. */
Holdfast__V1__WorkerMessage *fake_accept_worker(fake_peer *peer);
bool fake_attached(fake_peer *peer, const ProtobufCBinaryData *lost, size_t count);
/* The next message that is not a Grant; NULL: the peer has closed. */
Holdfast__V1__WorkerMessage *fake_next_message(fake_peer *peer);
void fake_free_message(Holdfast__V1__WorkerMessage *message);
bool fake_send(fake_peer *peer, const Holdfast__V1__EngineMessage *message);
bool fake_send_activity(fake_peer *peer, const char *token, const char *type,
                        int64_t heartbeat_timeout_ms);
bool fake_send_cancel(fake_peer *peer, const char *token, int reason);
bool fake_recorded(fake_peer *peer, const char *token);
/* Reads until the peer closes. */
void fake_wait_for_close(fake_peer *peer);
bool token_is(ProtobufCBinaryData token, const char *expected);

#endif
