/*
 * libholdfast: the C library through which workers and clients talk to a Holdfast engine.
 *
 * Two layers:
 *   - holdfast_connection: the protocol without I/O. Feed bytes, take bytes, ask for events.
 *   - holdfast_client and holdfast_worker: over the engine's Unix socket, blocking or in the
 *     caller's own loop.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *   - Thread-safety: "thread-safe" means that any number of threads may call it on one handle at
 *     once. No function may run while another thread is inside the handle's free or close.
 *   - Strings are UTF-8 without NUL, given as {ptr,len}. A violation is HOLDFAST_BAD_ARGUMENT and
 *     names the field. Strings that the library hands out have a NUL after their last byte.
 *   - Views given as arguments are read during the call only; the library copies what it keeps.
 *   - `holdfast_error **error` may be NULL. On failure it receives a new error, to be freed with
 *     holdfast_error_free; on HOLDFAST_OK it receives NULL.
 *   - `timeout_ms` of a call to the engine: > 0 milliseconds, 0 the client's default, < 0 forever.
 *     `wait_ms` of a local wait: > 0 milliseconds, 0 do not wait, < 0 forever.
 *   - Option structs begin with struct_size, which the caller sets to sizeof the struct. A zeroed
 *     field means its default. A NULL options pointer is HOLDFAST_BAD_ARGUMENT unless said
 * otherwise.
 *   - A NULL handle is HOLDFAST_BAD_ARGUMENT; every free function takes NULL and does nothing.
 *   - In a child of fork() a handle of the parent answers HOLDFAST_FORKED and touches nothing.
 *   - The library has no global state, prints nothing, installs no signal handler, raises no
 * SIGPIPE.
 */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define HOLDFAST_API __attribute__((visibility("default")))
#else
#define HOLDFAST_API
#endif

/* ------------------------------------------------------------------------------------------ */
/* Version                                                                                    */
/* ------------------------------------------------------------------------------------------ */

#define HOLDFAST_VERSION_MAJOR 0
#define HOLDFAST_VERSION_MINOR 1
#define HOLDFAST_VERSION_PATCH 0
#define HOLDFAST_VERSION_STRING "0.1.0"
#define HOLDFAST_VERSION_NUMBER                                                                    \
    (HOLDFAST_VERSION_MAJOR * 1000000 + HOLDFAST_VERSION_MINOR * 1000 + HOLDFAST_VERSION_PATCH)

/* Returns the version of the library in use, as "0.1.0"; static, never NULL. Thread-safe.
 * Since 0.1. */
HOLDFAST_API const char *holdfast_version(void);

/* Returns HOLDFAST_VERSION_NUMBER of the library in use. Thread-safe. Since 0.1. */
HOLDFAST_API uint32_t holdfast_version_number(void);

/* Tells whether the library in use can serve a program compiled against `header_version`
 * (HOLDFAST_VERSION_NUMBER): same major, and at least as new. Thread-safe. Since 0.1. */
HOLDFAST_API bool holdfast_version_check(uint32_t header_version);

/* ------------------------------------------------------------------------------------------ */
/* Status and errors                                                                          */
/* ------------------------------------------------------------------------------------------ */

/* What a call came to. 0 to 16 are the engine's (gRPC's canonical codes), 100 and up the
 * library's own. Numbers are never reused. */
typedef enum holdfast_status {
    HOLDFAST_OK = 0,
    HOLDFAST_CANCELLED = 1,
    HOLDFAST_UNKNOWN = 2,
    HOLDFAST_INVALID_ARGUMENT = 3,
    HOLDFAST_DEADLINE_EXCEEDED = 4,
    HOLDFAST_NOT_FOUND = 5,
    HOLDFAST_ALREADY_EXISTS = 6,
    HOLDFAST_PERMISSION_DENIED = 7,
    HOLDFAST_RESOURCE_EXHAUSTED = 8,
    HOLDFAST_FAILED_PRECONDITION = 9,
    HOLDFAST_ABORTED = 10,
    HOLDFAST_OUT_OF_RANGE = 11,
    HOLDFAST_UNIMPLEMENTED = 12,
    HOLDFAST_INTERNAL = 13,
    HOLDFAST_UNAVAILABLE = 14,
    HOLDFAST_DATA_LOSS = 15,
    HOLDFAST_UNAUTHENTICATED = 16,

    HOLDFAST_DISCONNECTED = 100,   /* no connection, and none came about in time */
    HOLDFAST_TIMEOUT = 101,        /* the time given to a local wait or a call is over */
    HOLDFAST_CLOSED = 102,         /* the handle was closed or stopped, or the stream has ended */
    HOLDFAST_FORKED = 103,         /* the handle belongs to the parent process */
    HOLDFAST_BAD_ARGUMENT = 104,   /* the caller's mistake; nothing was sent */
    HOLDFAST_OUT_OF_MEMORY = 105,  /* nothing was sent */
    HOLDFAST_PROTOCOL_ERROR = 106, /* the engine sent what it may not send */
    HOLDFAST_TOO_LARGE = 107,      /* the message does not fit a frame */
    HOLDFAST_ALREADY_COMPLETED = 108, /* this activity task was completed or given away before */
    HOLDFAST_SYSTEM_ERROR = 109       /* the operating system refused; the message says what */
} holdfast_status;

/* Returns a short English phrase for a status; static, never NULL, also for unknown numbers.
 * Thread-safe. Since 0.1. */
HOLDFAST_API const char *holdfast_strerror(holdfast_status status);

/* A string: UTF-8, no NUL inside. ptr may be NULL when len is 0. */
typedef struct holdfast_string {
    const char *ptr;
    size_t len;
} holdfast_string;

/* Any bytes. ptr may be NULL when len is 0. */
typedef struct holdfast_bytes {
    const void *ptr;
    size_t len;
} holdfast_bytes;

/* A holdfast_string from a literal, also in a static initializer. */
#define HOLDFAST_STR(literal)                                                                      \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* Views a C string; NULL becomes the empty string. Thread-safe. Since 0.1. */
static inline holdfast_string holdfast_str(const char *c_string)
{
    holdfast_string view;
    view.ptr = c_string;
    view.len = c_string != NULL ? strlen(c_string) : 0;
    return view;
}

/* Frees bytes that a holdfast function handed out as owned, and empties the view; NULL is fine.
 * Thread-safe for different views. Since 0.1. */
HOLDFAST_API void holdfast_bytes_free(holdfast_bytes *bytes);

/* Everything known about a failed call. Allocated by the library, freed by holdfast_error_free.
 * Later versions may add members at the end. */
typedef struct holdfast_error {
    holdfast_status code;
    int32_t reason;          /* holdfast.v1.Reason; 0 when the engine gave none */
    const char *reason_name; /* "WORKFLOW_NOT_FOUND"; "" for 0 and for numbers unknown here */
    holdfast_string message; /* for people */
    holdfast_string field;   /* the field at fault, as a path: "retry_policy.maximum_attempts" */
    bool retryable;          /* the same call may succeed later */
    int64_t retry_after_ms;  /* the engine's advice; 0: none */
    holdfast_string run_id;  /* the run that the error speaks of; may be empty */
} holdfast_error;

