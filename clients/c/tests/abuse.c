/* Engines that lie, and a machine that has nothing left to give. */
#include "fake.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char health[] = "holdfast.v1.OperatorService/Health";

static holdfast_status connect_quickly(const fake_engine *engine, holdfast_client **client,
                                       holdfast_error **error)
{
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine->path),
                                       .connect_timeout_ms = 300,
                                       .reconnect = {.initial_ms = 5, .max_ms = 20}};
    return holdfast_client_connect(&options, client, error);
}

typedef struct bytes {
    const char *data;
    size_t length;
    holdfast_status expected;
} bytes;

#define BYTES(literal, status)                                                                     \
    {                                                                                              \
        literal, sizeof(literal) - 1, status                                                       \
    }

/* Instead of a Welcome. */
static const bytes openings[] = {
    BYTES("\xff\xff\xff\xff", HOLDFAST_PROTOCOL_ERROR), /* a frame of 4 GiB */
    BYTES("\0\0\0\0", HOLDFAST_PROTOCOL_ERROR),         /* an empty frame */
    BYTES("\0\0\0\3\xff\xff\xff", HOLDFAST_PROTOCOL_ERROR),
    BYTES("HTTP/1.1 200 OK\r\n\r\n", HOLDFAST_PROTOCOL_ERROR),
    BYTES("\0\0\0\4\x1a\x02\x08\x07", HOLDFAST_FAILED_PRECONDITION),        /* protocol version 7 */
    BYTES("\0\0\0\7\x1a\x05\x08\x01\x12\x01\xff", HOLDFAST_PROTOCOL_ERROR), /* bad UTF-8 */
    BYTES("\0\0\0\7\x1a\x05\x08\x01\x12\x01\0", HOLDFAST_PROTOCOL_ERROR),   /* NUL in a string */
    BYTES("\0\0\0\2\x3a\x00", HOLDFAST_PROTOCOL_ERROR),                     /* End before Welcome */
    BYTES("\0\0\0\4\x22\x02\x08\x07", HOLDFAST_PERMISSION_DENIED),          /* GoAway */
    BYTES("\0\0\0\2\x22\x00", HOLDFAST_UNAVAILABLE),                        /* a drain */
    BYTES("\0\0", HOLDFAST_DISCONNECTED),                                   /* cut in the length */
    BYTES("\0\0\0\x09\x1a", HOLDFAST_DISCONNECTED),                         /* cut in the frame */
    BYTES("", HOLDFAST_DISCONNECTED),
};

static void open_badly(fake_peer *peer, void *context)
{
    const bytes *opening = context;
    fake_free(fake_read(peer));
    fake_write_bytes(peer, opening->data, opening->length);
}

static void a_bad_opening_is_an_error(void)
{
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        fake_engine engine;
        fake_prepare(&engine, open_badly, (void *)&openings[i]);
        fake_start(&engine);
        holdfast_client *client = NULL;
        holdfast_error *error = NULL;
        CHECK_STATUS(openings[i].expected, connect_quickly(&engine, &client, &error));
        CHECK(client == NULL && error != NULL && error->message.len > 0);
        holdfast_error_free(error);
        fake_stop(&engine);
    }
}

static void accept_and_sleep(fake_peer *peer, void *context)
{
    (void)context;
    fake_free(fake_read(peer));
    fake_wait_for_close(peer);
}

static void a_silent_engine_times_out(void)
{
    fake_engine engine;
    fake_prepare(&engine, accept_and_sleep, NULL);
    fake_start(&engine);
    holdfast_client *client = NULL;
    CHECK_STATUS(HOLDFAST_TIMEOUT, connect_quickly(&engine, &client, NULL));
    fake_stop(&engine);
}

