/* The small parts: UTF-8, wire, tables, budget, back-off. */
#include "test.h"

#include "arena.h"
#include "wire.h"

#include "holdfast/v1/worker.pb-c.h"
#include "holdfast/v1/workflow_service.pb-c.h"

static bool valid(const char *text)
{
    return hf_utf8_fault(text, strlen(text)) == NULL;
}

static void utf8_is_checked(void)
{
    CHECK(valid("") && valid("plain") && valid("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    CHECK(valid("\xef\xbf\xbd") && valid("\xf4\x8f\xbf\xbf") && valid("\xed\x9f\xbf"));
    const char *bad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
                         "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                         "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "a\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!valid(bad[i]));
    CHECK(hf_utf8_fault("a\0b", 3) != NULL);
}

static bool check(const ProtobufCMessageDescriptor *type, const char *bytes, size_t length,
                  hf_fault *fault)
{
    return hf_wire_check(type, (holdfast_bytes){bytes, length}, fault);
}

static void wire_is_checked(void)
{
    hf_fault fault;
    const ProtobufCMessageDescriptor *type = &holdfast__v1__start_workflow_request__descriptor;
    CHECK(check(type, "", 0, &fault));
    CHECK(check(type,
                "\x12\x01"
                "a",
                3, &fault));
    CHECK(!check(type,
                 "\x12\x02"
                 "a\0",
                 4, &fault));
    CHECK(strcmp(fault.path, "workflow_id") == 0);
    CHECK(!check(type,
                 "\x12\x05"
                 "a",
                 3, &fault) &&
          fault.path[0] == '\0');
    CHECK(!check(type, "\x10\x05", 2, &fault)); /* a string field as a number */
    CHECK(!check(type, "\x2a\x03\x0a\x01\xff", 5, &fault));
    CHECK(strcmp(fault.path, "input.encoding") == 0);
    CHECK(!check(type, "\x0b", 1, &fault));            /* a group */
    CHECK(!check(type, "\x02\x00", 2, &fault));        /* field number 0 */
    CHECK(check(type, "\xfa\x7f\x01\xff", 4, &fault)); /* unknown field, any bytes */
    CHECK(!check(type, "\x38\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, &fault));
    const ProtobufCMessageDescriptor *completed =
        &holdfast__v1__workflow_task_completed__descriptor;
    CHECK(check(completed, "\x2a\x02\x01\x02", 4, &fault)); /* packed numbers */
    CHECK(!check(completed, "\x2a\x02\x01\x82", 4, &fault));
}

static void unpacking_has_a_budget(void)
{
    /* 1 MiB of empty submessages: 88 MB if one lets it. */
    size_t count = 512 * 1024;
    hf_buffer message = {0};
    for (size_t i = 0; i < count; i++)
        CHECK(hf_put_bytes(&message, 5, (holdfast_bytes){0}));
    hf_arena arena;
    hf_arena_init(&arena, 0);
    CHECK(hf_unpack(&arena, &holdfast__v1__start_workflow_request__descriptor,
                    hf_buffer_view(&message)) == NULL);
    CHECK(arena.used <= hf_buffer_length(&message) * HF_UNPACK_FACTOR + HF_UNPACK_FLOOR);
    hf_arena_free(&arena);
    hf_buffer_free(&message);
}

typedef struct entry {
    hf_node node;
    uint64_t key;
} entry;

static void a_table_finds_what_is_in_it(void)
{
    hf_table table = {0};
    enum { COUNT = 2000 };
    entry *entries = calloc(COUNT, sizeof *entries);
    for (uint64_t i = 0; i < COUNT; i++) {
        entries[i].key = i * 7;
        CHECK(hf_table_insert(&table, &entries[i].node, &entries[i].key, sizeof(uint64_t)));
    }
    size_t seen = 0;
    for (hf_node *node = NULL; (node = hf_table_next(&table, node)) != NULL;)
        seen++;
    CHECK(seen == COUNT);
    for (uint64_t i = 0; i < COUNT; i += 2)
        hf_table_remove(&table, &entries[i].node);
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t key = i * 7;
        CHECK((hf_table_find(&table, &key, sizeof key) != NULL) == (i % 2 == 1));
    }
    hf_table_free(&table);
    free(entries);
}

static void back_off_grows_with_jitter(void)
{
    holdfast_reconnect_policy policy = {.initial_ms = 10, .max_ms = 1000};
    for (uint64_t random = 0; random < 1000; random++) {
        int64_t first = holdfast_backoff_ms(&policy, 1, random * 0x9e3779b97f4a7c15u);
        int64_t fourth = holdfast_backoff_ms(&policy, 4, random * 0x9e3779b97f4a7c15u);
        int64_t late = holdfast_backoff_ms(&policy, 4000000000u, random * 0x9e3779b97f4a7c15u);
        CHECK(first >= 5 && first <= 10 && fourth >= 40 && fourth <= 80);
        CHECK(late >= 500 && late <= 1000);
    }
    CHECK(holdfast_backoff_ms(NULL, 1, 0) == 10);
}

static void versions_are_compared(void)
{
    CHECK(holdfast_version_check(HOLDFAST_VERSION_NUMBER));
    CHECK(!holdfast_version_check(HOLDFAST_VERSION_NUMBER + 1));
    CHECK(!holdfast_version_check(1000000));
    CHECK(holdfast_version_number() == HOLDFAST_VERSION_NUMBER);
    CHECK(strcmp(holdfast_version(), "0.1.0") == 0);
    for (int status = -5; status < 300; status++)
        CHECK(holdfast_strerror((holdfast_status)status) != NULL);
}

static void null_is_harmless(void)
{
    holdfast_error_free(NULL);
    holdfast_bytes_free(NULL);
    holdfast_client_close(NULL);
    holdfast_client_shutdown(NULL);
    holdfast_completion_free(NULL);
    holdfast_stream_close(NULL);
    holdfast_reply_free(NULL);
    holdfast_worker_free(NULL);
    holdfast_worker_stop(NULL);
    holdfast_worker_wake(NULL);
    holdfast_task_free(NULL);
    holdfast_activity_release(NULL);
    holdfast_connection_free(NULL);
    CHECK(holdfast_activity_defer(NULL) == NULL && holdfast_activity_retain(NULL) == NULL);
    CHECK(holdfast_activity_attempt(NULL) == 0 && holdfast_activity_type(NULL).len == 0);
    CHECK(holdfast_reply_run_id(NULL).len == 0 && holdfast_reply_failure(NULL) == NULL);
    CHECK(holdfast_worker_fd(NULL) == -1 && holdfast_worker_timeout_ms(NULL) == -1);
    CHECK(holdfast_worker_get_state(NULL) == HOLDFAST_WORKER_CLOSED);
    CHECK(holdfast_client_connect(NULL, NULL, NULL) == HOLDFAST_BAD_ARGUMENT);
    CHECK(holdfast_client_call(NULL, "", (holdfast_bytes){0}, 0, NULL, NULL) ==
          HOLDFAST_BAD_ARGUMENT);
    CHECK(holdfast_worker_run(NULL, NULL) == HOLDFAST_BAD_ARGUMENT);
    CHECK(holdfast_activity_complete(NULL, (holdfast_payloads){0}) == HOLDFAST_BAD_ARGUMENT);
    holdfast_event event;
    CHECK(!holdfast_connection_next_event(NULL, &event));
}

const test_case unit_tests[] = {
    {"utf8_is_checked", utf8_is_checked, false},
    {"wire_is_checked", wire_is_checked, false},
    {"unpacking_has_a_budget", unpacking_has_a_budget, false},
    {"a_table_finds_what_is_in_it", a_table_finds_what_is_in_it, false},
    {"back_off_grows_with_jitter", back_off_grows_with_jitter, false},
    {"versions_are_compared", versions_are_compared, false},
    {"null_is_harmless", null_is_harmless, false},
    {0},
};