/* Frees an error; NULL is fine. Thread-safe for different errors. Since 0.1. */
HOLDFAST_API void holdfast_error_free(holdfast_error *error);

/* ------------------------------------------------------------------------------------------ */
/* Payloads and failures                                                                      */
/* ------------------------------------------------------------------------------------------ */

typedef struct holdfast_metadata {
    holdfast_string key;
    holdfast_bytes value;
} holdfast_metadata;

/* A value of the user's. The engine never looks inside. An empty encoding is sent as
 * "binary/plain". Metadata may be given in any order; equal keys are HOLDFAST_BAD_ARGUMENT. */
typedef struct holdfast_payload {
    holdfast_string encoding; /* json/plain, binary/plain, json/protobuf, binary/protobuf, … */
    holdfast_bytes data;
    const holdfast_metadata *metadata;
    size_t metadata_count;
} holdfast_payload;

/* A list of payloads. */
typedef struct holdfast_payloads {
    const holdfast_payload *items;
    size_t count;
} holdfast_payloads;

/* A named payload; lists may be given in any order, equal keys are HOLDFAST_BAD_ARGUMENT. */
typedef struct holdfast_header_field {
    holdfast_string key;
    holdfast_payload value;
} holdfast_header_field;

typedef struct holdfast_header {
    const holdfast_header_field *fields;
    size_t count;
} holdfast_header;

/* Views `json` (a C string; NULL: empty) as a json/plain payload. Thread-safe. Since 0.1. */
static inline holdfast_payload holdfast_json(const char *json)
{
    holdfast_payload payload;
    payload.encoding = holdfast_str("json/plain");
    payload.data.ptr = json;
    payload.data.len = json != NULL ? strlen(json) : 0;
    payload.metadata = NULL;
    payload.metadata_count = 0;
    return payload;
}

/* Views `size` bytes at `data` as a binary/plain payload. Thread-safe. Since 0.1. */
static inline holdfast_payload holdfast_binary(const void *data, size_t size)
{
    holdfast_payload payload;
    payload.encoding = holdfast_str("binary/plain");
    payload.data.ptr = data;
    payload.data.len = size;
    payload.metadata = NULL;
    payload.metadata_count = 0;
    return payload;
}

typedef enum holdfast_failure_kind {
    HOLDFAST_FAILURE_NONE = 0,
    HOLDFAST_FAILURE_APPLICATION = 5, /* numbers: holdfast.v1.FailureInfo's field numbers */
    HOLDFAST_FAILURE_TIMEOUT = 6,
    HOLDFAST_FAILURE_CANCELED = 7,
    HOLDFAST_FAILURE_TERMINATED = 8,
    HOLDFAST_FAILURE_SERVER = 9,
    HOLDFAST_FAILURE_ACTIVITY = 10,
    HOLDFAST_FAILURE_WORKER_LOST = 11
} holdfast_failure_kind;

/* What went wrong. Given to the library it always describes an application failure (kind is
 * ignored), or, when `serialized` is not empty, exactly that holdfast.v1.Failure message and
 * nothing else of the struct. Handed out by the library every member that exists is filled. */
typedef struct holdfast_failure {
    uint32_t struct_size;
    holdfast_failure_kind kind;
    holdfast_string message;
    holdfast_string type; /* the user's name for the kind of error; retry policies match it */
    bool non_retryable;
    int64_t next_retry_delay_ms; /* overrides the policy's interval; 0: unset */
    holdfast_payloads details;
    holdfast_string source; /* who made it; empty: "libholdfast" when given to the library */
    holdfast_string stack_trace;
    const struct holdfast_failure *causes; /* outermost first; their own causes are ignored */
    size_t causes_count;
    holdfast_bytes serialized; /* holdfast.v1.Failure */
} holdfast_failure;

/* ------------------------------------------------------------------------------------------ */
/* Connecting                                                                                 */
/* ------------------------------------------------------------------------------------------ */

/* How to come back after a lost connection: the n-th pause is drawn evenly from [d/2, d] with
 * d = min(initial_ms * 2^(n-1), max_ms). */
typedef struct holdfast_reconnect_policy {
    int64_t initial_ms; /* 0: 20 */
    int64_t max_ms;     /* 0: 2,000 */
    bool never;         /* true: a lost or refused connection is an error at once */
} holdfast_reconnect_policy;

/* Returns the pause before the `attempt`-th try (from 1), in milliseconds, using `random` for the
 * jitter. `policy` may be NULL: the defaults. Pure, thread-safe. Since 0.1. */
HOLDFAST_API int64_t holdfast_backoff_ms(const holdfast_reconnect_policy *policy, uint32_t attempt,
                                         uint64_t random);

/* ------------------------------------------------------------------------------------------ */
/* Client                                                                                     */
/* ------------------------------------------------------------------------------------------ */

/* One connection to an engine, shared by any number of threads. The library starts no thread for
 * it: whichever caller waits reads for all, or the caller's own loop does. */
typedef struct holdfast_client holdfast_client;

typedef struct holdfast_client_options {
    uint32_t struct_size;
    /* Empty: $HOLDFAST_SOCKET, else $XDG_RUNTIME_DIR/holdfast/holdfast.sock, else
     * /run/holdfast/holdfast.sock. */
    holdfast_string socket_path;
    holdfast_string name_space; /* empty: "default" */
    holdfast_string identity;   /* empty: "<pid>@<host name>" */
    int64_t connect_timeout_ms; /* for holdfast_client_connect; 0: 5,000; < 0: forever */
    int64_t call_timeout_ms;    /* the default of calls; 0: 10,000; < 0: forever */
    holdfast_reconnect_policy reconnect;
    bool require_server_uid; /* refuse an engine that runs under another uid than server_uid */
    uint32_t server_uid;
    holdfast_string client_name;    /* shown by the engine; empty: "libholdfast" */
    holdfast_string client_version; /* empty: the library's */
    holdfast_string language;       /* empty: "c" */
} holdfast_client_options;

/* Connects to the engine and shakes hands, trying again within connect_timeout_ms unless
 * options->reconnect.never. `options` may be NULL: all defaults. On success *client is a new
 * handle, to be given to holdfast_client_close; on failure it is NULL. Errors: DISCONNECTED,
 * TIMEOUT, PERMISSION_DENIED (the server's uid), FAILED_PRECONDITION (protocol version),
 * BAD_ARGUMENT, OUT_OF_MEMORY, SYSTEM_ERROR. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_connect(const holdfast_client_options *options,
                                                     holdfast_client **client,
                                                     holdfast_error **error);

/* Makes a client that is not connected yet: its first use connects, holdfast_client_process or any
 * call. connect_timeout_ms means nothing here; everything else as holdfast_client_connect. Errors:
 * BAD_ARGUMENT, OUT_OF_MEMORY, SYSTEM_ERROR. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_create(const holdfast_client_options *options,
                                                    holdfast_client **client,
                                                    holdfast_error **error);

/* Ends every call, stream and wait of the client with HOLDFAST_CLOSED, now and from now on; the
 * handle stays valid until holdfast_client_close. NULL does nothing. Thread-safe. Since 0.1. */
HOLDFAST_API void holdfast_client_shutdown(holdfast_client *client);

