import Glibc
import Holdfast

/// A worker that runs on a thread of its own, since `Worker.run` keeps the one that calls it.
final class WorkerThread: Sendable {
  private let worker: Worker
  private let ended: Task<Void, any Error>

  init(_ worker: Worker) {
    self.worker = worker
    ended = Task {
      try await withCheckedThrowingContinuation { continuation in
        let start = Unmanaged.passRetained(Start(worker, continuation))
        var thread = pthread_t()
        pthread_create(
          &thread, nil,
          { context in
            guard let context else { return nil }
            Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
            return nil
          }, start.toOpaque())
        pthread_detach(thread)
      }
    }
  }

  /// Ends the worker once what is under way has finished. Throws what it failed with.
  func stop() async throws {
    worker.stop()
    try await ended.value
  }

  private final class Start: Sendable {
    private let worker: Worker
    private let continuation: CheckedContinuation<Void, any Error>

    init(_ worker: Worker, _ continuation: CheckedContinuation<Void, any Error>) {
      self.worker = worker
      self.continuation = continuation
    }

    func run() { continuation.resume(with: Result { try worker.run() }) }
  }
}
