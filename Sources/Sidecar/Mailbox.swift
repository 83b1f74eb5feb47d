import Glibc

/// Values from one thread to another.
final class Mailbox<Value: Sendable>: @unchecked Sendable {
  // Invariant: all that changes is touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var values: [Value] = []
  private var isClosed = false
  private var isAwaited = false
  private var isPaused = false
  /// Since the wait began, or began anew.
  private var wasPaused = false

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    condition.deallocate()
  }

  func put(_ value: Value) {
    pthread_mutex_lock(mutex)
    values.append(value)
    pthread_mutex_unlock(mutex)
    // Afterwards, or who wakes up would have to wait once more.
    pthread_cond_signal(condition)
  }

  var isEmpty: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return values.isEmpty
  }

  /// Takes everything that is there, without waiting.
  func takeAll() -> [Value] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let taken = values
    values = []
    return taken
  }

  /// Waits for values, at most so many milliseconds, which a pause begins anew; empty when the time
  /// has passed, nil when the mailbox was closed and is empty.
  func wait(ms: Int) -> [Value]? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    (isAwaited, wasPaused) = (true, false)
    defer { isAwaited = false }
    var until = Mailbox.time(inMs: ms)
    while isPaused || (values.isEmpty && !isClosed) {
      guard pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT else { continue }
      guard isPaused || wasPaused else { break }
      wasPaused = isPaused
      until = Mailbox.time(inMs: ms)
    }
    if values.isEmpty && isClosed { return nil }
    let taken = values
    values = []
    return taken
  }

  private static func time(inMs ms: Int) -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let ns = time.tv_nsec + ms % 1_000 * 1_000_000
    time.tv_sec += ms / 1_000 + ns / 1_000_000_000
    time.tv_nsec = ns % 1_000_000_000
    return time
  }

  /// True when the thread that takes the values waits and there are none: it waits on until
  /// `resume`, and the caller may do meanwhile what is that thread's to do.
  func pause() -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard isAwaited, values.isEmpty, !isClosed else { return false }
    isPaused = true
    wasPaused = true
    return true
  }

  func resume() {
    pthread_mutex_lock(mutex)
    isPaused = false
    let hasCome = !values.isEmpty
    pthread_mutex_unlock(mutex)
    if hasCome { pthread_cond_signal(condition) }
  }

  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }
}
