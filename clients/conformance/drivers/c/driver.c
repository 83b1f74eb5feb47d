/* The driver of libholdfast for the conformance suite: does what its standard input says, and says
 * on its standard output what came of it. The line protocol is in ../../README.md. */
#include <holdfast.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8
#define LINE_MAX_BYTES (12u << 20)
#define TIMEOUT_MS 4000

static holdfast_client *client;
static holdfast_stream *stream;
static holdfast_worker *worker;
static pthread_t worker_thread;
static const char *socket_path;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static const char *status_name(holdfast_status status)
{
    static const char *const engine[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    static const char *const own[] = {
        "DISCONNECTED",      "TIMEOUT",       "CLOSED",         "FORKED",
        "BAD_ARGUMENT",      "OUT_OF_MEMORY", "PROTOCOL_ERROR", "TOO_LARGE",
        "ALREADY_COMPLETED", "SYSTEM_ERROR",
    };
    if (status >= 0 && status <= 16)
        return engine[status];
    if (status >= 100 && status <= 109)
        return own[status - 100];
    return "OTHER";
}

static void put_hex(const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    putchar('x');
    for (size_t i = 0; i < count; i++)
        printf("%02x", at[i]);
}

/* `WORD STATUS REASON`, and what the caller adds before the end of the line. */
static void put_status(const char *word, holdfast_status status, holdfast_error *error)
{
    const char *reason = error != NULL && error->reason != 0 ? error->reason_name : "";
    printf("%s %s %s", word, status_name(status), reason[0] != '\0' ? reason : "-");
    holdfast_error_free(error);
}

static void end_line(void)
{
    putchar('\n');
    fflush(stdout);
}

/* Turns `x00ff` into bytes in place. */
static holdfast_bytes hex_bytes(char *text)
{
    holdfast_bytes bytes = {text, 0};
    for (char *at = text + 1; at[0] != '\0' && at[1] != '\0'; at += 2) {
        char pair[3] = {at[0], at[1], '\0'};
        text[bytes.len++] = (char)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static void do_connect(char **words)
{
    holdfast_error *error = NULL;
    holdfast_client_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(socket_path),
                                       .connect_timeout_ms = strtol(words[1], NULL, 10)};
    holdfast_status status = holdfast_client_connect(&options, &client, &error);
    put_status("connect", status, error);
    end_line();
}

static void do_call(char **words)
{
    holdfast_error *error = NULL;
    holdfast_bytes response = {NULL, 0};
    holdfast_status status =
        holdfast_client_call(client, words[1], hex_bytes(words[2]), TIMEOUT_MS, &response, &error);
    put_status("call", status, error);
    putchar(' ');
    put_hex(response.ptr, response.len);
    holdfast_bytes_free(&response);
    end_line();
}

static void do_start(char **words)
{
    holdfast_error *error = NULL;
    holdfast_reply *reply = NULL;
    holdfast_start_options options = {.struct_size = sizeof options,
                                      .workflow_id = holdfast_str(words[1]),
                                      .workflow_type = holdfast_str(words[2]),
                                      .task_queue = holdfast_str(words[3]),
                                      .timeout_ms = TIMEOUT_MS};
    holdfast_status status = holdfast_start_workflow(client, &options, &reply, &error);
    put_status("start", status, error);
    holdfast_string run = holdfast_reply_run_id(reply);
    printf(" %.*s %d", (int)run.len, run.len > 0 ? run.ptr : "", holdfast_reply_started(reply));
    holdfast_reply_free(reply);
    end_line();
}

static void do_health(char **words)
{
    (void)words;
    holdfast_error *error = NULL;
    holdfast_reply *reply = NULL;
    holdfast_status status = holdfast_health(client, TIMEOUT_MS, &reply, &error);
    put_status("health", status, error);
    printf(" %d", holdfast_reply_serving(reply));
    holdfast_reply_free(reply);
    end_line();
}

static void do_stream(char **words)
{
    holdfast_error *error = NULL;
    holdfast_status status =
        holdfast_client_open(client, words[1], hex_bytes(words[2]), TIMEOUT_MS, &stream, &error);
    put_status("stream", status, error);
    end_line();
}

static void do_next(char **words)
{
    (void)words;
    holdfast_error *error = NULL;
    holdfast_bytes message = {NULL, 0};
    holdfast_status status = holdfast_stream_next(stream, TIMEOUT_MS, &message, &error);
    put_status("next", status, error);
    putchar(' ');
    put_hex(message.ptr, message.len);
    end_line();
}

static void do_leave(char **words)
{
    (void)words;
    holdfast_stream_close(stream);
    stream = NULL;
    printf("leave OK");
    end_line();
}

/* Tells of the task, and ends it as its type says. */
static void run_activity(holdfast_activity *activity, void *user_data)
{
    (void)user_data;
    holdfast_string type = holdfast_activity_type(activity);
    holdfast_string id = holdfast_activity_id(activity);
    pthread_mutex_lock(&output);
    printf("activity %.*s %.*s %d", (int)type.len, type.ptr, (int)id.len, id.ptr,
           holdfast_activity_attempt(activity));
    end_line();
    pthread_mutex_unlock(&output);
    if (type.len == 4 && memcmp(type.ptr, "fail", 4) == 0) {
        holdfast_failure failure = {.struct_size = sizeof failure,
                                    .message = HOLDFAST_STR("asked to fail")};
        holdfast_activity_fail(activity, &failure);
    } else {
        holdfast_activity_complete(activity, holdfast_activity_input(activity));
    }
}

static void *run_worker(void *argument)
{
    (void)argument;
    holdfast_error *error = NULL;
    holdfast_status status = holdfast_worker_run(worker, &error);
    pthread_mutex_lock(&output);
    put_status("worker-end", status, error);
    end_line();
    pthread_mutex_unlock(&output);
    return NULL;
}

static void do_worker(char **words)
{
    holdfast_worker_options options = {.struct_size = sizeof options,
                                       .socket_path = holdfast_str(socket_path),
                                       .task_queue = holdfast_str(words[1]),
                                       .max_concurrent_activities = 3,
                                       .threads = 2,
                                       .grace_ms = 100};
    holdfast_status status = holdfast_worker_create(&options, &worker, NULL);
    holdfast_worker_register_activity(worker, "echo", run_activity, NULL);
    holdfast_worker_register_activity(worker, "fail", run_activity, NULL);
    pthread_mutex_lock(&output);
    printf("worker %s", status_name(status));
    end_line();
    pthread_mutex_unlock(&output);
    pthread_create(&worker_thread, NULL, run_worker, NULL);
}

static const struct {
    const char *word;
    int arguments;
    bool needs_client;
    void (*function)(char **words);
} commands[] = {
    {"connect", 1, false, do_connect}, {"call", 2, true, do_call},
    {"start", 3, true, do_start},      {"health", 0, true, do_health},
    {"stream", 2, true, do_stream},    {"next", 0, true, do_next},
    {"leave", 0, true, do_leave},      {"worker", 1, false, do_worker},
};

static void obey(char *line)
{
    char *words[WORDS_MAX] = {NULL};
    int count = 0;
    for (char *rest = line, *word; count < WORDS_MAX && (word = strtok_r(rest, " \n", &rest));)
        words[count++] = word;
    for (size_t i = 0; count > 0 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].word, words[0]) != 0)
            continue;
        if (count - 1 == commands[i].arguments && (client != NULL || !commands[i].needs_client)) {
            commands[i].function(words);
            return;
        }
    }
    printf("unknown %s", count > 0 ? words[0] : "");
    end_line();
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: driver SOCKET < commands\n");
        return 2;
    }
    socket_path = arguments[1];
    char *line = malloc(LINE_MAX_BYTES);
    while (line != NULL && fgets(line, LINE_MAX_BYTES, stdin) != NULL &&
           strcmp(line, "quit\n") != 0)
        obey(line);
    free(line);
    if (worker != NULL) {
        holdfast_worker_stop(worker);
        pthread_join(worker_thread, NULL);
        holdfast_worker_free(worker);
    }
    holdfast_stream_close(stream);
    holdfast_client_close(client);
    return 0;
}
