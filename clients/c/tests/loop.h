/* A loop around a client, as a caller would write it. */
#ifndef LOOP_H
#define LOOP_H

#include "stage.h"

#define loop_start_method "holdfast.v1.WorkflowService/StartWorkflow"
#define loop_health_method "holdfast.v1.OperatorService/Health"
#define loop_history_method "holdfast.v1.WorkflowService/GetHistory"

/* One round that waits wait_ms at most; what it came to. Adds to *turns (may be NULL) when there
 * was something to process. */
holdfast_status loop_turn(holdfast_client *client, int wait_ms, int *turns);
/* A round that must come to something: waiting in vain is what the loop is not to do. */
void loop_once(holdfast_client *client, int *turns);
/* Loops until a submitted call ends; its status. What has not come by a turn is not looked at, for
 * looking would receive it. `turns` may be NULL. */
holdfast_status loop_to_end(holdfast_client *client, uint64_t tag, int *turns);
/* Loops for so long with nothing to do; how often there was something all the same. */
int loop_idle(holdfast_client *client, int64_t duration_ms);

/* Starts the workflow whose id is the tag, without a deadline. */
void loop_submit_start(holdfast_client *client, uint64_t tag);
void loop_submit_health(holdfast_client *client, int64_t timeout_ms, uint64_t tag);
/* Takes every completion that is there, of starts that went well; returns how many. */
int loop_take_starts(holdfast_client *client);

/* A script that shakes hands and answers nothing. */
void loop_say_nothing(fake_peer *peer, void *context);

#endif
