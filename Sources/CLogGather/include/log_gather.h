// A VFS of SQLite that gathers what is written to the write-ahead log.
//
// SQLite writes each page of a commit in two calls, its header and the page, one behind the other.
// Here they are kept until the log is synced, or read, or until they fill a buffer, and go to the
// VFS below in one call. So a commit costs one write, however many pages it has. Files that are no
// logs are those of the VFS below.
//
// SQLite reads a commit only after the log's sync, and counts an error of a sync like one of a
// write: so that something was written is told no earlier than it is true, and a full disk comes as
// SQLITE_FULL, from the sync.
//
// A log is used by one thread at a time, as SQLite does.
#ifndef HOLDFAST_LOG_GATHER_H
#define HOLDFAST_LOG_GATHER_H

struct log_gather;

// Registers a VFS over that of this name, the process's usual one if NULL; NULL when there is none
// of that name, or no memory.
struct log_gather *log_gather_new(const char *below);

// The name of the VFS; its own, for as long as it lives.
const char *log_gather_name(const struct log_gather *gather);

// Unregisters and frees it; no connection may be open on it. NULL is allowed.
void log_gather_free(struct log_gather *gather);

#endif
