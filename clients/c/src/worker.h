/* Inside of the worker. */
#ifndef HF_WORKER_H
#define HF_WORKER_H

#include "link.h"
#include "payload.h"

#include "holdfast/v1/worker.pb-c.h"

/* Field numbers of WorkerMessage.kind. */
enum {
    HF_SEND_ATTACH = 1,
    HF_SEND_GRANT = 2,
    HF_SEND_WORKFLOW_TASK_COMPLETED = 3,
    HF_SEND_REPLAY_COMPLETED = 4,
    HF_SEND_ACTIVITY_COMPLETED = 5,
    HF_SEND_ACTIVITY_FAILED = 6,
    HF_SEND_ACTIVITY_CANCELLED = 7,
    HF_SEND_COMPLETE_ELSEWHERE = 8,
    HF_SEND_HEARTBEAT = 9,
    HF_SEND_EVICTED = 10,
    HF_SEND_DETACH = 11,
    HF_SEND_LOCAL_ACTIVITY_DONE = 12
};

/* In every message that has a token it is field 1. */
enum { HF_FIELD_TOKEN = 1 };

/* So many answers of the pulling thread leave together, so that the engine need not wait for the
 * last of a long queue. */
#define HF_ANSWERS_HELD_MAX 16u

typedef enum hf_worker_mode {
    HF_MODE_UNUSED,
    HF_MODE_RUN,  /* holdfast_worker_run */
    HF_MODE_LOOP, /* holdfast_worker_process */
    HF_MODE_PULL  /* holdfast_worker_next_task alone */
} hf_worker_mode;

typedef struct hf_registration {
    struct hf_registration *next;
    holdfast_activity_function function;
    void *user_data;
    char name[];
} hf_registration;

typedef struct hf_task {
    holdfast_task public; /* first: freed through it */
    struct hf_task *next;
    bool stale; /* a workflow task that is no longer ours: not handed out */
    uint8_t bytes[];
} hf_task;

typedef struct hf_task_queue {
    hf_task *first, *last;
    size_t count;
} hf_task_queue;

/* A workflow task that has one of our slots. Can transition to: gone, by answer, eviction, refusal
 * or the end of the connection. */
typedef struct hf_workflow_task {
    hf_node by_token, by_run;
    bool replaying; /* the activation of the same slot is still to come */
    holdfast_bytes token;
    holdfast_string run_id;
} hf_workflow_task;

/* A workflow task whose answer's record the caller waits for. */
typedef struct hf_leave {
    hf_node node; /* in worker->leaves, by token */
    holdfast_bytes token;
    holdfast_string run_id;
    uint8_t bytes[];
} hf_leave;

/* The end of an activity that the engine has not yet recorded. */
typedef struct hf_result {
    hf_node node;
    uint32_t kind;
    holdfast_bytes token, message;
    uint8_t bytes[];
} hf_result;

struct holdfast_activity {
    atomic_uint references;
    holdfast_worker *worker;        /* keeps the worker's memory */
    hf_node node;                   /* in worker->activities, by token, until it has ended */
    struct holdfast_activity *next; /* in the queue of jobs */
    hf_arena arena;
    holdfast_bytes message;
    const Holdfast__V1__ActivityTask *task;
    holdfast_payloads input, heartbeat_details;
    holdfast_header header;
    const hf_registration *registration;
    atomic_int cancel_reason;
    /* The rest under the worker's lock. */
    bool ended, deferred, pulled;
    bool heartbeat_waits;
    hf_buffer heartbeat;   /* the latest that was not sent: a serialized Heartbeat */
    int64_t heartbeat_due; /* the next may leave then */
};

typedef struct hf_worker_waiter {
    struct hf_worker_waiter *previous, *next;
    pthread_cond_t condition;
} hf_worker_waiter;

struct holdfast_worker {
    atomic_uint references; /* the handle and its activities */
    hf_fork_guard guard;
    pthread_mutex_t lock;
    /* Fixed once the worker is in use. */
    hf_endpoint endpoint;
    char *name_space, *task_queue, *build_id, *sdk_name, *sdk_version;
    char **workflow_types;
    size_t workflow_types_count, registrations_count;
    hf_registration *registrations;
    uint32_t activities_max, workflow_tasks_max, cached_runs_max, threads;
    int64_t grace_ms;
    holdfast_reconnect_policy reconnect;
    uint8_t resume_token[16];
    hf_worker_mode mode;
    /* The connection. */
    hf_link link;
    uint64_t stream; /* of Work; 0: not open */
    bool attached, was_attached;
    uint32_t failures;
    int64_t next_connect;
    holdfast_error *last_error;
    holdfast_error *fatal; /* the worker is over */
    /* Sending. */
    hf_buffer body; /* entries of the next WorkRequest */
    uint32_t answers_held, grant_workflow, grant_activity;
    /* Waiting: one thread at the socket, the others on their conditions. */
    bool pumping;
    pthread_t pump_thread;
    bool pump_known;
    int64_t pump_until;
    hf_worker_waiter *waiters;
    atomic_bool woken;
    /* Work. */
    hf_task_queue tasks;
    holdfast_activity *jobs, *jobs_last; /* activities with a function, not begun */
    pthread_cond_t jobs_changed;
    uint32_t jobs_new; /* of which no thread was told yet */
    uint32_t functions_running;
    hf_table workflow_tasks, workflow_runs; /* both hold every hf_workflow_task */
    hf_table activities, results;
    hf_table leaves;
    size_t local_activities; /* in the caller's hands */
    int64_t next_heartbeat;
    /* Stopping. */
    atomic_uint stops, visitors;
    bool stopping, detached, grace_over, drained, closed;
    int64_t grace_until;
};

