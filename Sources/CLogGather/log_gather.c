#include "log_gather.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Fifteen pages with their headers; a batch with more takes a write for each so many.
enum { CAPACITY = 64 * 1024 };

struct log_gather {
    // A copy of the VFS below with another xOpen and name: its other functions find here what they
    // find there.
    sqlite3_vfs vfs;
    sqlite3_vfs *below;
    char name[64];
};

struct log_file {
    sqlite3_file base;
    // What is not written yet: so many bytes for this place.
    int count;
    sqlite3_int64 offset;
    unsigned char *bytes;
};

// SQLite gives the memory for both files: the one below lies behind this one.
static sqlite3_file *below(struct log_file *log)
{
    return (sqlite3_file *)(log + 1);
}

// What could not be written is forgotten: SQLite rolls back, and writes over its place.
static int write_out(struct log_file *log)
{
    int count = log->count;
    if (count == 0)
        return SQLITE_OK;
    log->count = 0;
    return below(log)->pMethods->xWrite(below(log), log->bytes, count, log->offset);
}

static int close_log(sqlite3_file *base)
{
    struct log_file *log = (struct log_file *)base;
    int written = write_out(log);
    int closed = below(log)->pMethods->xClose(below(log));
    sqlite3_free(log->bytes);
    return written != SQLITE_OK ? written : closed;
}

static int read_log(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset)
{
    struct log_file *log = (struct log_file *)base;
    int written = write_out(log);
    if (written != SQLITE_OK)
        return written;
    return below(log)->pMethods->xRead(below(log), bytes, count, offset);
}

static int write_log(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    struct log_file *log = (struct log_file *)base;
    if (offset != log->offset + log->count || count > CAPACITY - log->count) {
        int written = write_out(log);
        if (written != SQLITE_OK)
            return written;
    }
    if (count > CAPACITY)
        return below(log)->pMethods->xWrite(below(log), bytes, count, offset);
    if (log->count == 0)
        log->offset = offset;
    memcpy(log->bytes + log->count, bytes, (size_t)count);
    log->count += count;
    return SQLITE_OK;
}

static int truncate_log(sqlite3_file *base, sqlite3_int64 length)
{
    struct log_file *log = (struct log_file *)base;
    int written = write_out(log);
    if (written != SQLITE_OK)
        return written;
    return below(log)->pMethods->xTruncate(below(log), length);
}

static int sync_log(sqlite3_file *base, int flags)
{
    struct log_file *log = (struct log_file *)base;
    int written = write_out(log);
    if (written != SQLITE_OK)
        return written;
    return below(log)->pMethods->xSync(below(log), flags);
}

static int log_size(sqlite3_file *base, sqlite3_int64 *length)
{
    struct log_file *log = (struct log_file *)base;
    int written = write_out(log);
    if (written != SQLITE_OK)
        return written;
    return below(log)->pMethods->xFileSize(below(log), length);
}

// MARK: what is not about the content

static int lock_log(sqlite3_file *base, int level)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xLock(below(log), level);
}

static int unlock_log(sqlite3_file *base, int level)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xUnlock(below(log), level);
}

static int check_reserved(sqlite3_file *base, int *is_locked)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xCheckReservedLock(below(log), is_locked);
}

static int control(sqlite3_file *base, int operation, void *argument)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xFileControl(below(log), operation, argument);
}

static int sector_size(sqlite3_file *base)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xSectorSize(below(log));
}

static int characteristics(sqlite3_file *base)
{
    struct log_file *log = (struct log_file *)base;
    return below(log)->pMethods->xDeviceCharacteristics(below(log));
}

// A log is not mapped, and its index is not its own.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_log,
    .xRead = read_log,
    .xWrite = write_log,
    .xTruncate = truncate_log,
    .xSync = sync_log,
    .xFileSize = log_size,
    .xLock = lock_log,
    .xUnlock = unlock_log,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

// MARK: the VFS

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *got)
{
    struct log_gather *gather = (struct log_gather *)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return gather->below->xOpen(gather->below, name, base, flags, got);
    struct log_file *log = (struct log_file *)base;
    memset(log, 0, sizeof *log);
    log->bytes = sqlite3_malloc(CAPACITY);
    if (log->bytes == NULL)
        return SQLITE_NOMEM;
    int code = gather->below->xOpen(gather->below, name, below(log), flags, got);
    if (code == SQLITE_OK) {
        log->base.pMethods = &methods;
        return SQLITE_OK;
    }
    // It is not closed: it has no methods.
    if (below(log)->pMethods != NULL)
        below(log)->pMethods->xClose(below(log));
    sqlite3_free(log->bytes);
    return code;
}

struct log_gather *log_gather_new(const char *name)
{
    sqlite3_vfs *below = sqlite3_vfs_find(name);
    struct log_gather *gather = below != NULL ? malloc(sizeof *gather) : NULL;
    if (gather == NULL)
        return NULL;
    gather->below = below;
    gather->vfs = *below;
    gather->vfs.pNext = NULL;
    gather->vfs.szOsFile = (int)sizeof(struct log_file) + below->szOsFile;
    gather->vfs.zName = gather->name;
    gather->vfs.xOpen = open_file;
    // No two of a process are at one address.
    snprintf(gather->name, sizeof gather->name, "gather-%p", (void *)gather);
    sqlite3_vfs_register(&gather->vfs, 0);
    return gather;
}

const char *log_gather_name(const struct log_gather *gather)
{
    return gather->name;
}

void log_gather_free(struct log_gather *gather)
{
    if (gather == NULL)
        return;
    sqlite3_vfs_unregister(&gather->vfs);
    free(gather);
}
