import CHoldfast
import Glibc

/// libholdfast's worker, for as long as there is one: code of an activity may go on after its
/// worker has ended, and what it has to say then goes nowhere.
final class WorkerHandle: @unchecked Sendable {
  // Invariant: `worker` is freed only while `lock` is held for writing.
  private let lock: UnsafeMutablePointer<pthread_rwlock_t>
  private var worker: OpaquePointer?

  init(_ worker: OpaquePointer) {
    self.worker = worker
    lock = .allocate(capacity: 1)
    pthread_rwlock_init(lock, nil)
  }

  deinit {
    pthread_rwlock_destroy(lock)
    lock.deallocate()
  }

  /// nil: the worker has ended.
  func use<R>(_ body: (OpaquePointer) -> R) -> R? {
    pthread_rwlock_rdlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    return worker.map(body)
  }

  func free() {
    pthread_rwlock_wrlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    holdfast_worker_free(worker)
    worker = nil
  }
}
