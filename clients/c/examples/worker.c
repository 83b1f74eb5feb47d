/* A worker with one activity. Stop it with Ctrl-C: what is under way finishes first.
 *
 *   cc worker.c -o worker $(pkg-config --cflags --libs holdfast) && ./worker
 */
#include <holdfast.h>

#include <signal.h>
#include <stdio.h>

static holdfast_worker *worker;

static void stop(int signal_number)
{
    (void)signal_number;
    holdfast_worker_stop(worker); /* safe in a signal handler */
}

static void charge(holdfast_activity *activity, void *user_data)
{
    FILE *ledger = user_data;
    holdfast_payloads input = holdfast_activity_input(activity);
    if (input.count != 1) {
        holdfast_failure failure = {.struct_size = sizeof failure,
                                    .message = HOLDFAST_STR("one payload is expected"),
                                    .type = HOLDFAST_STR("BadInput"),
                                    .non_retryable = true};
        holdfast_activity_fail(activity, &failure);
        return;
    }
    /* The same key for every attempt: whoever reads the ledger counts it once. */
    fprintf(ledger, "%s %.*s\n", holdfast_activity_idempotency_key(activity).ptr,
            (int)input.items[0].data.len, (const char *)input.items[0].data.ptr);
    fflush(ledger);
    holdfast_payload result = holdfast_json("\"charged\"");
    holdfast_activity_complete(activity, (holdfast_payloads){&result, 1});
}

int main(void)
{
    holdfast_error *error = NULL;
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .task_queue = HOLDFAST_STR("payments")};
    if (holdfast_worker_create(&options, &worker, &error) == HOLDFAST_OK) {
        holdfast_worker_register_activity(worker, "charge", charge, stdout);
        signal(SIGINT, stop);
        signal(SIGTERM, stop);
        holdfast_worker_run(worker, &error);
    }
    if (error != NULL)
        fprintf(stderr, "%s\n", error->message.ptr);
    int code = error != NULL;
    holdfast_error_free(error);
    holdfast_worker_free(worker);
    return code;
}