/* Shuts down and frees the client. No other thread may be inside a function of the client or hold
 * one of its streams; NULL does nothing. In a forked child it only closes the child's copies of the
 * descriptors. Since 0.1. */
HOLDFAST_API void holdfast_client_close(holdfast_client *client);

/* --- Raw calls, for bindings --------------------------------------------------------------- */

/* Calls a unary method and waits for its answer.
 * `method`: "holdfast.v1.WorkflowService/StartWorkflow". `request`: the serialized request; when
 * its message has a request_id (SignalWithStartWorkflow: start.request_id) and none is set, the
 * library sets one, so that a repetition after a lost connection is safe; an empty `namespace` is
 * set to the client's, an empty `identity` too. Requests are repeated within the timeout after a
 * lost connection and when the engine asks for it (retry_after_ms). `response` (may be NULL)
 * receives owned bytes, to be freed with holdfast_bytes_free. Errors: every status. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_call(holdfast_client *client, const char *method,
                                                  holdfast_bytes request, int64_t timeout_ms,
                                                  holdfast_bytes *response, holdfast_error **error);

/* Begins a unary call as holdfast_client_call does, without waiting; its end comes out of
 * holdfast_client_next_completion with `tag`, which means nothing to the library but should be
 * unique among the calls in flight. Errors here mean that no completion will come: BAD_ARGUMENT,
 * TOO_LARGE, OUT_OF_MEMORY, CLOSED, FORKED. Somebody must wait in the client (usually one thread in
 * holdfast_client_next_completion) or call holdfast_client_process for submitted calls to make
 * progress. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_submit(holdfast_client *client, const char *method,
                                                    holdfast_bytes request, int64_t timeout_ms,
                                                    uint64_t tag, holdfast_error **error);

/* The end of a submitted call. */
typedef struct holdfast_completion {
    uint64_t tag;
    holdfast_status status;
    holdfast_bytes response;     /* the serialized answer when status is HOLDFAST_OK */
    const holdfast_error *error; /* NULL when status is HOLDFAST_OK */
} holdfast_completion;

/* Waits up to wait_ms for the end of a submitted call; with 0, and a loop (holdfast_client_fd was
 * called), it takes what is there and leaves reading to holdfast_client_process. *completion is to
 * be freed with holdfast_completion_free. Errors: TIMEOUT (none within wait_ms), CLOSED, FORKED.
 * Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_next_completion(holdfast_client *client,
                                                             int64_t wait_ms,
                                                             holdfast_completion **completion);

/* Gives up the submitted call `tag`: its completion comes out with HOLDFAST_CANCELLED unless its
 * answer was there first. What the engine has begun it may still do. NOT_FOUND when no such call is
 * in flight. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_cancel_call(holdfast_client *client, uint64_t tag);

/* Frees a completion and what its views point to; NULL is fine. Since 0.1. */
HOLDFAST_API void holdfast_completion_free(holdfast_completion *completion);

/* A call that is answered by messages, one after the other. */
typedef struct holdfast_stream holdfast_stream;

/* Opens a server-streaming call ("holdfast.v1.WorkflowService/GetHistory"). timeout_ms is for the
 * whole stream; 0 here means forever. *stream is to be given to holdfast_stream_close before the
 * client is closed. A stream is not repeated after a lost connection: holdfast_stream_next says
 * DISCONNECTED and the caller opens another. Errors as holdfast_client_call. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_open(holdfast_client *client, const char *method,
                                                  holdfast_bytes request, int64_t timeout_ms,
                                                  holdfast_stream **stream, holdfast_error **error);

/* Opens a call on which both sides send messages ("holdfast.v1.WorkerService/Replay"); `first` is
 * the caller's first one. Everything else as holdfast_client_open. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_open_two_way(holdfast_client *client,
                                                          const char *method, holdfast_bytes first,
                                                          int64_t timeout_ms,
                                                          holdfast_stream **stream,
                                                          holdfast_error **error);

/* Sends the next message on a stream of holdfast_client_open_two_way; with `end` nothing follows,
 * which gives the call up. It does not wait: when the methods' sides take turns, there is room.
 * `message` is copied. Errors: FAILED_PRECONDITION (the call has not left yet: take a message
 * first), CLOSED (the stream has ended well), RESOURCE_EXHAUSTED (no credit), TOO_LARGE,
 * BAD_ARGUMENT, OUT_OF_MEMORY, or how the stream has ended. One thread at a time per stream.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_stream_send(holdfast_stream *stream, holdfast_bytes message,
                                                  bool end, holdfast_error **error);

/* Waits up to wait_ms for the next message; with 0 and a loop as holdfast_client_next_completion.
 * *message is a view, valid until the next call on this stream. CLOSED: the stream has ended well,
 * there are no more; *error stays NULL. TIMEOUT: none within wait_ms, the stream goes on. Any other
 * status: the stream has ended with this error. Credit is given back as messages are taken. One
 * thread at a time per stream. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_stream_next(holdfast_stream *stream, int64_t wait_ms,
                                                  holdfast_bytes *message, holdfast_error **error);

/* Cancels the stream if it goes on, and frees it; NULL is fine. Since 0.1. */
HOLDFAST_API void holdfast_stream_close(holdfast_stream *stream);

/* --- The client in the caller's own loop ----------------------------------------------------- */

/* Returns a descriptor that is readable (POLLIN) when holdfast_client_process has work, or a
 * completion or a message of a stream came in otherwise; the same one for the client's whole life,
 * reconnects included; the client's to close. While another thread waits in the client and reads
 * for all, it is readable only for what came in. -1 for NULL and in a forked child. Thread-safe.
 * Since 0.1. */
HOLDFAST_API int holdfast_client_fd(holdfast_client *client);

/* Returns in how many milliseconds holdfast_client_process is to be called even if the descriptor
 * stays silent; 0: now, -1: not needed, also for NULL and in a forked child. Asked anew after each
 * process; what another thread does in the meantime and makes it shorter makes the descriptor
 * readable. Thread-safe. Since 0.1. */
HOLDFAST_API int64_t holdfast_client_timeout_ms(holdfast_client *client);

/* Does the I/O that is due without waiting: connects, sends, receives, ends calls whose time is
 * over, repeats others, reconnects. Then take what came in, until there is no more:
 * holdfast_client_next_completion and holdfast_stream_next with wait_ms 0. Nothing is left to it
 * while another thread waits in the client. HOLDFAST_OK: go on. CLOSED: the client was shut down.
 * As long as there is no connection for a reason that trying again hardly mends:
 * PERMISSION_DENIED, FAILED_PRECONDITION and the like, DISCONNECTED with reconnect.never; it
 * tries again all the same, save with the latter, when called on. BAD_ARGUMENT for NULL, FORKED.
 * Thread-safe; one thread at a time does the work. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_client_process(holdfast_client *client,
                                                     holdfast_error **error);

/* --- Typed calls --------------------------------------------------------------------------- */

/* The answer to a typed call. */
typedef struct holdfast_reply holdfast_reply;

