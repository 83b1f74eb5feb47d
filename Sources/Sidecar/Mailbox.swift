import Glibc

/// Values from one thread to another.
final class Mailbox<Value: Sendable>: @unchecked Sendable {
  // Invariant: `values` and `isClosed` are touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var values: [Value] = []
  private var isClosed = false

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

  /// Takes everything that is there, without waiting.
  func takeAll() -> [Value] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let taken = values
    values = []
    return taken
  }

  /// Waits for values, at most so many milliseconds; empty when the time has passed, nil when the
  /// mailbox was closed and is empty.
  func wait(ms: Int) -> [Value]? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if values.isEmpty && !isClosed {
      var until = timespec()
      clock_gettime(CLOCK_REALTIME, &until)
      let ns = until.tv_nsec + ms % 1_000 * 1_000_000
      until.tv_sec += ms / 1_000 + ns / 1_000_000_000
      until.tv_nsec = ns % 1_000_000_000
      while values.isEmpty && !isClosed {
        if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT { break }
      }
    }
    if values.isEmpty && isClosed { return nil }
    let taken = values
    values = []
    return taken
  }

  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }
}
