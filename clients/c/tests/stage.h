/* What the tests of the worker share: a worker and the script that stops it. */
#ifndef STAGE_H
#define STAGE_H

#include "fake.h"

enum {
    COMPLETED = HOLDFAST__V1__WORKER_MESSAGE__KIND_ACTIVITY_COMPLETED,
    FAILED = HOLDFAST__V1__WORKER_MESSAGE__KIND_ACTIVITY_FAILED,
    CANCELLED = HOLDFAST__V1__WORKER_MESSAGE__KIND_REPORT_ACTIVITY_CANCELLED,
    ELSEWHERE = HOLDFAST__V1__WORKER_MESSAGE__KIND_WILL_COMPLETE_ELSEWHERE,
    HEARTBEAT = HOLDFAST__V1__WORKER_MESSAGE__KIND_HEARTBEAT,
    WORKFLOW = HOLDFAST__V1__WORKER_MESSAGE__KIND_WORKFLOW_TASK_COMPLETED,
    REPLAYED = HOLDFAST__V1__WORKER_MESSAGE__KIND_REPLAY_COMPLETED,
    EVICTED = HOLDFAST__V1__WORKER_MESSAGE__KIND_EVICTED,
    DETACH = HOLDFAST__V1__WORKER_MESSAGE__KIND_DETACH,
    LOCAL_DONE = HOLDFAST__V1__WORKER_MESSAGE__KIND_LOCAL_ACTIVITY_DONE
};

/* A worker that is stopped by its script, when it has seen enough. */
typedef struct stage {
    holdfast_worker *worker;
} stage;

holdfast_worker_options stage_options(const fake_engine *engine);
holdfast_worker *stage_worker(const fake_engine *engine);
holdfast_worker *stage_workflow_worker(const fake_engine *engine);
void *stage_run(void *worker);
Holdfast__V1__WorkerMessage *stage_expect(fake_peer *peer, int kind);
void stage_expect_end(fake_peer *peer, int kind, const char *token);
void stage_play(fake_script script, holdfast_activity_function function, int rounds);
void stage_attach(fake_peer *peer);
void stage_finish(fake_peer *peer, stage *scene);
void stage_slow(holdfast_activity *activity, void *user_data);
void stage_two_activities(fake_peer *peer, void *context);
holdfast_client_options stage_client_options(const fake_engine *engine);
holdfast_client *stage_connect(const fake_engine *engine);
/* A client that is not connected yet, for a loop. */
holdfast_client *stage_create(const fake_engine *engine);
bool stage_answer_start(fake_peer *peer, const Holdfast__V1__Frame *open);
void stage_answer_starts(fake_peer *peer, void *context);
holdfast_start_options stage_start_options(const char *id);
/* What stage_slow waits for, but with the token "quick". */
extern atomic_bool stage_release;

#endif