typedef enum holdfast_workflow_status {
    HOLDFAST_WORKFLOW_UNSPECIFIED = 0,
    HOLDFAST_WORKFLOW_RUNNING = 1,
    HOLDFAST_WORKFLOW_COMPLETED = 2,
    HOLDFAST_WORKFLOW_FAILED = 3,
    HOLDFAST_WORKFLOW_CANCELED = 4,
    HOLDFAST_WORKFLOW_TERMINATED = 5,
    HOLDFAST_WORKFLOW_CONTINUED_AS_NEW = 6,
    HOLDFAST_WORKFLOW_TIMED_OUT = 7,
    HOLDFAST_WORKFLOW_PAUSED = 8
} holdfast_workflow_status;

/* The serialized response, a view that lives as long as the reply; empty for NULL. Since 0.1. */
HOLDFAST_API holdfast_bytes holdfast_reply_message(const holdfast_reply *reply);

/* The run that the answer speaks of (start, signal, signal-with-start, result, describe), a view
 * that lives as long as the reply; empty where there is none and for NULL. Since 0.1. */
HOLDFAST_API holdfast_string holdfast_reply_run_id(const holdfast_reply *reply);

/* Whether start or signal-with-start made a new run; false elsewhere and for NULL. Since 0.1. */
HOLDFAST_API bool holdfast_reply_started(const holdfast_reply *reply);

/* The status of the workflow (result, describe); UNSPECIFIED elsewhere and for NULL. Since 0.1. */
HOLDFAST_API holdfast_workflow_status holdfast_reply_workflow_status(const holdfast_reply *reply);

/* Payloads of the answer (result, query); views that live as long as the reply; empty elsewhere and
 * for NULL. Since 0.1. */
HOLDFAST_API holdfast_payloads holdfast_reply_payloads(const holdfast_reply *reply);

/* The failure of a workflow that did not complete (result); a view that lives as long as the reply;
 * NULL elsewhere and for NULL. Since 0.1. */
HOLDFAST_API const holdfast_failure *holdfast_reply_failure(const holdfast_reply *reply);

/* Whether cancellation was requested (heartbeat of an activity, describe); false elsewhere and for
 * NULL. Since 0.1. */
HOLDFAST_API bool holdfast_reply_cancel_requested(const holdfast_reply *reply);

/* Whether the engine serves everything (health); false elsewhere and for NULL. Since 0.1. */
HOLDFAST_API bool holdfast_reply_serving(const holdfast_reply *reply);

/* Frees a reply and what its views point to; NULL is fine. Since 0.1. */
HOLDFAST_API void holdfast_reply_free(holdfast_reply *reply);

typedef enum holdfast_id_reuse_policy {
    HOLDFAST_ID_REUSE_DEFAULT = 0,
    HOLDFAST_ID_REUSE_ALLOW_DUPLICATE = 1,
    HOLDFAST_ID_REUSE_ALLOW_DUPLICATE_FAILED_ONLY = 2,
    HOLDFAST_ID_REUSE_REJECT_DUPLICATE = 3
} holdfast_id_reuse_policy;

typedef enum holdfast_id_conflict_policy {
    HOLDFAST_ID_CONFLICT_DEFAULT = 0,
    HOLDFAST_ID_CONFLICT_FAIL = 1,
    HOLDFAST_ID_CONFLICT_USE_EXISTING = 2,
    HOLDFAST_ID_CONFLICT_TERMINATE_EXISTING = 3
} holdfast_id_conflict_policy;

typedef struct holdfast_start_options {
    uint32_t struct_size;
    holdfast_string workflow_id;
    holdfast_string workflow_type;
    holdfast_string task_queue;
    holdfast_payloads input;
    holdfast_header header;
    int64_t execution_timeout_ms; /* of the workflow; 0: unlimited */
    int64_t run_timeout_ms;       /* 0: unlimited */
    int64_t task_timeout_ms;      /* 0: 10,000 */
    holdfast_id_reuse_policy id_reuse_policy;
    holdfast_id_conflict_policy id_conflict_policy;
    holdfast_string request_id; /* empty: a new one */
    holdfast_string name_space; /* empty: the client's */
    holdfast_string summary;
    holdfast_string details;
    int64_t timeout_ms; /* of this call */
} holdfast_start_options;

/* Starts a workflow; the start is durable when this returns HOLDFAST_OK. Reply: run id, started;
 * `reply` may be NULL. Errors: ALREADY_EXISTS (error->run_id says which run), INVALID_ARGUMENT,
 * RESOURCE_EXHAUSTED, and those of every call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_start_workflow(holdfast_client *client,
                                                     const holdfast_start_options *options,
                                                     holdfast_reply **reply,
                                                     holdfast_error **error);

typedef struct holdfast_signal_options {
    uint32_t struct_size;
    holdfast_string workflow_id;
    holdfast_string run_id; /* empty: the current run */
    holdfast_string signal_name;
    holdfast_payloads input;
    holdfast_header header;
    holdfast_string request_id; /* empty: a new one */
    holdfast_string name_space; /* empty: the client's */
    int64_t timeout_ms;
} holdfast_signal_options;

/* Sends a signal to a workflow; durable when this returns HOLDFAST_OK. Reply: run id; `reply` may
 * be NULL. Errors: NOT_FOUND (no such workflow), FAILED_PRECONDITION (closed), and those of every
 * call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_signal_workflow(holdfast_client *client,
                                                      const holdfast_signal_options *options,
                                                      holdfast_reply **reply,
                                                      holdfast_error **error);

typedef struct holdfast_signal_with_start_options {
    uint32_t struct_size;
    const holdfast_start_options *start; /* its timeout_ms and request_id are the call's */
    holdfast_string signal_name;
    holdfast_payloads signal_input;
    holdfast_header signal_header;
} holdfast_signal_with_start_options;

/* Signals the workflow, and starts it first when no run is open; both in one step. Reply: run id,
 * started; `reply` may be NULL. Errors as holdfast_start_workflow. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_signal_with_start(
    holdfast_client *client, const holdfast_signal_with_start_options *options,
    holdfast_reply **reply, holdfast_error **error);

typedef struct holdfast_query_options {
    uint32_t struct_size;
    holdfast_string workflow_id;
    holdfast_string run_id; /* empty: the current run */
    holdfast_string query_type;
    holdfast_payloads args;
    holdfast_header header;
    holdfast_string name_space; /* empty: the client's */
    int64_t timeout_ms;
} holdfast_query_options;

/* Asks a workflow's code. Reply: payloads. Errors: UNAVAILABLE with reason NO_WORKER, UNKNOWN or
 * FAILED_PRECONDITION with reason QUERY_FAILED, NOT_FOUND, and those of every call. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_query_workflow(holdfast_client *client,
                                                     const holdfast_query_options *options,
                                                     holdfast_reply **reply,
                                                     holdfast_error **error);

typedef struct holdfast_workflow_options {
    uint32_t struct_size;
    holdfast_string workflow_id;
    holdfast_string run_id;     /* empty: the current run */
    holdfast_string reason;     /* cancel, terminate */
    holdfast_payloads details;  /* terminate */
    holdfast_string request_id; /* cancel, terminate; empty: a new one */
    holdfast_string name_space; /* empty: the client's */
    int64_t timeout_ms;
} holdfast_workflow_options;

