/* The header-only adapters: a worker in a poll loop and in a libuv loop. */
#include "fake.h"

#include "../adapters/holdfast_poll.h"
#ifdef HOLDFAST_TEST_UV
#include "../adapters/holdfast_uv.h"
#endif

static void three(fake_peer *peer, void *context)
{
    fake_free_message(fake_accept_worker(peer));
    fake_attached(peer, NULL, 0);
    for (int i = 0; i < 3; i++) {
        fake_send_activity(peer, "t", "work", 0);
        fake_free_message(fake_next_message(peer));
        fake_recorded(peer, "t");
    }
    holdfast_worker_stop(*(holdfast_worker **)context);
    fake_wait_for_close(peer);
}

static void count_one(holdfast_activity *activity, void *user_data)
{
    ++*(int *)user_data;
    CHECK_STATUS(HOLDFAST_OK, holdfast_activity_complete(activity, (holdfast_payloads){0}));
}

static holdfast_worker *begin(fake_engine *engine, int *count)
{
    static holdfast_worker *worker;
    fake_prepare(engine, three, &worker);
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine->path),
                                       .task_queue = HOLDFAST_STR("queue")};
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    holdfast_worker_register_activity(worker, "work", count_one, count);
    fake_start(engine);
    return worker;
}

static void a_worker_in_a_poll_loop(void)
{
    fake_engine engine;
    int count = 0;
    holdfast_worker *worker = begin(&engine, &count);
    holdfast_status status = HOLDFAST_OK;
    while (status == HOLDFAST_OK) {
        struct pollfd slot;
        int timeout = holdfast_poll_prepare(worker, &slot, 1000);
        CHECK(timeout >= 0 && timeout <= 1000);
        poll(&slot, 1, timeout);
        status = holdfast_poll_process(worker, &slot, NULL);
    }
    CHECK_STATUS(HOLDFAST_CLOSED, status);
    CHECK(count == 3);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

#ifdef HOLDFAST_TEST_UV
static void on_end(holdfast_uv *adapter, holdfast_status status, const holdfast_error *error,
                   void *user_data)
{
    CHECK(!adapter->closed && status == HOLDFAST_CLOSED && error == NULL);
    *(bool *)user_data = true;
}

static void a_worker_in_a_libuv_loop(void)
{
    fake_engine engine;
    int count = 0;
    bool ended = false;
    holdfast_worker *worker = begin(&engine, &count);
    uv_loop_t loop;
    holdfast_uv adapter;
    CHECK(uv_loop_init(&loop) == 0);
    CHECK(holdfast_uv_start(&adapter, &loop, worker, on_end, &ended) == 0);
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0);
    CHECK(ended && adapter.closed && count == 3);
    CHECK(uv_loop_close(&loop) == 0);
    holdfast_worker_free(worker);
    fake_stop(&engine);
}
#endif

const test_case adapter_tests[] = {
    {"a_worker_in_a_poll_loop", a_worker_in_a_poll_loop, false},
#ifdef HOLDFAST_TEST_UV
    {"a_worker_in_a_libuv_loop", a_worker_in_a_libuv_loop, false},
#endif
    {0},
};
