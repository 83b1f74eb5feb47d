import CLogGather

/// The owner of a VFS that writes each commit to the log with one call; see `log_gather.h`.
final class LogGather {
  private let gather: OpaquePointer
  /// Of its VFS.
  let name: String

  /// Over the VFS of this name; nil: over the machine's files.
  init(over below: String?) throws(StoreError) {
    guard let gather = log_gather_new(below) else {
      throw .system(path: below ?? "its log", what: "no such VFS of SQLite, or no memory for one")
    }
    self.gather = gather
    name = String(cString: log_gather_name(gather))
  }

  /// No database may be open on it any more.
  deinit { log_gather_free(gather) }
}
