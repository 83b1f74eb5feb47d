import SQLiteStore
import Shell
import UVLoop

/// A backup under way, as the store's thread sees it: it copies pages between two commits, and
/// leaves to the file's own thread what may take long.
final class BackupWork {
  private enum State {
    /// Can transition to: copying, ending.
    case opening
    /// Can transition to: finishing, ending.
    case copying(Backup)
    /// The file gets its name.
    case finishing(pages: Int64)
    /// The file is being removed.
    case ending(BackupFault, String)
  }

  private let store: Store
  private let path: String
  private let file: BackupThread
  private let hasThread: Bool
  private var state = State.opening
  /// Copied since the file's thread was last told to bring it to the disk, which it may be doing.
  private var freshPages: Int64 = 0
  private var isWritingOut = false
  private var restUntilUs: Int64 = 0
  private var toldUs: Int64 = 0

  /// 512 KiB. The copy is at most twice as far ahead of its disk, so that a slow one holds up the
  /// copy and not, by the kernel's bounds on unwritten pages, the store's thread; and so that a
  /// commit, where it shares the disk, waits for little.
  private static let freshPagesMax: Int64 = 128
  /// While there is other work a step is followed by so many times its time without one.
  private static let restShare: Int64 = 4
  private static let progressUs: Int64 = 100_000

  /// `report`: takes what the file's thread has to say to `take`, from that thread.
  init(
    _ store: Store, path: String, overwrite: Bool,
    report: @escaping @Sendable (BackupThread.Report) -> Void
  ) {
    self.store = store
    self.path = path
    file = BackupThread(path: path, overwrite: overwrite, store: store.path, report: report)
    hasThread = file.start()
    if !hasThread { report(.ended(.failure(.failed("no further thread can be started")))) }
  }

  /// For how many milliseconds the store's thread may wait for other work; nil: as long as it
  /// wants, since nothing can be copied until the disk has kept up.
  var patienceMs: Int? {
    guard case .copying = state, !isWritingOut || freshPages < BackupWork.freshPagesMax
    else { return nil }
    return restUntilUs > Clocks.monotonicUs ? 1 : 0
  }

  /// Copies some pages; at times there is news of it. `isBusy`: other work has come meanwhile.
  func copy(isBusy: Bool) -> BackupNews? {
    guard case .copying(let copy) = state, patienceMs == 0 || (patienceMs == 1 && !isBusy)
    else { return nil }
    let before = copy.pagesDone
    let beganUs = Clocks.monotonicUs
    do throws(StoreError) {
      if try copy.step() {
        state = .finishing(pages: copy.pagesTotal)
        file.orders.put(.finish)
        return nil
      }
    } catch {
      cancel(.failed, error.description)
      return nil
    }
    freshPages += max(0, copy.pagesDone - before)
    if freshPages >= BackupWork.freshPagesMax, !isWritingOut {
      freshPages = 0
      isWritingOut = true
      file.orders.put(.writeOut)
    }
    let now = Clocks.monotonicUs
    restUntilUs = isBusy ? now + BackupWork.restShare * (now - beganUs) : 0
    guard now - toldUs >= BackupWork.progressUs else { return nil }
    toldUs = now
    return .copied(pages: copy.pagesDone, of: copy.pagesTotal)
  }

  /// Ends it, unless its file is already about to get its name.
  func cancel(_ fault: BackupFault, _ text: String) {
    switch state {
    case .opening, .copying:
      // First the connection to the file is closed, then the file goes.
      state = .ending(fault, text)
      file.orders.put(.discard)
    case .finishing, .ending: break
    }
  }

  /// What the file's thread tells; the end, if that is it.
  func take(_ report: BackupThread.Report) -> BackupNews? {
    switch report {
    case .opened(let partial):
      guard case .opening = state else { return nil }
      do throws(StoreError) {
        state = .copying(try store.backup(into: partial))
      } catch { cancel(.failed, error.description) }
      return nil
    case .writtenOut:
      isWritingOut = false
      return nil
    case .ended(let result): return ended(result)
    }
  }

  private func ended(_ result: Result<Int64?, BackupError>) -> BackupNews {
    if case .ending(let fault, let text) = state { return .failed(fault, text) }
    switch result {
    case .success(let bytes):
      guard case .finishing(let pages) = state, let bytes else {
        preconditionFailure("the file of a backup ends by itself")
      }
      return .done(bytes: bytes, pages: pages)
    case .failure(let error):
      switch error {
      case .exists(let text): return .failed(.exists, text)
      case .refused(let text): return .failed(.refused, text)
      case .full(let text), .failed(let text): return .failed(.failed, text)
      }
    }
  }

  /// The thread of the file is waited for; what is not finished goes.
  func end() {
    if case .copying = state { cancel(.cancelled, "the engine ends") }
    if hasThread { file.stop() }
  }
}