/* Instead of an answer on stream 1. The client comes again, until its time is up. */
static const bytes answers[] = {
    BYTES("\xff\xff\xff\xff", HOLDFAST_DISCONNECTED),
    BYTES("\0\0\0\3\xff\xff\xff", HOLDFAST_DISCONNECTED),
    BYTES("\0\0\0\4\x08\x01\x3a\x05", HOLDFAST_DISCONNECTED), /* longer than its frame */
    BYTES("\0\0\0\x0b\x08\x01\x3a\x07\x0a\x05\x08\x05\x12\x01\xc0", HOLDFAST_DISCONNECTED),
    BYTES("\0\0\0\2\x1a\x00", HOLDFAST_DISCONNECTED), /* a second Welcome */
    BYTES("\0\0\0\2\x12\x00", HOLDFAST_DISCONNECTED), /* a Hello */
    /* An answer that is not a HealthResponse: the call fails, the connection lives. */
    BYTES("\0\0\0\x08\x08\x01\x3a\x04\x12\x02\x0a\x01", HOLDFAST_PROTOCOL_ERROR),
    /* Code 99: unknown to the library. */
    BYTES("\0\0\0\x08\x08\x01\x3a\x04\x0a\x02\x08\x63", HOLDFAST_UNKNOWN),
    /* Frames for streams that never were: ignored. */
    BYTES("\0\0\0\4\x08\x63\x3a\x00", HOLDFAST_TIMEOUT),
    BYTES("\0\0\0\4\x08\x63\x32\x00", HOLDFAST_TIMEOUT),
};

static void answer_badly(fake_peer *peer, void *context)
{
    const bytes *answer = context;
    fake_handshake(peer);
    fake_free(fake_next_open(peer));
    fake_write_bytes(peer, answer->data, answer->length);
    fake_wait_for_close(peer);
}

static void a_bad_answer_is_an_error(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fake_engine engine;
        fake_prepare(&engine, answer_badly, (void *)&answers[i]);
        fake_start(&engine);
        holdfast_client *client = NULL;
        CHECK_STATUS(HOLDFAST_OK, connect_quickly(&engine, &client, NULL));
        holdfast_error *error = NULL;
        holdfast_status status =
            holdfast_client_call(client, health, (holdfast_bytes){0}, 100, NULL, &error);
        /* Between two connections the time may be up with or without one. */
        bool lost = answers[i].expected == HOLDFAST_DISCONNECTED;
        CHECK(status == answers[i].expected || (lost && status == HOLDFAST_TIMEOUT));
        CHECK(error != NULL && error->message.len > 0);
        holdfast_error_free(error);
        holdfast_client_close(client);
        fake_stop(&engine);
    }
}

/* Instead of tasks. The worker must come again with another connection. */
static const bytes work[] = {
    BYTES("\0\0\0\x07\x08\x01\x32\x03\x0a\x01\xff", 0),
    BYTES("\0\0\0\x0a\x08\x01\x32\x06\x0a\x04\x0a\x02\x12\x00", 0), /* a task without a token */
    BYTES("\0\0\0\x0d\x08\x01\x32\x09\x0a\x07\x0a\x05\x2a\x03\x12\x01\xff", 0), /* bad UTF-8 */
    BYTES("\0\0\0\x0d\x08\x01\x32\x09\x0a\x07\x0a\x05\x2a\x03\x12\x01\x00", 0), /* NUL */
    BYTES("\0\0\0\x0a\x08\x01\x32\x06\x0a\x04\x0a\x02\x2a\x00", 0), /* an activity without one */
    BYTES("\0\0\0\x0a\x08\x01\x32\x06\x0a\x04\x0a\x02\x0a\x00", 0), /* Attached again */
    /* An activation for a worker that serves no workflows. */
    BYTES("\0\0\0\x10\x08\x01\x32\x0c\x0a\x0a\x0a\x08\x12\x06\x0a\x01t\x12\x01r", 0),
    BYTES("\xff\xff\xff\xff", 0),
    BYTES("", 0),
};

typedef struct attempt {
    const bytes *work;
    holdfast_worker *worker;
} attempt;

static void work_badly(fake_peer *peer, void *context)
{
    attempt *self = context;
    Holdfast__V1__WorkerMessage *attach = fake_accept_worker(peer);
    if (attach == NULL)
        return;
    fake_free_message(attach);
    fake_attached(peer, NULL, 0);
    if (peer->number == 3) {
        holdfast_worker_stop(self->worker);
        fake_wait_for_close(peer);
        return;
    }
    fake_write_bytes(peer, self->work->data, self->work->length);
    if (self->work->length > 0)
        fake_wait_for_close(peer);
}