/* worker.c */
holdfast_status hf_worker_check(holdfast_worker *worker, holdfast_error **error);
void hf_worker_retain(holdfast_worker *worker);
void hf_worker_release(holdfast_worker *worker);

/* Everything below is called with the worker's lock held, unless it says otherwise. */

/* worker_connect.c */
void hf_worker_connect_if_due(holdfast_worker *worker, int64_t now_ms);
void hf_worker_attach(holdfast_worker *worker, int64_t now_ms);
void hf_worker_attached(holdfast_worker *worker, holdfast_bytes attached, int64_t now_ms);
/* `why` is taken over. */
void hf_worker_disconnect(holdfast_worker *worker, int64_t now_ms, holdfast_error *why);
void hf_worker_stream_ended(holdfast_worker *worker, int64_t now_ms, const holdfast_error *why);

/* worker_stop.c: moves a stop on; sets `drained` when nothing is left to wait for. */
void hf_worker_stop_step(holdfast_worker *worker, int64_t now_ms);

/* worker_turn.c */
/* One turn at the socket, waiting until `until` at most; the caller has set `pumping`. */
void hf_worker_turn(holdfast_worker *worker, int64_t until);
int64_t hf_worker_deadline(const holdfast_worker *worker);
void hf_worker_wake(holdfast_worker *worker);
void hf_worker_wake_before(holdfast_worker *worker, int64_t deadline);

/* worker_in.c */
void hf_worker_events(holdfast_worker *worker, int64_t now_ms);

/* worker_out.c */
/* Queues one WorkerMessage; TOO_LARGE, OUT_OF_MEMORY, or DISCONNECTED without an open stream. */
holdfast_status hf_worker_post(holdfast_worker *worker, uint32_t kind, holdfast_bytes message);
/* As hf_worker_post, in parts when it is too large for one frame. `more`, `repeated`: the field
 * that says that parts follow, and a mask of the field numbers that may be spread over parts. */
holdfast_status hf_worker_post_parts(holdfast_worker *worker, uint32_t kind, holdfast_bytes message,
                                     uint32_t more, uint32_t repeated);
void hf_worker_flush(holdfast_worker *worker);
/* Flushes, unless the pulling thread will do so soon. */
void hf_worker_flush_later(holdfast_worker *worker);

/* worker_tasks.c: tasks handed out, and workflow tasks that are out. */
holdfast_status hf_worker_take_workflow_task(holdfast_worker *worker, holdfast_task_kind kind,
                                             holdfast_bytes message, holdfast_bytes token,
                                             holdfast_string run_id);
bool hf_worker_queue_task(holdfast_worker *worker, holdfast_task_kind kind, holdfast_bytes message,
                          holdfast_bytes token, holdfast_string run_id,
                          holdfast_activity *activity);
hf_task *hf_worker_pop_task(holdfast_worker *worker);
hf_workflow_task *hf_worker_workflow_task(const holdfast_worker *worker, holdfast_bytes token);
/* The task is over: its slot goes back. */
void hf_worker_end_workflow_task(holdfast_worker *worker, hf_workflow_task *task);
void hf_worker_end_run_tasks(holdfast_worker *worker, holdfast_string run_id);
/* Without giving slots back: the connection has ended. */
void hf_worker_drop_workflow_tasks(holdfast_worker *worker);

/* worker_local.c */
/* OUT_OF_MEMORY, if the caller cannot be told. */
holdfast_status hf_leave_given(holdfast_worker *worker, holdfast_bytes token);
/* Nobody waits any more: for this token, for anything of this run, or at all. */
void hf_leave_refused(holdfast_worker *worker, holdfast_bytes token);
void hf_leaves_drop_run(holdfast_worker *worker, holdfast_string run_id);
void hf_leaves_drop(holdfast_worker *worker);

/* activity.c */
/* PROTOCOL_ERROR: it has no token, or no slot. */
holdfast_status hf_worker_take_activity(holdfast_worker *worker, holdfast_bytes message,
                                        holdfast_bytes token);
holdfast_activity *hf_worker_activity(const holdfast_worker *worker, holdfast_bytes token);
void hf_activity_cancel(holdfast_worker *worker, holdfast_activity *activity,
                        holdfast_cancel_reason reason, holdfast_bytes message);

/* activity_end.c */
/* Ends an activity that is out. The caller keeps its reference. */
holdfast_status hf_activity_end(holdfast_worker *worker, holdfast_activity *activity, uint32_t kind,
                                holdfast_bytes message);
void hf_result_recorded(holdfast_worker *worker, holdfast_bytes token);
void hf_results_resend(holdfast_worker *worker);
/* Runs the function of a job; the lock is NOT held. Takes over the job's reference. */
void hf_activity_run(holdfast_activity *activity);

/* heartbeat.c */
holdfast_status hf_heartbeat(holdfast_worker *worker, holdfast_activity *activity,
                             holdfast_bytes message);
void hf_heartbeats_flush(holdfast_worker *worker, int64_t now_ms);

#endif
