/* Inside of the blocking client. */
#ifndef HF_CLIENT_H
#define HF_CLIENT_H

#include "link.h"
#include "payload.h"

/* Calls that one client may have under way; beyond it a call is RESOURCE_EXHAUSTED at once. */
#define HF_CALLS_MAX 100000u
/* Messages of a stream that may wait here for their reader. */
#define HF_STREAM_WINDOW 32u
/* Their bytes: the engine may begin with more credit than the window, but not with more memory. */
#define HF_STREAM_BYTES_MAX ((size_t)HF_STREAM_WINDOW * HF_FRAME_BYTES_MAX)
/* How much longer than the engine, which watches the deadline too, the client waits for its word.
 */
#define HF_DEADLINE_SLACK_MS 250

typedef enum hf_call_state {
    HF_CALL_QUEUED, /* waits for a connection, for a free stream, or for its pause to be over */
    HF_CALL_SENT,
    HF_CALL_DONE
} hf_call_state;

typedef enum hf_call_kind { HF_CALL_BLOCKING, HF_CALL_SUBMITTED, HF_CALL_STREAMING } hf_call_kind;

typedef struct hf_call hf_call;

typedef struct hf_call_list {
    hf_call *first, *last;
    size_t count;
} hf_call_list;

/* A thread inside the client. One of them at a time reads for all. */
typedef struct hf_waiter {
    struct hf_waiter *previous, *next;
    pthread_cond_t condition;
    bool wants_completions;
} hf_waiter;

typedef struct hf_message {
    struct hf_message *next;
    size_t length;
    uint8_t bytes[];
} hf_message;

struct hf_call {
    hf_node node; /* in client->streams while SENT */
    uint64_t stream;
    hf_call *previous, *next;
    hf_call_list *list;
    hf_call_kind kind;
    hf_call_state state;
    char *method;
    const ProtobufCMessageDescriptor *response_type; /* NULL: a method unknown here */
    hf_buffer request;
    bool repeatable;
    bool two_way; /* a stream on which the caller sends more than its first message */
    uint32_t attempts;
    int64_t deadline, not_before;
    uint64_t tag;
    hf_waiter *waiter;
    holdfast_status status;
    holdfast_bytes response; /* owned */
    holdfast_error *error;
    hf_message *messages, *messages_last; /* of a stream */
    size_t messages_bytes;                /* what they take */
    hf_message *current;                  /* viewed by the caller */
    uint64_t granted;                     /* messages that the engine may still send */
};

struct holdfast_client {
    hf_fork_guard guard;
    pthread_mutex_t lock;
    hf_endpoint endpoint;
    char *name_space;
    holdfast_reconnect_policy reconnect;
    int64_t call_timeout_ms;
    hf_link link;
    bool ready, draining, shut_down;
    uint32_t failures;    /* in a row, to connect or to stay connected */
    int64_t next_connect; /* not before this */
    int64_t last_io;
    holdfast_error *last_error;
    bool reading;          /* somebody is at the socket; the others wait on their conditions */
    pthread_t reader;      /* who, while `reading` */
    uint64_t changes;      /* grows with everything that a waiter may wait for */
    int64_t reading_until; /* when the reader wakes up by itself */
    int wake_fd;           /* wakes the reader; the link's wakes the caller's loop */
    bool looped;           /* there is a loop: holdfast_client_fd was called */
    bool processing;       /* the reader is the loop, which looks at everything afterwards */
    bool loop_woken;       /* and has not come yet */
    int64_t loop_until;    /* when the loop comes by itself */
    hf_waiter *waiters;
    hf_table streams; /* calls by stream id */
    hf_call_list queued, sent, completed;
    int64_t next_expiry; /* no deadline that `expire` watches and no pause ends before this */
};

/* client_call.c */
holdfast_status hf_call_new(holdfast_client *client, hf_call_kind kind, const char *method,
                            holdfast_bytes request, int64_t timeout_ms, hf_call **call,
                            holdfast_error **error);
void hf_call_free(hf_call *call);
/* The rest with the client's lock held. */
holdfast_status hf_call_begin(holdfast_client *client, hf_call *call, holdfast_error **error);
/* `error` is taken over. */
void hf_call_finish(holdfast_client *client, hf_call *call, holdfast_status status,
                    holdfast_error *error);
/* Takes a call that is not done out of the client, telling the engine if need be. */
void hf_call_abandon(holdfast_client *client, hf_call *call, const char *reason);
void hf_call_list_append(hf_call_list *list, hf_call *call);
void hf_call_list_prepend(hf_call_list *list, hf_call *call);
void hf_call_list_remove(hf_call *call);

/* client_loop.c: the rest with the client's lock held */
/* Tells the caller's loop that something came in, unless it is the one that took it in. */
void hf_client_tell_loop(holdfast_client *client);
/* Makes the loop come, if nobody reads and it would sleep beyond what is due. */
void hf_client_hurry_loop(holdfast_client *client);
/* The last thread that waited leaves: the loop is to look by itself again. */
void hf_client_hand_back(holdfast_client *client);

/* client_io.c */
/* Sends queued calls that may go, and everything pending. */
void hf_client_send(holdfast_client *client, int64_t now_ms);
void hf_client_disconnect(holdfast_client *client, int64_t now_ms, holdfast_error *why);
/* One turn of waiting: at the socket when nobody else is, else for a signal; returns when something
 * may have changed, at the latest at `until`. */
void hf_client_wait(holdfast_client *client, hf_waiter *waiter, int64_t until);
/* One turn as the reader, who must not be another. */
void hf_client_read(holdfast_client *client, int64_t until);
/* Signals a waiter to read, if there is one and nobody reads. */
void hf_client_pass_on(holdfast_client *client);
/* When something is due, although nothing comes in. */
int64_t hf_client_due(const holdfast_client *client);
void hf_client_enter(holdfast_client *client, hf_waiter *waiter);
void hf_client_leave(holdfast_client *client, hf_waiter *waiter);
/* Makes the reader look again, if it would sleep beyond `deadline`. */
void hf_client_wake_before(holdfast_client *client, int64_t deadline);
void hf_client_wake(holdfast_client *client);

/* Called before a call is queued: notices a connection that died while nobody was looking. */
void hf_client_refresh(holdfast_client *client, int64_t now_ms);

/* client_events.c, lock held: takes what the connection has to tell. */
void hf_client_events(holdfast_client *client, int64_t now_ms);

/* request.c: the request with request_id, namespace and identity filled in where they are unset. */
holdfast_status hf_request_prepare(holdfast_client *client, const char *method,
                                   holdfast_bytes request, hf_buffer *prepared, bool *repeatable,
                                   const ProtobufCMessageDescriptor **response_type,
                                   holdfast_error **error);

/* client.c: NULL and forked handles. */
holdfast_status hf_client_check(const holdfast_client *client, holdfast_error **error);
/* client.c, lock held: the last attempt to connect failed in a way that trying again does not mend.
 */
bool hf_client_is_refused(const holdfast_client *client);

/* client_raw.c: without waiting for more than one answer. */
holdfast_status hf_client_call(holdfast_client *client, const char *method, holdfast_bytes request,
                               int64_t timeout_ms, holdfast_bytes *response,
                               holdfast_error **error);

#endif
