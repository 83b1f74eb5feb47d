// The system's SQLite.
#ifndef HOLDFAST_CSQLITE_SHIM_H
#define HOLDFAST_CSQLITE_SHIM_H

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <errno.h>
#include <string.h>

// SQLITE_STATIC is a cast that Swift cannot import: the blob outlives the step.
static inline int holdfast_bind_static(sqlite3_stmt *statement, int index, const void *bytes,
                                       sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, count == 0 ? "" : bytes, count, SQLITE_STATIC);
}

static inline int holdfast_bind_text(sqlite3_stmt *statement, int index, const char *text,
                                     sqlite3_uint64 count) {
  return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// Whether the last close brings the log into the file; a variadic call, which Swift cannot make.
static inline void holdfast_checkpoint_on_close(sqlite3 *handle, int wanted) {
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !wanted, NULL);
}

static inline int holdfast_open_file(const char *path, int flags, int mode) {
  return open(path, flags, mode);
}

static inline int holdfast_open_file_at(int directory, const char *name, int flags, int mode) {
  return openat(directory, name, flags, mode);
}

// Gives a file its name unless something has that name (EEXIST).
static inline int holdfast_rename_new(int directory, const char *from, const char *to) {
  enum { NO_REPLACE = 1 };
  return (int)syscall(SYS_renameat2, directory, from, directory, to, NO_REPLACE);
}

// Waits until what was written to the file has been handed to its disk; it is not durable by that.
// A file system that cannot do it does nothing.
static inline void holdfast_write_out(int fd) {
#ifdef SYS_sync_file_range
  enum { WAIT_WRITE_WAIT = 7 };
  syscall(SYS_sync_file_range, fd, 0L, 0L, WAIT_WRITE_WAIT);
#else
  (void)fd;
#endif
}

#endif