/* Waits until the workflow has closed. HOLDFAST_OK means that the outcome is known, whatever it is:
 * look at holdfast_reply_workflow_status. Reply: status, run id, payloads, failure. timeout_ms 0
 * means forever here. Errors: TIMEOUT or DEADLINE_EXCEEDED (still open), NOT_FOUND, and those of
 * every call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_get_result(holdfast_client *client,
                                                 const holdfast_workflow_options *options,
                                                 holdfast_reply **reply, holdfast_error **error);

/* Asks a workflow to cancel itself; durable when this returns HOLDFAST_OK, repeats do nothing.
 * `reply` may be NULL. Errors: NOT_FOUND, FAILED_PRECONDITION (closed), and those of every call.
 * Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_cancel_workflow(holdfast_client *client,
                                                      const holdfast_workflow_options *options,
                                                      holdfast_reply **reply,
                                                      holdfast_error **error);

/* Ends a workflow at once, without its worker. `reply` may be NULL. Errors: NOT_FOUND,
 * FAILED_PRECONDITION (closed), and those of every call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_terminate_workflow(holdfast_client *client,
                                                         const holdfast_workflow_options *options,
                                                         holdfast_reply **reply,
                                                         holdfast_error **error);

/* Tells the state of a workflow. Reply: message (holdfast.v1.DescribeWorkflowResponse), status, run
 * id, cancel requested. Errors: NOT_FOUND, and those of every call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_describe_workflow(holdfast_client *client,
                                                        const holdfast_workflow_options *options,
                                                        holdfast_reply **reply,
                                                        holdfast_error **error);

/* Names an activity: by token, or by workflow and activity id (the current attempt). */
typedef struct holdfast_activity_options {
    uint32_t struct_size;
    holdfast_bytes token;
    holdfast_string workflow_id; /* this and the next two when token is empty */
    holdfast_string run_id;      /* empty: the current run */
    holdfast_string activity_id;
    holdfast_payloads payloads;      /* result, details of the cancellation, or of the heartbeat */
    const holdfast_failure *failure; /* for holdfast_fail_activity */
    holdfast_payloads last_heartbeat_details; /* for holdfast_fail_activity */
    holdfast_string request_id;               /* empty: a new one */
    holdfast_string name_space;               /* empty: the client's */
    int64_t timeout_ms;
} holdfast_activity_options;

/* Completes an activity from anywhere; durable when this returns HOLDFAST_OK. Errors: NOT_FOUND
 * (unknown, or its attempt is over), FAILED_PRECONDITION, and those of every call. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_complete_activity(holdfast_client *client,
                                                        const holdfast_activity_options *options,
                                                        holdfast_error **error);

/* Fails the current attempt of an activity; options->failure must not be NULL. Otherwise as
 * holdfast_complete_activity. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_fail_activity(holdfast_client *client,
                                                    const holdfast_activity_options *options,
                                                    holdfast_error **error);

/* Says that an activity has cancelled itself. Otherwise as holdfast_complete_activity. Since 0.1.
 */
HOLDFAST_API holdfast_status holdfast_report_activity_cancelled(
    holdfast_client *client, const holdfast_activity_options *options, holdfast_error **error);

/* Records a heartbeat of an activity, and tells in *cancel_requested (may be NULL) whether it
 * should cancel itself. Not throttled. Otherwise as holdfast_complete_activity. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_heartbeat_activity(holdfast_client *client,
                                                         const holdfast_activity_options *options,
                                                         bool *cancel_requested,
                                                         holdfast_error **error);

/* Asks the engine how it is. Reply: serving, message (holdfast.v1.HealthResponse); `reply` may be
 * NULL. Errors: those of every call. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_health(holdfast_client *client, int64_t timeout_ms,
                                             holdfast_reply **reply, holdfast_error **error);

/* ------------------------------------------------------------------------------------------ */
/* Worker                                                                                     */
/* ------------------------------------------------------------------------------------------ */

/* A worker: one connection, one task queue. It reconnects by itself with backoff and jitter, and
 * resumes the activity leases that it holds; results that the engine had not yet recorded are sent
 * again. Every cached workflow run is lost with its connection (HOLDFAST_TASK_DISCONNECTED).
 *
 * Three ways to use it, one per worker:
 *   1. holdfast_worker_run: registered functions on the worker's own threads.
 *   2. holdfast_worker_fd, _timeout_ms, _process: registered functions in the caller's event loop.
 *   3. holdfast_worker_next_task: the caller pulls tasks and answers them, from any threads. For
 *      bindings, and the only way to serve workflows.
 *
 * Somebody must be inside _run or _next_task, or call _process when the descriptor or the timeout
 * asks for it: that is where pings are answered, heartbeats leave, cancellations arrive.
 *
 * Slots. The library grants them: max_concurrent_workflow_tasks and max_concurrent_activities after
 * each attach (less the activities that still run here), then one back
 *   - for each holdfast_worker_complete_workflow_task whose message has `more` unset,
 *   - for each holdfast_worker_complete_replay whose message carries a failure,
 *   - for each task whose run is evicted, by the engine or with holdfast_worker_evicted, while the
 *     task is out (its answer, if the caller still gives one, is dropped), or whose answer the
 *     engine refuses,
 *   - for each activity task that is completed, failed, reported cancelled or given away, also when
 *     its lease was lost meanwhile.
 * A replay (all its parts) and the activation that follows it are one task with one slot; Evict,
 * ActivityCancel and DISCONNECTED take none. */
typedef struct holdfast_worker holdfast_worker;

typedef struct holdfast_worker_options {
    uint32_t struct_size;
    holdfast_string socket_path; /* as holdfast_client_options */
    holdfast_string name_space;  /* empty: "default" */
    holdfast_string task_queue;  /* required */
    holdfast_string identity;    /* empty: "<pid>@<host name>" */
    holdfast_string build_id;
    holdfast_string sdk_name;    /* empty: "libholdfast" */
    holdfast_string sdk_version; /* empty: the library's */
    holdfast_string language;    /* empty: "c" */
    const holdfast_string *workflow_types;
    size_t workflow_types_count;
    uint32_t max_concurrent_activities;     /* 0: 100 */
    uint32_t max_concurrent_workflow_tasks; /* 0: 100; no effect without workflow types */
    uint32_t cached_runs_max;               /* told to the engine; 0: 1,000 with workflow types */
    uint32_t threads; /* of holdfast_worker_run; 0: the number of processors, at least 2 */
    int64_t grace_ms; /* how long activities may go on after a stop; 0: 10,000; < 0: forever */
    holdfast_reconnect_policy reconnect; /* never: a lost connection ends the worker */
    bool require_server_uid;
    uint32_t server_uid;
} holdfast_worker_options;

/* An activity task in the hands of a worker. */
typedef struct holdfast_activity holdfast_activity;

/* The user's function for one activity type. It must, before it returns, complete, fail, cancel,
 * defer or give away the task; else the attempt fails, saying so. It is called on a thread of
 * holdfast_worker_run (several at once), or inside holdfast_worker_process on its caller's thread.
 */
typedef void (*holdfast_activity_function)(holdfast_activity *activity, void *user_data);

/* Makes a worker; it connects when it is first run, processed or pulled from. *worker is to be
 * given to holdfast_worker_free. Errors: BAD_ARGUMENT, OUT_OF_MEMORY, SYSTEM_ERROR. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_create(const holdfast_worker_options *options,
                                                    holdfast_worker **worker,
                                                    holdfast_error **error);

/* Frees a worker, without waiting for anything: stop and drain it first. No other thread may be
 * inside its functions; activities and tasks of it that are still held stay readable until they are
 * released, but complete with HOLDFAST_CLOSED. NULL does nothing. Since 0.1. */
