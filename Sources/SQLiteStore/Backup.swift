import CSQLite

/// A copy of the store that is made while commits go on: some pages at a time, between two commits.
///
/// Commits go through the same connection, so SQLite writes what they change into the copy too,
/// where that was copied already. What the copy holds at the last step is therefore what the store
/// holds then: all commits up to it, and nothing of a later one.
public final class Backup {
  private let handle: OpaquePointer
  private let store: Store
  /// Must be closed after `handle` was finished.
  private let copy: Database
  private var pages: Int32 = 8

  /// A step that takes longer is followed by a shorter one.
  private static let stepUs: Int64 = 250
  private static let pagesMax: Int32 = 128

  /// `path`: of a file that is there and empty.
  fileprivate init(of store: Store, into path: String) throws(StoreError) {
    self.store = store
    copy = try Database(
      path: path, create: store.options.vfs != nil, vfs: store.options.vfs ?? "unix-none",
      also: SQLITE_OPEN_NOFOLLOW)
    // Until it is whole the file counts for nothing, and who made it syncs it then. The cache is
    // small: what it holds is written out in one go by the last step.
    try copy.execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
        + "PRAGMA temp_store = MEMORY; PRAGMA cache_size = 32")
    guard let handle = sqlite3_backup_init(copy.handle, "main", store.database.handle, "main")
    else { throw copy.error("backup") }
    self.handle = handle
  }

  deinit { sqlite3_backup_finish(handle) }

  public var pagesTotal: Int64 { Int64(sqlite3_backup_pagecount(handle)) }
  public var pagesDone: Int64 { pagesTotal - Int64(sqlite3_backup_remaining(handle)) }

  /// Copies as many pages as take a quarter of a millisecond; true once the copy is whole. An error
  /// is one of the copy alone: the store goes on.
  public func step() throws(StoreError) -> Bool {
    let began = Store.monotonicUs
    let isWhole = try step(pages: pages)
    let us = Store.monotonicUs - began
    store.counters.backupStepUsMax = max(store.counters.backupStepUsMax, us)
    if us > Backup.stepUs {
      pages = max(1, pages / 2)
    } else if us < Backup.stepUs / 2 {
      pages = min(Backup.pagesMax, pages * 2)
    }
    return isWhole
  }

  public func step(pages: Int32) throws(StoreError) -> Bool {
    let code = sqlite3_backup_step(handle, pages)
    switch code & 0xFF {
    case SQLITE_OK: return false
    case SQLITE_DONE:
      store.counters.backups += 1
      return true
    case SQLITE_FULL: throw .full(path: copy.path)
    default:
      throw .system(path: copy.path, what: "backup: \(String(cString: sqlite3_errstr(code)))")
    }
  }
}

extension Store {
  /// Begins a copy into an empty file of that path.
  public func backup(into path: String) throws(StoreError) -> Backup {
    try Backup(of: self, into: path)
  }
}
