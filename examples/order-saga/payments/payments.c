/*
 * The payments worker of the order saga: serves `charge` and `refund` on the task queue `payments`.
 *
 *     payments --ledger FILE [--socket PATH]
 *
 * Both take {"order_id": "…", "card": "…", "amount_cents": 1250} and answer
 * {"order_id": "…", "amount_cents": 1250} with what was charged or given back. An attempt may be
 * repeated, on another worker too: the ledger knows every idempotency key and moves no money twice.
 *
 * PAYMENTS_DELAY_MS makes every activity slow, half of it before the ledger is written and half of
 * it between the write and the answer, so that a worker can be killed in either half.
 */
#define _POSIX_C_SOURCE 200809L

#include "json_field.h"
#include "ledger.h"

#include <errno.h>
#include <getopt.h>
#include <holdfast.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 16, /* activities wait for the disk and for the delay, not for a processor */
    DELAY_STEP_MS = 10,
};

/* What the activity functions are given. */
typedef struct payments {
    ledger *ledger;
    long delay_ms;
} payments;

static void fail(holdfast_activity *activity, const char *type, bool non_retryable,
                 const char *message)
{
    holdfast_failure failure = {
        .struct_size = sizeof failure,
        .type = holdfast_str(type),
        .message = holdfast_str(message),
        .non_retryable = non_retryable,
        .source = HOLDFAST_STR("payments"),
    };
    holdfast_activity_fail(activity, &failure);
}

/* Takes half of the configured time; false when the activity was cancelled meanwhile. */
static bool take_time(const payments *payments, holdfast_activity *activity)
{
    for (long left_ms = payments->delay_ms / 2; left_ms > 0; left_ms -= DELAY_STEP_MS) {
        if (holdfast_activity_is_cancelled(activity)) {
            return false;
        }
        struct timespec step = {.tv_nsec = DELAY_STEP_MS * 1000000L};
        nanosleep(&step, NULL);
    }
    return true;
}

/* Reads the input; false: *entry is not to be used, and the activity has failed for good. */
static bool read_input(holdfast_activity *activity, ledger_entry *entry, char *card,
                       size_t card_size)
{
    holdfast_payloads input = holdfast_activity_input(activity);
    holdfast_string key = holdfast_activity_idempotency_key(activity);
    if (input.count == 1 && key.len < sizeof entry->key) {
        const char *json = input.items[0].data.ptr;
        size_t size = input.items[0].data.len;
        memcpy(entry->key, key.ptr, key.len);
        entry->key[key.len] = '\0';
        if (json_string_field(json, size, "order_id", entry->order_id, sizeof entry->order_id) &&
            json_string_field(json, size, "card", card, card_size) &&
            json_int_field(json, size, "amount_cents", &entry->amount_cents) &&
            ledger_is_word(entry->key) && ledger_is_word(entry->order_id) &&
            entry->amount_cents > 0) {
            return true;
        }
    }
    fail(activity, "InvalidInput", true,
         "the input must be one object with order_id, card and amount_cents > 0");
    return false;
}

/* Moves the money and answers. */
static void post(holdfast_activity *activity, const payments *payments, ledger_entry *entry)
{
    if (!take_time(payments, activity)) {
        holdfast_activity_cancelled(activity, (holdfast_payloads){0});
        return;
    }
    char text[256];
    switch (ledger_post(payments->ledger, entry)) {
    case LEDGER_OK:
        break;
    case LEDGER_KEY_REUSED:
        fail(activity, "KeyReused", true, "this idempotency key stands for another payment");
        return;
    case LEDGER_ORDER_CLOSED:
        fail(activity, "OrderRefunded", true, "the order was refunded before it was charged");
        return;
    case LEDGER_IO_ERROR:
        snprintf(text, sizeof text, "ledger: %s", strerror(errno));
        fail(activity, "LedgerUnavailable", false, text);
        return;
    }
    /* Cancelled or not: the money has moved, and the workflow must know. */
    take_time(payments, activity);
    snprintf(text, sizeof text, "{\"order_id\":\"%s\",\"amount_cents\":%" PRId64 "}",
             entry->order_id, entry->amount_cents);
    holdfast_payload result = holdfast_json(text);
    holdfast_activity_complete(activity, (holdfast_payloads){.items = &result, .count = 1});
}

static void charge(holdfast_activity *activity, void *user_data)
{
    ledger_entry entry = {.kind = LEDGER_CHARGE};
    char card[64];
    if (!read_input(activity, &entry, card, sizeof card)) {
        return;
    }
    if (strncmp(card, "declined", strlen("declined")) == 0) {
        fail(activity, "CardDeclined", true, "the card was declined");
        return;
    }
    post(activity, user_data, &entry);
}

/* Needs no charge: the saga asks for the refund of whatever may have been charged. */
static void refund(holdfast_activity *activity, void *user_data)
{
    ledger_entry entry = {.kind = LEDGER_REFUND};
    char card[64];
    if (read_input(activity, &entry, card, sizeof card)) {
        post(activity, user_data, &entry);
    }
}

/* For the signal handler only. */
static holdfast_worker *running_worker;

static void on_signal(int signal)
{
    (void)signal;
    holdfast_worker_stop(running_worker);
}

static void stop_on_signals(holdfast_worker *worker)
{
    struct sigaction action = {.sa_handler = on_signal};
    running_worker = worker;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static int report(const char *what, holdfast_status status, holdfast_error *error)
{
    fprintf(stderr, "payments: %s: %s\n", what,
            error != NULL ? error->message.ptr : holdfast_strerror(status));
    holdfast_error_free(error);
    return EXIT_FAILURE;
}

static int serve(payments *payments, const char *socket_path)
{
    holdfast_worker_options options = {
        .struct_size = sizeof options,
        .socket_path = holdfast_str(socket_path),
        .task_queue = HOLDFAST_STR("payments"),
        .max_concurrent_activities = THREADS,
        .threads = THREADS,
    };
    holdfast_worker *worker;
    holdfast_error *error;
    holdfast_status status = holdfast_worker_create(&options, &worker, &error);
    if (status != HOLDFAST_OK) {
        return report("no worker", status, error);
    }
    status = holdfast_worker_register_activity(worker, "charge", charge, payments);
    if (status == HOLDFAST_OK) {
        status = holdfast_worker_register_activity(worker, "refund", refund, payments);
    }
    if (status == HOLDFAST_OK) {
        stop_on_signals(worker);
        status = holdfast_worker_run(worker, &error);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
    }
    holdfast_worker_free(worker);
    return status == HOLDFAST_OK ? EXIT_SUCCESS : report("stopped", status, error);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"ledger", required_argument, NULL, 'l'},
        {"socket", required_argument, NULL, 's'},
        {0},
    };
    const char *ledger_path = NULL;
    const char *socket_path = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l') {
            ledger_path = optarg;
        } else if (option == 's') {
            socket_path = optarg;
        } else {
            return 2;
        }
    }
    if (ledger_path == NULL || optind < argc) {
        fprintf(stderr, "usage: payments --ledger FILE [--socket PATH]\n");
        return 2;
    }
    const char *delay = getenv("PAYMENTS_DELAY_MS");
    payments payments = {
        .ledger = ledger_open(ledger_path),
        .delay_ms = delay != NULL ? strtol(delay, NULL, 10) : 0,
    };
    if (payments.ledger == NULL) {
        fprintf(stderr, "payments: %s: %s\n", ledger_path, strerror(errno));
        return EXIT_FAILURE;
    }
    int code = serve(&payments, socket_path);
    ledger_close(payments.ledger);
    return code;
}