HOLDFAST_API void holdfast_worker_free(holdfast_worker *worker);

/* Serves an activity type. `name`: the type. `function`: what runs it; NULL when tasks of this type
 * are pulled with holdfast_worker_next_task. user_data is handed to the function. Before the worker
 * first connects. Errors: BAD_ARGUMENT (empty name, registered twice), FAILED_PRECONDITION (too
 * late), OUT_OF_MEMORY. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_register_activity(holdfast_worker *worker,
                                                               const char *name,
                                                               holdfast_activity_function function,
                                                               void *user_data);

/* Runs the registered activity functions on options.threads threads of its own until the worker is
 * stopped and drained, and does the I/O on the calling thread. Signals are blocked on its threads.
 * HOLDFAST_OK: stopped. Errors: BAD_ARGUMENT (a type without a function, or workflow types),
 * PERMISSION_DENIED, INVALID_ARGUMENT, NOT_FOUND and the like when the engine refuses the worker
 * for good, DISCONNECTED with reconnect.never, OUT_OF_MEMORY, SYSTEM_ERROR. Once per worker. Since
 * 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_run(holdfast_worker *worker, holdfast_error **error);

/* Asks the worker to stop: no new tasks; activities may finish within grace_ms; then they see
 * holdfast_activity_is_cancelled, and _run returns when their functions have returned (_next_task
 * and _process answer CLOSED at once). A second stop ends the grace. Returns at once. NULL does
 * nothing. The worker may be freed while another thread is still inside this call. Thread-safe, and
 * safe in a signal handler. Since 0.1. */
HOLDFAST_API void holdfast_worker_stop(holdfast_worker *worker);

typedef enum holdfast_worker_state {
    HOLDFAST_WORKER_CONNECTING = 0,
    HOLDFAST_WORKER_ATTACHED = 1,
    HOLDFAST_WORKER_DRAINING = 2,
    HOLDFAST_WORKER_CLOSED = 3
} holdfast_worker_state;

/* Tells what the worker is doing; CLOSED for NULL. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_worker_state holdfast_worker_get_state(holdfast_worker *worker);

/* Tells why the worker last lost or failed to get its connection: a new error to be freed with
 * holdfast_error_free, or NULL when nothing went wrong since it attached, and for NULL.
 * Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_error *holdfast_worker_last_error(holdfast_worker *worker);

/* --- The caller's own loop ----------------------------------------------------------------- */

/* Returns a descriptor that is readable (POLLIN) when holdfast_worker_process has work; the same
 * one for the worker's whole life, reconnects included; the worker's to close. -1 for NULL and in a
 * forked child. Thread-safe. Since 0.1. */
HOLDFAST_API int holdfast_worker_fd(holdfast_worker *worker);

/* Returns in how many milliseconds holdfast_worker_process is to be called even if the descriptor
 * stays silent; 0: now, -1: not needed. Asked anew after each process. Thread-safe. Since 0.1. */
HOLDFAST_API int64_t holdfast_worker_timeout_ms(holdfast_worker *worker);

/* Does the I/O that is due without waiting, and runs the registered functions of tasks that came
 * in, on the calling thread. Tasks without a function stay for holdfast_worker_next_task.
 * HOLDFAST_OK: go on. CLOSED: stopped and drained. Other errors as holdfast_worker_run. Not from
 * inside an activity function. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_process(holdfast_worker *worker,
                                                     holdfast_error **error);

/* --- Pulling tasks -------------------------------------------------------------------------- */

typedef enum holdfast_task_kind {
    HOLDFAST_TASK_ACTIVATION = 1,      /* message: holdfast.v1.Activation */
    HOLDFAST_TASK_REPLAY_HISTORY = 2,  /* message: holdfast.v1.ReplayHistory */
    HOLDFAST_TASK_EVICT = 3,           /* message: holdfast.v1.Evict; needs no answer */
    HOLDFAST_TASK_ACTIVITY = 4,        /* message: holdfast.v1.ActivityTask */
    HOLDFAST_TASK_ACTIVITY_CANCEL = 5, /* message: holdfast.v1.ActivityCancel; needs no answer */
    /* No message: the connection was lost. Drop every cached run and workflow task, also those
     * being worked on; activities go on. Comes before anything of the next connection. */
    HOLDFAST_TASK_DISCONNECTED = 6,
    /* What holdfast_worker_await_recorded waited for is durable. message: the token, alone. */
    HOLDFAST_TASK_RECORDED = 7
} holdfast_task_kind;

/* Something to do. Allocated by the library, freed by holdfast_task_free. Later versions may add
 * members at the end. */
typedef struct holdfast_task {
    holdfast_task_kind kind;
    holdfast_bytes message; /* the serialized message, checked: well-formed, strings valid */
    holdfast_bytes token;   /* ACTIVATION, REPLAY_HISTORY, ACTIVITY, ACTIVITY_CANCEL, RECORDED */
    holdfast_string run_id; /* all but ACTIVITY_CANCEL and DISCONNECTED */
    /* ACTIVITY: the task, read with the accessors below; lives as long as the holdfast_task unless
     * retained. NULL otherwise. */
    holdfast_activity *activity;
} holdfast_task;

/* Waits up to wait_ms for the next task; does the I/O meanwhile. *task is to be freed with
 * holdfast_task_free; freeing it answers nothing. Tasks of one run come out in order. When several
 * threads pull, a run's tasks may come out on different threads. After holdfast_worker_stop it goes
 * on until the tasks that are out are answered or the grace is over, then says CLOSED. Errors:
 * TIMEOUT (the only one for which *error stays NULL), CLOSED, FORKED, and those of
 * holdfast_worker_run. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_next_task(holdfast_worker *worker, int64_t wait_ms,
                                                       holdfast_task **task,
                                                       holdfast_error **error);

/* Frees a task; NULL is fine. Since 0.1. */
HOLDFAST_API void holdfast_task_free(holdfast_task *task);

/* Makes a holdfast_worker_next_task that waits, or the next one that would, return TIMEOUT at once;
 * for bindings that hand work to the pulling thread. NULL does nothing. Thread-safe, and safe in a
 * signal handler. Since 0.1. */
HOLDFAST_API void holdfast_worker_wake(holdfast_worker *worker);

/* Answers of workflow tasks and of pulled activities. All take a serialized message, which is
 * checked before it is sent; all are thread-safe. What the thread that pulls (or processes) answers
 * leaves when it next pulls, in one write with everything else that is ready; what another thread
 * answers leaves at once. A message too large for a frame is sent in parts where the protocol knows
 * parts. Errors: BAD_ARGUMENT (malformed, no token), TOO_LARGE, OUT_OF_MEMORY, CLOSED, FORKED.
 * HOLDFAST_OK means queued. */

