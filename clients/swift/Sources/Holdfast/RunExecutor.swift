import Basics
import Glibc

/// Runs the code of one workflow run, one job at a time and in the order in which jobs came.
///
/// It is the preferred executor of the run's tasks, so `async let`, task groups and cancellation
/// all stay on it, and the same history makes the same order. It has no thread: the worker's
/// workflow thread drives it while an activation is processed.
final class RunExecutor: TaskExecutor, @unchecked Sendable {
  // Invariant: `jobs` and `isForeign` are touched only while `mutex` is held: code that leaves the
  // executor against the rules comes back from another thread.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var jobs = Queue<UnownedJob>()
  private var driver: pthread_t?
  private var foreign = false

  init() {
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pthread_mutex_lock(mutex)
    if driver.map({ pthread_equal($0, pthread_self()) == 0 }) ?? true { foreign = true }
    jobs.append(job)
    pthread_mutex_unlock(mutex)
  }

  private func pop() -> UnownedJob? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return jobs.popFirst()
  }

  /// Lets `body` and what it starts enqueue jobs as the run's own.
  func driving<R>(_ body: () throws -> R) rethrows -> R {
    pthread_mutex_lock(mutex)
    driver = pthread_self()
    pthread_mutex_unlock(mutex)
    defer {
      pthread_mutex_lock(mutex)
      driver = nil
      pthread_mutex_unlock(mutex)
    }
    return try body()
  }

  /// Runs jobs until none is left, or `limit` have run; how many have run. Within `driving`.
  func drain(limit: Int = .max) -> Int {
    var count = 0
    while count < limit, let job = pop() {
      job.runSynchronously(on: asUnownedTaskExecutor())
      count += 1
    }
    return count
  }

  var isIdle: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return jobs.isEmpty
  }

  /// A job came from outside: the code awaited something that is not the workflow's.
  var hasLeftTheWorkflow: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return foreign
  }
}
