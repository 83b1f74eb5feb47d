import Glibc
import SQLiteStore

/// The thread of a backup's file, for as long as that backup takes: opening, syncing and renaming
/// may wait for a disk of which nothing is known, and neither the loop nor the store may.
final class BackupThread: @unchecked Sendable {
  enum Order: Sendable {
    /// Answered by `writtenOut`.
    case writeOut
    /// Answered by `ended`.
    case finish
    /// Answered by `ended`, with nil.
    case discard
  }

  enum Report: Sendable {
    /// The file is there and empty; its path for SQLite.
    case opened(String)
    case writtenOut
    /// The last report: the file's bytes; nil when it was discarded.
    case ended(Result<Int64?, BackupError>)
  }

  let orders = Mailbox<Order>()
  private let path: String
  private let overwrite: Bool
  private let store: String
  private let report: @Sendable (Report) -> Void
  private var thread = pthread_t()

  /// `report` is called from this thread.
  init(
    path: String, overwrite: Bool, store: String, report: @escaping @Sendable (Report) -> Void
  ) {
    self.path = path
    self.overwrite = overwrite
    self.store = store
    self.report = report
  }

  /// False if there can be no further thread.
  func start() -> Bool {
    let context = Unmanaged.passRetained(self).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<BackupThread>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    if code != 0 { Unmanaged<BackupThread>.fromOpaque(context).release() }
    return code == 0
  }

  /// Waits for its end; what is not finished is discarded.
  func stop() {
    orders.close()
    pthread_join(thread, nil)
  }

  private func run() {
    do throws(BackupError) {
      let file = try BackupFile(path: path, overwrite: overwrite, store: store)
      report(.opened(file.partialPath))
      report(.ended(.success(try serve(file))))
    } catch { report(.ended(.failure(error))) }
  }

  private func serve(_ file: BackupFile) throws(BackupError) -> Int64? {
    while let batch = orders.wait(ms: 60_000) {
      for order in batch {
        switch order {
        case .writeOut:
          file.writeOut()
          report(.writtenOut)
        case .finish: return try file.finish()
        case .discard:
          file.discard()
          return nil
        }
      }
    }
    file.discard()
    return nil
  }
}