/* Answers an Activation with a holdfast.v1.WorkflowTaskCompleted; dropped in silence when the task
 * is no longer the worker's (another connection, evicted). Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_complete_workflow_task(holdfast_worker *worker,
                                                                    holdfast_bytes message);

/* Answers a part of a ReplayHistory with a holdfast.v1.ReplayCompleted; dropped in silence when the
 * task is no longer the worker's. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_complete_replay(holdfast_worker *worker,
                                                             holdfast_bytes message);

/* Asks for a HOLDFAST_TASK_RECORDED when the answer of the workflow task with this token, which is
 * to follow, is recorded: that is the leave to run the local activities which it schedules, and
 * those which the activation named. None comes when the task is not the worker's (any more), its
 * answer is not recorded, the run is evicted, or the connection is lost. Errors: BAD_ARGUMENT (no
 * token), OUT_OF_MEMORY, CLOSED, FORKED. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_await_recorded(holdfast_worker *worker,
                                                            holdfast_bytes token);

/* Tells the engine of the end of a local activity's attempt with a holdfast.v1.LocalActivityDone.
 * Dropped in silence without a connection: with it the worker has lost the run. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_local_activity_done(holdfast_worker *worker,
                                                                 holdfast_bytes message);

/* Tells how many local activities the caller has in its hands: holdfast_worker_stop waits for them,
 * within its grace. NULL does nothing. Thread-safe. Since 0.1. */
HOLDFAST_API void holdfast_worker_set_local_activities(holdfast_worker *worker, size_t count);

/* Tells the engine that the worker dropped these runs from its cache by itself, and ends their
 * tasks that are out. Also the answer to an activation of a run that is not in the cache: it comes
 * again with a replay. Not needed for those that HOLDFAST_TASK_EVICT or _DISCONNECTED named.
 * run_ids may be NULL when count is 0. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_evicted(holdfast_worker *worker,
                                                     const holdfast_string *run_ids, size_t count);

/* Ends a pulled activity with a holdfast.v1.ActivityCompleted. ALREADY_COMPLETED for a token that
 * is not out. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_complete_activity(holdfast_worker *worker,
                                                               holdfast_bytes message);

/* Ends a pulled activity with a holdfast.v1.ActivityFailed; without last_heartbeat_details in it
 * the latest heartbeat's are added. Otherwise as holdfast_worker_complete_activity. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_fail_activity(holdfast_worker *worker,
                                                           holdfast_bytes message);

/* Ends a pulled activity with a holdfast.v1.ReportActivityCancelled. Otherwise as
 * holdfast_worker_complete_activity. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_report_activity_cancelled(holdfast_worker *worker,
                                                                       holdfast_bytes message);

/* Gives a pulled activity away: it is completed elsewhere, by its token or ids. Otherwise as
 * holdfast_worker_complete_activity. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_will_complete_elsewhere(holdfast_worker *worker,
                                                                     holdfast_bytes token);

/* Records a holdfast.v1.Heartbeat, throttled as holdfast_activity_heartbeat. CANCELLED: recorded,
 * and the activity should cancel itself. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_heartbeat(holdfast_worker *worker,
                                                       holdfast_bytes message);

/* Sends now what answers of the pulling thread left queued. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_worker_flush(holdfast_worker *worker);

/* --- An activity task ------------------------------------------------------------------------ */

