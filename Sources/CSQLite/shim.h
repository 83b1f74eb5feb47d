// The system's SQLite.
#ifndef HOLDFAST_CSQLITE_SHIM_H
#define HOLDFAST_CSQLITE_SHIM_H

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
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

// The size of the write-ahead log as the connection's VFS tells it; 0 when there is none.
static inline sqlite3_int64 holdfast_wal_bytes(sqlite3 *handle) {
  sqlite3_file *log = NULL;
  sqlite3_int64 bytes = 0;
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
      log == NULL || log->pMethods == NULL || log->pMethods->xFileSize(log, &bytes) != SQLITE_OK)
    return 0;
  return bytes;
}

static inline int holdfast_open_file(const char *path, int flags, int mode) {
  return open(path, flags, mode);
}

#endif
