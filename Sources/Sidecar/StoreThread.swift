import EngineCore
import Glibc
import SQLiteStore
import Shell
import UVLoop

/// The thread that owns the store: it commits one batch at a time, and serves loads before it
/// begins the next one. While it has nothing to do, the loop's thread may commit in its place.
final class StoreThread: @unchecked Sendable {
  enum Order: Sendable {
    case commit([Write])
    case load(Load)
    /// What was committed in the thread's place has made the log large.
    case checkpoint
    case backup(BackupOrder)
    /// Of the thread of the backup's file.
    case file(BackupThread.Report)
  }

  enum Answer: Sendable {
    /// The batch is durable; how long that took, and the store's counters.
    case persisted(us: Int64, StoreCounters)
    case loaded(Loaded)
    case diskFull(Bool)
    case backup(BackupNews, StoreCounters)
    /// The outcome of a commit, a checkpoint or a read is unknown: the process must end.
    case failed(String)
  }

  let orders = Mailbox<Order>()
  let answers = Mailbox<Answer>()
  // Used by the store's thread, or while its orders are paused.
  private let store: Store
  private let wake: @Sendable () -> Void
  private var isFull = false
  /// The disk was full for the batch that comes next, in a commit in the thread's place.
  private var lacksRoom = false
  private var backup: BackupWork?
  private var hasWorked = true
  private var lastLookUs: Int64 = 0
  private var thread = pthread_t()

  /// Of the loop's thread.
  private(set) var commitsInPlace: Int64 = 0

  private static let diskIsFull = "the engine's own disk is full"

  /// `wake` is called from the store's thread after each answer.
  init(_ store: Store, wake: @escaping @Sendable () -> Void) {
    self.store = store
    self.wake = wake
  }

  func start() {
    // Without its ballast it could not go on when the disk is full: it begins as if it were.
    isFull = !store.restoreBallast()
    if isFull { tell(.diskFull(true)) }
    let context = Unmanaged.passRetained(self).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<StoreThread>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    precondition(
      code == 0, "the store's thread cannot be started: \(String(cString: strerror(code)))")
  }

  /// Lets what was ordered finish, and ends the thread; no answer and no wakeup follows.
  func stop() {
    orders.close()
    pthread_join(thread, nil)
  }

  /// Commits at once, on the caller's thread; nil: that cannot be, it is to be ordered. To hand a
  /// small batch to another thread, and its answer back, takes longer than to write it.
  func commitHere(_ writes: [Write]) -> Answer? {
    guard orders.pause() else { return nil }
    let answer = commitIfUsual(writes)
    let isLogLarge = store.isCheckpointDue
    orders.resume()
    if case .persisted = answer { commitsInPlace += 1 }
    if isLogLarge { orders.put(.checkpoint) }
    return answer
  }

  private func commitIfUsual(_ writes: [Write]) -> Answer? {
    // What was read before this commit is taken before it: the engine counts on that order.
    guard backup == nil, !isFull, answers.isEmpty else { return nil }
    hasWorked = true
    do throws(StoreError) {
      let began = Clocks.monotonicUs
      if try fits(writes) { return .persisted(us: Clocks.monotonicUs - began, store.counters) }
      // The thread, which gets the batch, makes room before it tries again.
      lacksRoom = true
      return nil
    } catch {
      return .failed(error.description)
    }
  }

  private func run() {
    while let batch = orders.wait(ms: backup?.patienceMs ?? (isFull ? 100 : 1_000)) {
      do throws(StoreError) {
        if !batch.isEmpty { hasWorked = true } else if backup == nil { try rest() }
        for case .load(let load) in batch { try serve(load) }
        for case .commit(let writes) in batch { try commit(writes) }
        for case .checkpoint in batch { try store.checkpointIfNeeded(isIdle: false) }
        for order in batch { take(order) }
        tell(backup?.copy(isBusy: !batch.isEmpty))
        regainSpace()
      } catch {
        tell(.failed(error.description))
        break
      }
    }
    backup?.end()
  }

  /// What an order means for the backup.
  private func take(_ order: Order) {
    switch order {
    case .commit, .load, .checkpoint: break
    case .backup(.begin(let path, let overwrite)):
      precondition(backup == nil, "a second backup while one is under way")
      backup = BackupWork(store, path: path, overwrite: overwrite) { [orders] in
        orders.put(.file($0))
      }
      if isFull { backup?.cancel(.failed, StoreThread.diskIsFull) }
    case .backup(.cancel): backup?.cancel(.cancelled, "the backup was given up")
    case .file(let report): tell(backup?.take(report))
    }
  }

  private func tell(_ news: BackupNews?) {
    guard let news else { return }
    switch news {
    case .copied: break
    case .done, .failed:
      backup?.end()
      backup = nil
    }
    tell(.backup(news, store.counters))
  }

  private func tell(_ answer: Answer) {
    answers.put(answer)
    wake()
  }

  private func serve(_ load: Load) throws(StoreError) {
    tell(.loaded(try store.load(load)))
  }

  private func commit(_ writes: [Write]) throws(StoreError) {
    let began = Clocks.monotonicUs
    while try !fits(writes) { try waitForSpace() }
    tell(.persisted(us: Clocks.monotonicUs - began, store.counters))
    try store.checkpointIfNeeded(isIdle: false)
  }

  /// Commits; false when the disk is full: nothing was applied.
  private func fits(_ writes: [Write]) throws(StoreError) -> Bool {
    if lacksRoom {
      lacksRoom = false
      return false
    }
    do throws(StoreError) {
      try store.commit(writes)
      return true
    } catch {
      guard case .full = error else { throw error }
      return false
    }
  }

  /// The disk is full: the ballast makes room; without one, loads go on while we wait.
  private func waitForSpace() throws(StoreError) {
    if !isFull {
      isFull = true
      tell(.diskFull(true))
      // What it has taken may be what is missing.
      backup?.cancel(.failed, StoreThread.diskIsFull)
    }
    lastLookUs = Clocks.monotonicUs
    if store.freeBallast() { return }
    for order in orders.wait(ms: 100) ?? [] {
      switch order {
      case .load(let load): try serve(load)
      case .commit: preconditionFailure("a second batch while one is with the store")
      case .checkpoint: break  // The next commit sees to it.
      case .backup, .file: take(order)
      }
    }
  }

  /// Nothing to do for a while.
  private func rest() throws(StoreError) {
    try store.checkpointIfNeeded(isIdle: true)
    guard hasWorked else { return }
    hasWorked = false
    ProcessMemory.giveBack()
  }

  /// After a full disk: starts are taken again once the ballast has its space back. Busy or not, it
  /// is looked for ten times a second.
  private func regainSpace() {
    guard isFull, Clocks.monotonicUs - lastLookUs >= 100_000 else { return }
    lastLookUs = Clocks.monotonicUs
    guard store.restoreBallast() else { return }
    isFull = false
    tell(.diskFull(false))
  }
}