static void never(holdfast_activity *activity, void *user_data)
{
    (void)activity;
    (void)user_data;
    test_fail(__FILE__, __LINE__, "a malformed task was run");
}

static void bad_work_is_not_run(void)
{
    for (size_t i = 0; i < sizeof work / sizeof work[0]; i++) {
        fake_engine engine;
        attempt self = {.work = &work[i]};
        fake_prepare(&engine, work_badly, &self);
        holdfast_worker_options options = {.struct_size = sizeof options,
                                           .socket_path = holdfast_str(engine.path),
                                           .task_queue = HOLDFAST_STR("queue"),
                                           .threads = 1,
                                           .reconnect = {.initial_ms = 1, .max_ms = 10}};
        CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &self.worker, NULL));
        holdfast_worker_register_activity(self.worker, "work", never, NULL);
        fake_start(&engine);
        CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(self.worker, NULL));
        CHECK(atomic_load(&engine.connections) == 3);
        holdfast_worker_free(self.worker);
        fake_stop(&engine);
    }
}

static void send_more_than_granted(fake_peer *peer, void *context)
{
    (void)context;
    Holdfast__V1__WorkerMessage *attach = fake_accept_worker(peer);
    fake_free_message(attach);
    fake_attached(peer, NULL, 0);
    fake_send_activity(peer, "first", "work", 0);
    fake_send_activity(peer, "second", "work", 0);
    fake_wait_for_close(peer);
}

static void more_work_than_was_granted_is_not_taken(void)
{
    fake_engine engine;
    fake_prepare(&engine, send_more_than_granted, NULL);
    fake_start(&engine);
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine.path),
                                       .task_queue = HOLDFAST_STR("queue"),
                                       .max_concurrent_activities = 1,
                                       .reconnect = {.never = true}};
    holdfast_worker *worker;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    holdfast_worker_register_activity(worker, "work", NULL, NULL);
    holdfast_task *task;
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_next_task(worker, 2000, &task, NULL));
    CHECK(task->kind == HOLDFAST_TASK_ACTIVITY && task->token.len == strlen("first"));
    holdfast_task_free(task);
    CHECK_STATUS(HOLDFAST_PROTOCOL_ERROR, holdfast_worker_next_task(worker, 2000, &task, NULL));
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

static void evict_and_stop(fake_peer *peer, void *context)
{
    Holdfast__V1__WorkerMessage *attach = fake_accept_worker(peer);
    fake_free_message(attach);
    fake_attached(peer, NULL, 0);
    static const char evict[] = "\0\0\0\x0d\x08\x01\x32\x09\x0a\x07\x0a\x05\x22\x03\x0a\x01r";
    static const char ping[] = "\0\0\0\4\x52\x02\x08\x01";
    fake_write_bytes(peer, evict, sizeof evict - 1);
    fake_write_bytes(peer, ping, sizeof ping - 1);
    Holdfast__V1__Frame *frame;
    bool answered = false;
    while (!answered && (frame = fake_read(peer)) != NULL) {
        answered = frame->kind_case == HOLDFAST__V1__FRAME__KIND_PONG;
        fake_free(frame);
    }
    CHECK(answered);
    holdfast_worker_stop(*(holdfast_worker **)context);
    fake_wait_for_close(peer);
}

static void an_evict_without_workflows_does_not_hold_up_the_end(void)
{
    fake_engine engine;
    holdfast_worker *worker;
    fake_prepare(&engine, evict_and_stop, &worker);
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine.path),
                                       .task_queue = HOLDFAST_STR("queue"),
                                       .threads = 1,
                                       .grace_ms = -1};
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &worker, NULL));
    holdfast_worker_register_activity(worker, "work", never, NULL);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(worker, NULL));
    CHECK(atomic_load(&engine.connections) == 1); /* each stops it once more */
    holdfast_worker_free(worker);
    fake_stop(&engine);
}

