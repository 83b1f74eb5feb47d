/* The header-only adapters: a worker and a client in a poll loop and in a libuv loop. */
#include "loop.h"

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

static void a_client_in_a_poll_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    holdfast_client *client = stage_create(&engine);
    int done = 0;
    for (uint64_t tag = 0; done < 20; tag++) {
        loop_submit_start(client, tag);
        struct pollfd slot;
        int timeout = holdfast_poll_prepare_client(client, &slot, 1000);
        CHECK(timeout >= 0 && timeout <= 1000);
        poll(&slot, 1, timeout);
        CHECK_STATUS(HOLDFAST_OK, holdfast_poll_process_client(client, &slot, NULL));
        done += loop_take_starts(client);
    }
    holdfast_client_shutdown(client);
    struct pollfd slot;
    CHECK(holdfast_poll_prepare_client(client, &slot, -1) == -1);
    CHECK(poll(&slot, 1, 5000) == 1);
    CHECK_STATUS(HOLDFAST_CLOSED, holdfast_poll_process_client(client, &slot, NULL));
    holdfast_client_close(client);
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

enum { CALLS_UV = 20 };

/* A call at a time; the last shuts down, or closes both at once. */
typedef struct uv_caller {
    holdfast_client *client;
    uint64_t calls;
    bool closes, ended;
} uv_caller;

static void take_in_uv(holdfast_uv *adapter, void *user_data)
{
    uv_caller *self = user_data;
    if (loop_take_starts(self->client) == 0)
        return;
    if (++self->calls < CALLS_UV) {
        loop_submit_start(self->client, self->calls);
    } else if (self->closes) {
        holdfast_uv_close(adapter);
        holdfast_client_close(self->client);
    } else {
        holdfast_client_shutdown(self->client);
    }
}

static void on_client_end(holdfast_uv *adapter, holdfast_status status, const holdfast_error *error,
                          void *user_data)
{
    CHECK(!adapter->closed && status == HOLDFAST_CLOSED && error == NULL);
    ((uv_caller *)user_data)->ended = true;
}

static void a_client_in_a_libuv_loop(void)
{
    fake_engine engine;
    fake_prepare(&engine, stage_answer_starts, NULL);
    fake_start(&engine);
    for (int round = 0; round < 2; round++) {
        uv_caller self = {.client = stage_create(&engine), .closes = round == 1};
        uv_loop_t loop;
        holdfast_uv adapter;
        CHECK(uv_loop_init(&loop) == 0);
        CHECK(holdfast_uv_start_client(&adapter, &loop, self.client, take_in_uv, on_client_end,
                                       &self) == 0);
        loop_submit_start(self.client, 0);
        CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0);
        CHECK(self.ended == !self.closes && adapter.closed && self.calls == CALLS_UV);
        CHECK(uv_loop_close(&loop) == 0);
        if (!self.closes)
            holdfast_client_close(self.client);
    }
    fake_stop(&engine);
}
#endif

const test_case adapter_tests[] = {
    {"a_worker_in_a_poll_loop", a_worker_in_a_poll_loop, false},
    {"a_client_in_a_poll_loop", a_client_in_a_poll_loop, false},
#ifdef HOLDFAST_TEST_UV
    {"a_worker_in_a_libuv_loop", a_worker_in_a_libuv_loop, false},
    {"a_client_in_a_libuv_loop", a_client_in_a_libuv_loop, false},
#endif
    {0},
};
