/* Tests of the payments worker's parts that need no engine. */
#define _POSIX_C_SOURCE 200809L

#undef NDEBUG
#include "json_field.h"
#include "ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/payments-ledger-XXXXXX";

static ledger_entry movement(ledger_kind kind, const char *key, const char *order, int64_t cents)
{
    ledger_entry entry = {.kind = kind, .amount_cents = cents};
    snprintf(entry.key, sizeof entry.key, "%s", key);
    snprintf(entry.order_id, sizeof entry.order_id, "%s", order);
    return entry;
}

static ledger_outcome post(ledger *ledger, ledger_kind kind, const char *key, const char *order,
                           int64_t cents, int64_t *answered_cents)
{
    ledger_entry entry = movement(kind, key, order, cents);
    ledger_outcome outcome = ledger_post(ledger, &entry);
    *answered_cents = entry.amount_cents;
    return outcome;
}

static void write_file(const char *text, const char *mode)
{
    FILE *file = fopen(path, mode);
    assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void assert_file(const char *expected)
{
    char text[1024];
    FILE *file = fopen(path, "r");
    assert(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    if (strcmp(text, expected) != 0) {
        fprintf(stderr, "the ledger holds\n%sexpected\n%s", text, expected);
        abort();
    }
}

static void a_key_moves_money_once_in_two_workers(void)
{
    write_file("", "w");
    ledger *one = ledger_open(path);
    ledger *two = ledger_open(path);
    int64_t cents;
    assert(post(one, LEDGER_CHARGE, "run/5", "order-1", 1250, &cents) == LEDGER_OK);
    assert(post(two, LEDGER_CHARGE, "run/5", "order-1", 1250, &cents) == LEDGER_OK);
    assert(cents == 1250);
    assert(post(two, LEDGER_CHARGE, "run/5", "order-1", 9, &cents) == LEDGER_KEY_REUSED);
    assert(post(two, LEDGER_REFUND, "run/9", "order-1", 1250, &cents) == LEDGER_OK);
    assert(post(one, LEDGER_REFUND, "run/9", "order-1", 1250, &cents) == LEDGER_OK);
    assert(cents == 1250);
    assert(post(one, LEDGER_REFUND, "run/5", "order-1", 1250, &cents) == LEDGER_KEY_REUSED);
    assert_file("charge run/5 order-1 1250\nrefund run/9 order-1 1250\n");
    ledger_close(one);
    ledger_close(two);
}

static void a_refund_that_comes_first_refuses_the_charge(void)
{
    write_file("", "w");
    ledger *ledger = ledger_open(path);
    int64_t cents;
    assert(post(ledger, LEDGER_REFUND, "run/9", "order-1", 1250, &cents) == LEDGER_OK);
    assert(cents == 0);
    assert(post(ledger, LEDGER_CHARGE, "run/5", "order-1", 1250, &cents) == LEDGER_ORDER_CLOSED);
    assert(post(ledger, LEDGER_REFUND, "run/9", "order-1", 1250, &cents) == LEDGER_OK);
    assert(cents == 0);
    assert_file("refund run/9 order-1 0\n");
    ledger_close(ledger);
}

static void a_torn_line_goes_and_a_foreign_file_stays(void)
{
    write_file("charge a order-1 5\ncharge b ord", "w");
    ledger *ledger = ledger_open(path);
    int64_t cents;
    assert(ledger != NULL);
    assert(post(ledger, LEDGER_CHARGE, "a", "order-1", 5, &cents) == LEDGER_OK);
    assert_file("charge a order-1 5\n");
    write_file("charge torn", "a");
    assert(post(ledger, LEDGER_CHARGE, "b", "order-2", 7, &cents) == LEDGER_OK);
    assert_file("charge a order-1 5\ncharge b order-2 7\n");
    ledger_close(ledger);

    write_file("Dear diary,\nno payments today\n", "w");
    assert(ledger_open(path) == NULL);
    assert_file("Dear diary,\nno payments today\n");
}

static void json_fields_are_found_or_refused(void)
{
    const char *json =
        " {\"card\" : \"4\\/\\\"2\", \"x\":null,\"amount_cents\": -17 ,\"s\":\"a,b\"}";
    char text[8];
    int64_t number;
    size_t size = strlen(json);
    assert(json_string_field(json, size, "card", text, sizeof text) && !strcmp(text, "4/\"2"));
    assert(json_string_field(json, size, "s", text, sizeof text) && !strcmp(text, "a,b"));
    assert(json_int_field(json, size, "amount_cents", &number) && number == -17);
    assert(!json_string_field(json, size, "card", text, 4));
    assert(!json_string_field(json, size, "none", text, sizeof text));
    assert(!json_int_field(json, size, "card", &number));
    assert(!json_int_field("{\"n\":1.5}", 9, "n", &number));
    assert(!json_int_field("{\"n\":9223372036854775808}", 25, "n", &number));
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = malloc(cut + 1); /* its own block, so that a read beyond it is seen */
        memcpy(copy, json, cut);
        json_string_field(copy, cut, "s", text, sizeof text);
        json_int_field(copy, cut, "amount_cents", &number);
        free(copy);
    }
}

int main(void)
{
    close(mkstemp(path));
    a_key_moves_money_once_in_two_workers();
    a_refund_that_comes_first_refuses_the_charge();
    a_torn_line_goes_and_a_foreign_file_stays();
    json_fields_are_found_or_refused();
    unlink(path);
    puts("payments: ok");
    return 0;
}
