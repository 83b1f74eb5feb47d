import CSQLite

/// The one connection to the store's file.
final class Database {
  let handle: OpaquePointer
  let path: String
  /// What its log goes through, if anything; it must outlive the handle.
  private let gather: LogGather?
  /// Pages in the write-ahead log, as the last commit told.
  var logPages = 0

  /// Opens the file of a store, and makes it if there is none; its log is written with one call for
  /// each commit. `vfs` nil: the system's files.
  convenience init(storeAt path: String, vfs: String?) throws(StoreError) {
    try self.init(
      name: path, path: path, gather: LogGather(over: vfs),
      flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_CREATE)
  }

  /// Opens the file, and makes it if `create`; `vfs` nil: the system's files. `also`: further flags
  /// of `sqlite3_open_v2`.
  convenience init(
    path: String, create: Bool, vfs: String? = nil, also: Int32 = 0
  ) throws(StoreError) {
    try self.init(
      name: path, path: path, vfs: vfs,
      flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0)
        | also)
  }

  /// `name`: the path as SQLite is told it.
  init(
    name: String, path: String, vfs: String? = nil, gather: LogGather? = nil, flags: Int32
  ) throws(StoreError) {
    self.path = path
    self.gather = gather
    var connection: OpaquePointer?
    let code = sqlite3_open_v2(name, &connection, flags, gather?.name ?? vfs)
    guard let connection else { throw .system(path: path, what: "out of memory") }
    handle = connection
    guard code == SQLITE_OK else {
      // `deinit` closes it: every field is set.
      throw .system(path: path, what: String(cString: sqlite3_errmsg(connection)))
    }
    sqlite3_extended_result_codes(handle, 1)
  }

  /// Counts the log's pages from now on, instead of SQLite's own checkpoints, whose errors would
  /// not be told. (`PRAGMA wal_autocheckpoint` would take the hook away again.)
  func watchLog() {
    // Unretained: it ends with the connection.
    sqlite3_wal_hook(
      handle,
      { context, _, _, pages in
        guard let context else { return SQLITE_OK }
        Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().logPages = Int(pages)
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { sqlite3_close(handle) }

  /// What the last failed call means. Outside of a commit every failure but a full disk ends the
  /// process too: SQLite rolls back by itself after some of them.
  func error(_ what: String) -> StoreError {
    let code = sqlite3_extended_errcode(handle)
    let text = "\(what): \(String(cString: sqlite3_errmsg(handle))) (\(code))"
    switch code & 0xFF {
    case SQLITE_FULL: return .full(path: path)
    case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt(path: path, what: text)
    case SQLITE_BUSY, SQLITE_LOCKED: return .inUse(path: path)
    default: return .unknownOutcome(path: path, what: text)
    }
  }

  func execute(_ sql: String) throws(StoreError) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw error(sql) }
  }

  func query(_ sql: String) throws(StoreError) -> Int64 {
    let statement = try Statement(self, sql)
    return try statement.step() ? statement.int(0) : 0
  }

  func queryText(_ sql: String) throws(StoreError) -> String {
    let statement = try Statement(self, sql)
    return try statement.step() ? statement.text(0) : ""
  }
}
