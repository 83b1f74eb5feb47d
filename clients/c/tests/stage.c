#include "stage.h"

#include <unistd.h>

holdfast_worker_options stage_options(const fake_engine *engine)
{
    return (holdfast_worker_options){.struct_size = sizeof(holdfast_worker_options),
                                     .socket_path = holdfast_str(engine->path),
                                     .task_queue = HOLDFAST_STR("queue"),
                                     .identity = HOLDFAST_STR("tester"),
                                     .build_id = HOLDFAST_STR("b1"),
                                     .max_concurrent_activities = 5,
                                     .threads = 3,
                                     .grace_ms = 2000,
                                     .reconnect = {.initial_ms = 2, .max_ms = 20}};
}

holdfast_worker *stage_worker(const fake_engine *engine)
{
    holdfast_worker_options options = stage_options(engine);
    holdfast_worker *worker = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    return worker;
}

static const holdfast_string workflow_types[] = {HOLDFAST_STR("Order")};

holdfast_worker *stage_workflow_worker(const fake_engine *engine)
{
    holdfast_worker_options options = stage_options(engine);
    options.workflow_types = workflow_types;
    options.workflow_types_count = 1;
    options.max_concurrent_workflow_tasks = 4;
    holdfast_worker *worker = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    return worker;
}

void *stage_run(void *worker)
{
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(worker, NULL));
    return NULL;
}

Holdfast__V1__WorkerMessage *stage_expect(fake_peer *peer, int kind)
{
    Holdfast__V1__WorkerMessage *message = fake_next_message(peer);
    CHECK(message != NULL && (int)message->kind_case == kind);
    return message;
}

void stage_expect_end(fake_peer *peer, int kind, const char *token)
{
    Holdfast__V1__WorkerMessage *message = stage_expect(peer, kind);
    /* Every end begins with its token. */
    CHECK(token_is(message->activity_completed->token, token));
    fake_free_message(message);
}

void stage_play(fake_script script, holdfast_activity_function function, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        fake_engine engine;
        stage scene = {0};
        fake_prepare(&engine, script, &scene);
        scene.worker = stage_worker(&engine);
        CHECK_STATUS(HOLDFAST_OK,
                     holdfast_worker_register_activity(scene.worker, "work", function, &scene));
        fake_start(&engine);
        CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(scene.worker, NULL));
        holdfast_worker_free(scene.worker);
        fake_stop(&engine);
    }
}

void stage_attach(fake_peer *peer)
{
    fake_free_message(fake_accept_worker(peer));
    fake_attached(peer, NULL, 0);
}

void stage_finish(fake_peer *peer, stage *scene)
{
    holdfast_worker_stop(scene->worker);
    fake_wait_for_close(peer);
}

atomic_bool stage_release;

void stage_slow(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    holdfast_string token = {holdfast_activity_token(activity).ptr,
                             holdfast_activity_token(activity).len};
    while (!hf_string_equal(token, holdfast_str("quick")) && !atomic_load(&stage_release) &&
           !holdfast_activity_is_cancelled(activity))
        usleep(1000);
    holdfast_activity_complete(activity, (holdfast_payloads){0});
}

void stage_two_activities(fake_peer *peer, void *context)
{
    stage_attach(peer);
    fake_send_activity(peer, "slow", "work", 0);
    fake_send_activity(peer, "slow", "work", 0); /* the same attempt again: it runs once */
    atomic_store(&stage_release, true);
    stage_expect_end(peer, COMPLETED, "slow");
    fake_recorded(peer, "slow");
    fake_send_activity(peer, "quick", "work", 0);
    stage_expect_end(peer, COMPLETED, "quick");
    fake_recorded(peer, "quick");
    stage_finish(peer, context);
}

holdfast_client_options stage_client_options(const fake_engine *engine)
{
    return (holdfast_client_options){.struct_size = sizeof(holdfast_client_options),
                                     .socket_path = holdfast_str(engine->path),
                                     .identity = HOLDFAST_STR("tester"),
                                     .name_space = HOLDFAST_STR("space"),
                                     .reconnect = {.initial_ms = 2, .max_ms = 20}};
}

holdfast_client *stage_create(const fake_engine *engine)
{
    holdfast_client_options options = stage_client_options(engine);
    holdfast_client *client = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_create(&options, &client, NULL));
    return client;
}

holdfast_client *stage_connect(const fake_engine *engine)
{
    holdfast_client_options options = stage_client_options(engine);
    holdfast_client *client = NULL;
    holdfast_error *error = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_connect(&options, &client, &error));
    CHECK(client != NULL && error == NULL);
    return client;
}

/* Answers every start with run id "run:<workflow id>". */
bool stage_answer_start(fake_peer *peer, const Holdfast__V1__Frame *open)
{
    Holdfast__V1__StartWorkflowRequest *request = holdfast__v1__start_workflow_request__unpack(
        NULL, open->open->message.len, open->open->message.data);
    CHECK(request != NULL);
    char run_id[128];
    snprintf(run_id, sizeof run_id, "run:%s", request->workflow_id);
    Holdfast__V1__StartWorkflowResponse response = HOLDFAST__V1__START_WORKFLOW_RESPONSE__INIT;
    response.run_id = run_id;
    response.started = true;
    bool sent = fake_answer(peer, open->stream, &response.base);
    holdfast__v1__start_workflow_request__free_unpacked(request, NULL);
    return sent;
}

void stage_answer_starts(fake_peer *peer, void *context)
{
    (void)context;
    Holdfast__V1__Frame *open;
    fake_handshake(peer);
    while ((open = fake_next_open(peer)) != NULL) {
        stage_answer_start(peer, open);
        fake_free(open);
    }
}

holdfast_start_options stage_start_options(const char *id)
{
    return (holdfast_start_options){.struct_size = sizeof(holdfast_start_options),
                                    .workflow_id = holdfast_str(id),
                                    .workflow_type = HOLDFAST_STR("Order"),
                                    .task_queue = HOLDFAST_STR("orders"),
                                    .timeout_ms = 5000};
}