static void send_more_than_credit(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open = fake_next_open(peer);
    if (open == NULL)
        return;
    Holdfast__V1__HistoryBatch batch = HOLDFAST__V1__HISTORY_BATCH__INIT;
    for (int i = 0; i < 1000; i++)
        fake_message(peer, open->stream, &batch.base);
    fake_free(open);
    fake_wait_for_close(peer);
}

static void a_stream_beyond_its_credit_is_ended(void)
{
    fake_engine engine;
    fake_prepare(&engine, send_more_than_credit, NULL);
    fake_start(&engine);
    holdfast_client *client = NULL;
    CHECK_STATUS(HOLDFAST_OK, connect_quickly(&engine, &client, NULL));
    holdfast_stream *stream = NULL;
    CHECK_STATUS(HOLDFAST_OK, holdfast_client_open(client, "holdfast.v1.WorkflowService/GetHistory",
                                                   (holdfast_bytes){0}, 2000, &stream, NULL));
    holdfast_bytes message;
    CHECK_STATUS(HOLDFAST_OK, holdfast_stream_next(stream, 2000, &message, NULL));
    usleep(50000);
    int got = 1;
    holdfast_status status;
    while ((status = holdfast_stream_next(stream, 2000, &message, NULL)) == HOLDFAST_OK)
        got++;
    CHECK_STATUS(HOLDFAST_DISCONNECTED, status);
    CHECK(got < 100);
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    fake_stop(&engine);
}

/* Reads in small sips, so that the worker's socket is full most of the time. */
static void read_slowly(fake_peer *peer, void *context)
{
    attempt *self = context;
    int small = 4096;
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    fake_free_message(fake_accept_worker(peer));
    fake_attached(peer, NULL, 0);
    for (int i = 0; i < 20; i++) {
        char token[16];
        snprintf(token, sizeof token, "t%d", i);
        fake_send_activity(peer, token, "work", 0);
    }
    for (int i = 0; i < 20; i++) {
        usleep(2000);
        Holdfast__V1__WorkerMessage *message = fake_next_message(peer);
        CHECK(message->activity_completed->result[0]->data.len == 300000);
        char token[16];
        memcpy(token, message->activity_completed->token.data,
               message->activity_completed->token.len);
        token[message->activity_completed->token.len] = '\0';
        fake_free_message(message);
        fake_recorded(peer, token);
    }
    holdfast_worker_stop(self->worker);
    fake_wait_for_close(peer);
}

static void answer_largely(holdfast_activity *activity, void *user_data)
{
    holdfast_payload result = holdfast_binary(user_data, 300000);
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_activity_complete(activity, (holdfast_payloads){&result, 1}));
}

static void a_full_socket_is_waited_for(void)
{
    fake_engine engine;
    attempt self = {0};
    fake_prepare(&engine, read_slowly, &self);
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(engine.path),
                                       .task_queue = HOLDFAST_STR("queue"),
                                       .threads = 3};
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_create(&options, &self.worker, NULL));
    void *data = calloc(1, 300000);
    holdfast_worker_register_activity(self.worker, "work", answer_largely, data);
    fake_start(&engine);
    CHECK_STATUS(HOLDFAST_OK, holdfast_worker_run(self.worker, NULL));
    holdfast_worker_free(self.worker);
    free(data);
    fake_stop(&engine);
}

static void answer_health(fake_peer *peer, void *context)
{
    (void)context;
    fake_handshake(peer);
    Holdfast__V1__Frame *open;
    while ((open = fake_next_open(peer)) != NULL) {
        Holdfast__V1__HealthResponse response = HOLDFAST__V1__HEALTH_RESPONSE__INIT;
        response.state = HOLDFAST__V1__HEALTH_STATE__HEALTH_STATE_SERVING;
        fake_answer(peer, open->stream, &response.base);
        fake_free(open);
    }
}

