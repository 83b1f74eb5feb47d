#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* flock */

#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_BYTES_MAX = 512, /* kind, key, order id and amount at their longest, with room */
};

/* What the file held when it was last read. Searched from front to back: an example's ledger has a
 * few hundred lines, a real one would have an index. */
struct ledger {
    pthread_mutex_t mutex; /* over all below, and over the flock, which is the process's */
    int fd;
    off_t read_to; /* every byte before this one belongs to a line in `entries` */
    ledger_entry *entries;
    size_t count;
    size_t capacity;
};

bool ledger_is_word(const char *word)
{
    if (*word == '\0') {
        return false;
    }
    for (; *word != '\0'; word++) {
        if (*word <= ' ' || *word > '~') {
            return false;
        }
    }
    return true;
}

static bool parse_line(const char *line, ledger_entry *entry)
{
    char kind[8];
    char end;
    if (sscanf(line, "%7s %255s %63s %" SCNd64 "%c", kind, entry->key, entry->order_id,
               &entry->amount_cents, &end) != 4) {
        return false;
    }
    entry->kind = strcmp(kind, "charge") == 0 ? LEDGER_CHARGE : LEDGER_REFUND;
    return entry->kind == LEDGER_CHARGE || strcmp(kind, "refund") == 0;
}

static bool keep(ledger *ledger, const ledger_entry *entry)
{
    if (ledger->count == ledger->capacity) {
        size_t capacity = ledger->capacity == 0 ? 256 : ledger->capacity * 2;
        ledger_entry *grown = realloc(ledger->entries, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        ledger->entries = grown;
        ledger->capacity = capacity;
    }
    ledger->entries[ledger->count++] = *entry;
    return true;
}

/* Reads the next whole line at read_to. 1: read, 0: none, -1: error. */
static int read_line(ledger *ledger)
{
    char line[LINE_BYTES_MAX + 1];
    ssize_t size;
    do {
        size = pread(ledger->fd, line, LINE_BYTES_MAX, ledger->read_to);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) {
        return (int)size;
    }
    line[size] = '\0';
    char *newline = memchr(line, '\n', (size_t)size);
    if (newline == NULL && size < LINE_BYTES_MAX) {
        /* The torn end of a writer that was killed; it never answered. We hold the lock, so nobody
         * is writing it now. */
        return ftruncate(ledger->fd, ledger->read_to) < 0 ? -1 : 0;
    }
    ledger_entry entry;
    if (newline != NULL) {
        *newline = '\0';
    }
    if (newline == NULL || !parse_line(line, &entry)) {
        errno = EILSEQ; /* not a ledger: touch nothing */
        return -1;
    }
    if (!keep(ledger, &entry)) {
        return -1;
    }
    ledger->read_to += newline - line + 1;
    return 1;
}

/* Reads what other workers have written since. Called with the file locked. */
static bool catch_up(ledger *ledger)
{
    int step;
    do {
        step = read_line(ledger);
    } while (step > 0);
    return step == 0;
}

static bool append(ledger *ledger, const ledger_entry *entry)
{
    char line[LINE_BYTES_MAX];
    int size = snprintf(line, sizeof line, "%s %s %s %" PRId64 "\n",
                        entry->kind == LEDGER_CHARGE ? "charge" : "refund", entry->key,
                        entry->order_id, entry->amount_cents);
    ssize_t written = pwrite(ledger->fd, line, (size_t)size, ledger->read_to);
    if (written != size) {
        int reason = written < 0 ? errno : ENOSPC;
        /* If this fails too, the torn line goes when the ledger is next read. */
        (void)!ftruncate(ledger->fd, ledger->read_to);
        errno = reason;
        return false;
    }
    if (!keep(ledger, entry)) {
        return false;
    }
    ledger->read_to += size;
    return true;
}

static const ledger_entry *find_key(const ledger *ledger, const char *key)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->entries[i].key, key) == 0) {
            return &ledger->entries[i];
        }
    }
    return NULL;
}

/* Sums up an order: what is charged and not refunded, and whether a refund was ever asked for. */
static int64_t balance(const ledger *ledger, const char *order_id, bool *closed)
{
    int64_t cents = 0;
    *closed = false;
    for (size_t i = 0; i < ledger->count; i++) {
        const ledger_entry *entry = &ledger->entries[i];
        if (strcmp(entry->order_id, order_id) == 0) {
            cents += entry->kind == LEDGER_CHARGE ? entry->amount_cents : -entry->amount_cents;
            *closed = *closed || entry->kind == LEDGER_REFUND;
        }
    }
    return cents;
}

static bool same_movement(const ledger_entry *before, const ledger_entry *asked)
{
    return before->kind == asked->kind && strcmp(before->order_id, asked->order_id) == 0 &&
           (asked->kind == LEDGER_REFUND || before->amount_cents == asked->amount_cents);
}

static ledger_outcome post_locked(ledger *ledger, ledger_entry *entry)
{
    if (!catch_up(ledger)) {
        return LEDGER_IO_ERROR;
    }
    const ledger_entry *before = find_key(ledger, entry->key);
    if (before == NULL) {
        bool closed;
        int64_t charged_cents = balance(ledger, entry->order_id, &closed);
        if (entry->kind == LEDGER_CHARGE && closed) {
            return LEDGER_ORDER_CLOSED;
        }
        if (entry->kind == LEDGER_REFUND) {
            entry->amount_cents = charged_cents;
        }
        if (!append(ledger, entry)) {
            return LEDGER_IO_ERROR;
        }
    } else {
        if (!same_movement(before, entry)) {
            return LEDGER_KEY_REUSED;
        }
        *entry = *before;
    }
    /* Also for a line from before: whoever wrote it may have been killed before its own sync. */
    return fdatasync(ledger->fd) == 0 ? LEDGER_OK : LEDGER_IO_ERROR;
}

static bool lock_file(ledger *ledger)
{
    int status;
    do {
        status = flock(ledger->fd, LOCK_EX);
    } while (status < 0 && errno == EINTR);
    return status == 0;
}

ledger_outcome ledger_post(ledger *ledger, ledger_entry *entry)
{
    ledger_outcome outcome = LEDGER_IO_ERROR;
    pthread_mutex_lock(&ledger->mutex);
    if (lock_file(ledger)) {
        outcome = post_locked(ledger, entry);
        int reason = errno;
        flock(ledger->fd, LOCK_UN);
        errno = reason;
    }
    pthread_mutex_unlock(&ledger->mutex);
    return outcome;
}

/* A new file's name is durable only once its directory is. */
static bool sync_directory(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        return false;
    }
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) {
        return false;
    }
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

ledger *ledger_open(const char *path)
{
    ledger *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return NULL;
    }
    pthread_mutex_init(&opened->mutex, NULL);
    opened->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ready = opened->fd >= 0 && sync_directory(path) && lock_file(opened);
    if (ready) {
        ready = catch_up(opened);
        int reason = errno;
        flock(opened->fd, LOCK_UN);
        errno = reason;
    }
    if (!ready) {
        int reason = errno;
        ledger_close(opened);
        errno = reason;
        return NULL;
    }
    return opened;
}

void ledger_close(ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    if (ledger->fd >= 0) {
        close(ledger->fd);
    }
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger->entries);
    free(ledger);
}