/* Accessors: thread-safe; views live as long as the activity; empty or 0 for NULL. Since 0.1. */
HOLDFAST_API holdfast_string holdfast_activity_type(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_id(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_workflow_id(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_run_id(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_workflow_type(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_namespace(const holdfast_activity *activity);
HOLDFAST_API holdfast_string holdfast_activity_task_queue(const holdfast_activity *activity);
/* The same for every attempt of this activity, and for no other activity. */
HOLDFAST_API holdfast_string holdfast_activity_idempotency_key(const holdfast_activity *activity);
HOLDFAST_API holdfast_bytes holdfast_activity_token(const holdfast_activity *activity);
/* The serialized holdfast.v1.ActivityTask. */
HOLDFAST_API holdfast_bytes holdfast_activity_message(const holdfast_activity *activity);
HOLDFAST_API holdfast_payloads holdfast_activity_input(const holdfast_activity *activity);
HOLDFAST_API holdfast_header holdfast_activity_header(const holdfast_activity *activity);
/* The details of the last heartbeat of any earlier attempt. */
HOLDFAST_API holdfast_payloads
holdfast_activity_heartbeat_details(const holdfast_activity *activity);
/* From 1. */
HOLDFAST_API int32_t holdfast_activity_attempt(const holdfast_activity *activity);
/* Timeouts in milliseconds, 0: none; instants in milliseconds since the Unix epoch. */
HOLDFAST_API int64_t holdfast_activity_start_to_close_timeout_ms(const holdfast_activity *activity);
HOLDFAST_API int64_t
holdfast_activity_schedule_to_close_timeout_ms(const holdfast_activity *activity);
HOLDFAST_API int64_t holdfast_activity_heartbeat_timeout_ms(const holdfast_activity *activity);
HOLDFAST_API int64_t holdfast_activity_scheduled_time_ms(const holdfast_activity *activity);
HOLDFAST_API int64_t holdfast_activity_started_time_ms(const holdfast_activity *activity);

typedef enum holdfast_cancel_reason {
    HOLDFAST_CANCEL_NONE = 0,      /* not cancelled */
    HOLDFAST_CANCEL_REQUESTED = 1, /* asked for; report it with holdfast_activity_cancelled */
    HOLDFAST_CANCEL_TIMED_OUT = 2, /* this and the next two: the lease is gone, nobody waits */
    HOLDFAST_CANCEL_NOT_FOUND = 3,
    HOLDFAST_CANCEL_WORKFLOW_CLOSED = 4,
    HOLDFAST_CANCEL_PAUSED = 5, /* this and the next: the lease stays; report it as REQUESTED, or */
    HOLDFAST_CANCEL_RESET = 6,  /* end as usual: another attempt comes later, or at once */
    HOLDFAST_CANCEL_WORKER_STOPPING = 100 /* the worker's grace is over */
} holdfast_cancel_reason;

/* Tells whether the activity should stop, and why; NONE for NULL. Costs no I/O. Thread-safe.
 * Since 0.1. */
HOLDFAST_API bool holdfast_activity_is_cancelled(const holdfast_activity *activity);
HOLDFAST_API holdfast_cancel_reason
holdfast_activity_cancel_reason(const holdfast_activity *activity);

/* Says that the activity is alive, with details for the next attempt. Leaves at most every 0.8 ×
 * heartbeat timeout (30 s without one, never more than 60 s); between, the latest details are kept
 * and leave when that time is over, or with a failure. HOLDFAST_OK, or CANCELLED: recorded, and
 * the activity should stop. Errors: ALREADY_COMPLETED, BAD_ARGUMENT, TOO_LARGE, OUT_OF_MEMORY,
 * CLOSED, FORKED. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_activity_heartbeat(holdfast_activity *activity,
                                                         holdfast_payloads details);

/* Ends the activity with a result. HOLDFAST_OK means queued: the library sends it, again after a
 * reconnect, until the engine has recorded or refused it. Errors: ALREADY_COMPLETED, BAD_ARGUMENT,
 * TOO_LARGE, OUT_OF_MEMORY, CLOSED, FORKED. Thread-safe. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_activity_complete(holdfast_activity *activity,
                                                        holdfast_payloads result);

/* Ends the attempt with a failure; the retry policy decides on. `failure` must not be NULL.
 * Otherwise as holdfast_activity_complete. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_activity_fail(holdfast_activity *activity,
                                                    const holdfast_failure *failure);

/* Ends the activity as cancelled, after HOLDFAST_CANCEL_REQUESTED; after PAUSED or RESET only the
 * attempt, as a failed one. Otherwise as holdfast_activity_complete. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_activity_cancelled(holdfast_activity *activity,
                                                         holdfast_payloads details);

/* Gives the activity away: somebody completes it later by token or ids
 * (holdfast_complete_activity), whatever becomes of this worker. Otherwise as
 * holdfast_activity_complete. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_activity_will_complete_elsewhere(holdfast_activity *activity);

/* Lets the function return before the activity has ended: the returned handle (the same activity,
 * retained) is completed later from any thread of this process, then released with
 * holdfast_activity_release. The slot stays taken until then. Returns NULL for NULL. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_activity *holdfast_activity_defer(holdfast_activity *activity);

/* Keeps the activity readable until a matching release; returns its argument. Thread-safe.
 * Since 0.1. */
HOLDFAST_API holdfast_activity *holdfast_activity_retain(holdfast_activity *activity);

/* Releases a retained or deferred activity; NULL is fine. Releasing completes nothing: an activity
 * never completed ends by its timeouts. Thread-safe. Since 0.1. */
HOLDFAST_API void holdfast_activity_release(holdfast_activity *activity);

/* ------------------------------------------------------------------------------------------ */
/* The protocol without I/O                                                                   */
/* ------------------------------------------------------------------------------------------ */

/* One connection's state: handshake, framing, streams, credit, pings. No socket, no clock, no lock:
 * the caller moves the bytes, tells the time (any monotonic milliseconds) and uses one thread at a
 * time. When it has failed it stays failed; the caller makes another. */
typedef struct holdfast_connection holdfast_connection;

typedef struct holdfast_connection_options {
    uint32_t struct_size;
    holdfast_string client_name;    /* empty: "libholdfast" */
    holdfast_string client_version; /* empty: the library's */
    holdfast_string language;       /* empty: "c" */
    holdfast_string identity;
    uint32_t frame_bytes_max;     /* of frames accepted; 0: 4 MiB */
    int64_t handshake_timeout_ms; /* 0: 5,000 */
    int64_t ping_interval_ms;     /* a ping after so long a silence; 0: 15,000; < 0: never */
    int64_t ping_timeout_ms;      /* silence after a ping that ends the connection; 0: 15,000 */
} holdfast_connection_options;

/* Makes a connection whose Hello waits to be sent. `options` may be NULL: defaults. now_ms: the
 * caller's monotonic clock. *connection is to be given to holdfast_connection_free. Errors:
 * BAD_ARGUMENT, OUT_OF_MEMORY. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_connection_create(const holdfast_connection_options *options,
                                                        int64_t now_ms,
                                                        holdfast_connection **connection);

/* Frees a connection; NULL is fine. Since 0.1. */
HOLDFAST_API void holdfast_connection_free(holdfast_connection *connection);

/* Takes bytes that arrived, split anywhere. Views of earlier events become invalid. What is wrong
 * with them comes as a CLOSED event; a frame's length is checked before its body is awaited.
 * Errors: CLOSED (the connection is over), OUT_OF_MEMORY. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_connection_receive(holdfast_connection *connection,
                                                         holdfast_bytes bytes, int64_t now_ms);

/* Takes the end of the byte stream: the peer has closed. Since 0.1. */
HOLDFAST_API void holdfast_connection_receive_end(holdfast_connection *connection);

/* Returns the bytes to be sent, a view valid until the next call on the connection; empty when
 * there are none, and for NULL. Since 0.1. */
HOLDFAST_API holdfast_bytes holdfast_connection_pending(const holdfast_connection *connection);

/* Tells that the first `count` pending bytes were sent. Since 0.1. */
HOLDFAST_API void holdfast_connection_sent(holdfast_connection *connection, size_t count);

/* Returns when holdfast_connection_tick is next due, on the caller's clock; -1: never. Since 0.1.
 */
HOLDFAST_API int64_t holdfast_connection_deadline(const holdfast_connection *connection);

/* Lets time pass: pings, handshake and ping timeouts. Since 0.1. */
HOLDFAST_API void holdfast_connection_tick(holdfast_connection *connection, int64_t now_ms);

typedef enum holdfast_event_kind {
    HOLDFAST_EVENT_READY = 1,   /* the handshake is done; epoch and initial_credit are set */
    HOLDFAST_EVENT_MESSAGE = 2, /* stream, body */
    HOLDFAST_EVENT_END = 3,     /* stream, error (NULL: OK), body: the unary answer */
    HOLDFAST_EVENT_CREDIT = 4,  /* stream, credit: so many more messages may be sent */
    HOLDFAST_EVENT_DRAIN = 5,   /* no new streams on this connection; those open go on */
    HOLDFAST_EVENT_CLOSED = 6   /* the connection is over, every stream with it; error says why */
} holdfast_event_kind;

typedef struct holdfast_event {
    holdfast_event_kind kind;
    uint64_t stream;
    holdfast_bytes body;
    const holdfast_error *error;
    uint32_t credit;
    uint64_t epoch;
    uint32_t initial_credit;
    uint32_t frame_bytes_max; /* READY: of frames that the engine takes */
} holdfast_event;

/* Takes the next event, if any: true and *event is filled; its views are valid until the next call
 * on the connection. CLOSED comes once, last. false for NULL. Since 0.1. */
HOLDFAST_API bool holdfast_connection_next_event(holdfast_connection *connection,
                                                 holdfast_event *event);

/* Opens a stream and queues its Open frame. method: "holdfast.v1.WorkerService/Work". timeout_ms:
 * the deadline told to the engine, 0: none. end: nothing more will be sent (unary, server
 * streaming). *stream receives its id. Errors: FAILED_PRECONDITION (not READY, or draining),
 * RESOURCE_EXHAUSTED (the engine's limit of streams), TOO_LARGE, OUT_OF_MEMORY, CLOSED. Since 0.1.
 */
HOLDFAST_API holdfast_status holdfast_connection_open(holdfast_connection *connection,
                                                      const char *method, holdfast_bytes message,
                                                      int64_t timeout_ms, bool end,
                                                      uint64_t *stream);

/* Queues a message on an open stream. Errors: RESOURCE_EXHAUSTED (no credit; the Work stream needs
 * none), NOT_FOUND (no such open stream), TOO_LARGE, OUT_OF_MEMORY, CLOSED. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_connection_send(holdfast_connection *connection,
                                                      uint64_t stream, holdfast_bytes body,
                                                      bool end);

/* Gives a stream up; no further event of it comes. NOT_FOUND when it is not open. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_connection_cancel(holdfast_connection *connection,
                                                        uint64_t stream, const char *reason);

/* Allows the engine `messages` more messages on a stream. Since 0.1. */
HOLDFAST_API holdfast_status holdfast_connection_credit(holdfast_connection *connection,
                                                        uint64_t stream, uint32_t messages);

#ifdef __cplusplus
}
#endif

#endif /* HOLDFAST_H */