/* Connects and calls with the n-th allocation failing, for every n: an error, no crash, no leak. */
static void every_allocation_of_a_call_may_fail(void)
{
    fake_engine engine;
    fake_prepare(&engine, answer_health, NULL);
    fake_start(&engine);
    long number = 1;
    for (bool failed = true; failed; number++) {
        holdfast_client *client = NULL;
        holdfast_reply *reply = NULL;
        holdfast_client_options options = {.struct_size = sizeof options,
                                           .socket_path = holdfast_str(engine.path),
                                           .connect_timeout_ms = 20,
                                           .reconnect = {.never = true}};
        fail_allocation(number);
        holdfast_status status = holdfast_client_connect(&options, &client, NULL);
        if (status == HOLDFAST_OK)
            status = holdfast_health(client, 20, &reply, NULL);
        failed = allocation_failed();
        CHECK(failed ? status != HOLDFAST_OK : status == HOLDFAST_OK);
        CHECK(failed || holdfast_reply_serving(reply));
        holdfast_reply_free(reply);
        holdfast_client_close(client);
    }
    CHECK(number > 10);
    fake_stop(&engine);
}

static void every_allocation_of_a_worker_may_fail(void)
{
    long number = 1;
    for (bool failed = true; failed; number++) {
        holdfast_worker *worker = NULL;
        holdfast_worker_options options = {.struct_size = sizeof options,
                                           .socket_path = HOLDFAST_STR("/nonexistent"),
                                           .task_queue = HOLDFAST_STR("queue"),
                                           .reconnect = {.never = true}};
        holdfast_task *task = NULL;
        fail_allocation(number);
        holdfast_status status = holdfast_worker_create(&options, &worker, NULL);
        if (status == HOLDFAST_OK)
            status = holdfast_worker_register_activity(worker, "work", never, NULL);
        if (status == HOLDFAST_OK)
            status = holdfast_worker_next_task(worker, 0, &task, NULL);
        failed = allocation_failed();
        CHECK(task == NULL && status != HOLDFAST_OK);
        holdfast_worker_free(worker);
    }
    CHECK(number > 5);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void descriptors_are_given_back_and_not_inherited(void)
{
    fake_engine engine;
    fake_prepare(&engine, answer_health, NULL);
    fake_start(&engine);
    int before = open_descriptors();
    bool was_open[256];
    for (int fd = 0; fd < 256; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    holdfast_client *client = NULL;
    CHECK_STATUS(HOLDFAST_OK, connect_quickly(&engine, &client, NULL));
    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        CHECK(was_open[fd] || flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
    holdfast_client_close(client);
    for (int wait = 0; wait < 100 && open_descriptors() > before; wait++)
        usleep(10000); /* the engine's side of it */
    CHECK(open_descriptors() == before);
    fake_stop(&engine);
}

static void without_descriptors_there_is_an_error(void)
{
    struct rlimit limit, none;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 3;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    holdfast_client *client = NULL;
    holdfast_worker *worker = NULL;
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .task_queue = HOLDFAST_STR("queue")};
    holdfast_status client_status = holdfast_client_connect(NULL, &client, NULL);
    holdfast_status worker_status = holdfast_worker_create(&options, &worker, NULL);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_STATUS(HOLDFAST_SYSTEM_ERROR, client_status);
    CHECK_STATUS(HOLDFAST_SYSTEM_ERROR, worker_status);
}

const test_case abuse_tests[] = {
    {"a_bad_opening_is_an_error", a_bad_opening_is_an_error, false},
    {"a_silent_engine_times_out", a_silent_engine_times_out, false},
    {"a_bad_answer_is_an_error", a_bad_answer_is_an_error, false},
    {"bad_work_is_not_run", bad_work_is_not_run, false},
    {"more_work_than_was_granted_is_not_taken", more_work_than_was_granted_is_not_taken, false},
    {"an_evict_without_workflows_does_not_hold_up_the_end",
     an_evict_without_workflows_does_not_hold_up_the_end, false},
    {"a_stream_beyond_its_credit_is_ended", a_stream_beyond_its_credit_is_ended, false},
    {"a_full_socket_is_waited_for", a_full_socket_is_waited_for, false},
    {"every_allocation_of_a_call_may_fail", every_allocation_of_a_call_may_fail, false},
    {"every_allocation_of_a_worker_may_fail", every_allocation_of_a_worker_may_fail, false},
    {"descriptors_are_given_back_and_not_inherited", descriptors_are_given_back_and_not_inherited,
     false},
    {"without_descriptors_there_is_an_error", without_descriptors_there_is_an_error, false},
    {0},
};
