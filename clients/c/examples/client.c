/* Starts a workflow and waits for its result.
 *
 *   cc client.c -o client $(pkg-config --cflags --libs holdfast) && ./client order-1 Order orders
 * '{"total":3}'
 */
#include <holdfast.h>

#include <stdio.h>

static int tell(holdfast_error *error)
{
    fprintf(stderr, "%s: %s\n", holdfast_strerror(error->code), error->message.ptr);
    holdfast_error_free(error);
    return 1;
}

static void show(const holdfast_reply *reply)
{
    const holdfast_failure *failure = holdfast_reply_failure(reply);
    if (failure != NULL)
        printf("failed: %s\n", failure->message.ptr);
    holdfast_payloads result = holdfast_reply_payloads(reply);
    for (size_t i = 0; i < result.count; i++)
        printf("%.*s\n", (int)result.items[i].data.len, (const char *)result.items[i].data.ptr);
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: %s WORKFLOW-ID TYPE TASK-QUEUE JSON\n", arguments[0]);
        return 2;
    }
    holdfast_client *client;
    holdfast_error *error;
    if (holdfast_client_connect(NULL, &client, &error) != HOLDFAST_OK)
        return tell(error);
    holdfast_payload input = holdfast_json(arguments[4]);
    holdfast_start_options start = {.struct_size = sizeof start,
                                    .workflow_id = holdfast_str(arguments[1]),
                                    .workflow_type = holdfast_str(arguments[2]),
                                    .task_queue = holdfast_str(arguments[3]),
                                    .input = {&input, 1}};
    holdfast_workflow_options wait = {.struct_size = sizeof wait,
                                      .workflow_id = holdfast_str(arguments[1])};
    holdfast_reply *reply = NULL;
    if (holdfast_start_workflow(client, &start, NULL, &error) != HOLDFAST_OK ||
        holdfast_get_result(client, &wait, &reply, &error) != HOLDFAST_OK) {
        holdfast_client_close(client);
        return tell(error);
    }
    bool completed = holdfast_reply_workflow_status(reply) == HOLDFAST_WORKFLOW_COMPLETED;
    show(reply);
    holdfast_reply_free(reply);
    holdfast_client_close(client);
    return completed ? 0 : 1;
}
