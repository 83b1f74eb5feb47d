/*
 * The payments ledger: a text file that only grows, one line per movement of money:
 *
 *     charge|refund <idempotency key> <order id> <amount in cents>
 *
 * A line is on disk before its movement is answered, and each key has at most one line. Any number
 * of workers, in any number of processes, may share one file.
 */
#ifndef PAYMENTS_LEDGER_H
#define PAYMENTS_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_KEY_BYTES_MAX = 255,
    LEDGER_ORDER_ID_BYTES_MAX = 63,
};

typedef enum ledger_kind {
    LEDGER_CHARGE,
    LEDGER_REFUND,
} ledger_kind;

typedef struct ledger_entry {
    ledger_kind kind;
    char key[LEDGER_KEY_BYTES_MAX + 1];
    char order_id[LEDGER_ORDER_ID_BYTES_MAX + 1];
    int64_t amount_cents;
} ledger_entry;

typedef enum ledger_outcome {
    LEDGER_OK,           /* the entry is in the file, from now or from before */
    LEDGER_KEY_REUSED,   /* the key stands for another movement */
    LEDGER_ORDER_CLOSED, /* a charge of an order whose refund is already in the file */
    LEDGER_IO_ERROR,     /* errno says why; nothing was answered, the same call may succeed later */
} ledger_outcome;

typedef struct ledger ledger;

/* Opens the ledger at `path`, made if missing, and reads it. NULL: errno says why. */
ledger *ledger_open(const char *path);

/* Closes the file and frees the ledger; NULL is fine. */
void ledger_close(ledger *ledger);

/* Puts a movement into the ledger, once per key: for a key that is there already, *entry becomes
 * what was recorded then. A refund takes the amount that the order still has charged, whatever
 * *entry says; 0 closes the order against a charge that arrives late. Thread-safe. */
ledger_outcome ledger_post(ledger *ledger, ledger_entry *entry);

/* Tells whether `word` may stand in a line: not empty, printable ASCII without spaces. */
bool ledger_is_word(const char *word);

#endif
