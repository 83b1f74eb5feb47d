import CHoldfast
import Glibc
internal import Messages

extension Client {
  /// All messages of a streamed answer. It is waited for on a thread of its own: reading a stream
  /// blocks.
  func stream(_ method: Method, _ request: some Message) async throws -> [[UInt8]] {
    let call = StreamedCall()
    let bytes = request.serialized()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        call.begin { call in
          continuation.resume(with: Result { try self.read(method, bytes, call) })
        }
      }
    } onCancel: {
      call.cancel()
    }
  }

  private func read(_ method: Method, _ request: [UInt8], _ call: StreamedCall) throws
    -> [[UInt8]]
  {
    var stream: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let opened = request.withView {
      holdfast_client_open(handle, method.rawValue, $0, 0, &stream, &error)
    }
    guard opened == HOLDFAST_OK else { throw HoldfastError(opened, error) }
    defer { holdfast_stream_close(stream) }
    var parts: [[UInt8]] = []
    while true {
      if call.isCancelled { throw CancellationError() }
      var part = holdfast_bytes()
      let status = holdfast_stream_next(stream, StreamedCall.patienceMs, &part, &error)
      switch status {
      case HOLDFAST_OK: parts.append(part.array)
      case HOLDFAST_TIMEOUT: continue
      case HOLDFAST_CLOSED where error == nil: return parts
      default: throw HoldfastError(status, error)
      }
    }
  }
}

extension Client {
  /// A call on which the sides take turns: what `answer` makes of a message is sent back. It runs
  /// on a thread of its own.
  func takeTurns(
    _ method: Method, _ first: [UInt8], _ answer: @escaping ([UInt8]) throws -> [[UInt8]]
  ) async throws {
    let call = StreamedCall()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        call.begin { call in
          continuation.resume(with: Result { try self.talk(method, first, call, answer) })
        }
      }
    } onCancel: {
      call.cancel()
    }
  }

  private func talk(
    _ method: Method, _ first: [UInt8], _ call: StreamedCall,
    _ answer: ([UInt8]) throws -> [[UInt8]]
  ) throws {
    var stream: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let opened = first.withView {
      holdfast_client_open_two_way(handle, method.rawValue, $0, 0, &stream, &error)
    }
    guard opened == HOLDFAST_OK else { throw HoldfastError(opened, error) }
    defer { holdfast_stream_close(stream) }
    while true {
      if call.isCancelled { throw CancellationError() }
      var part = holdfast_bytes()
      let status = holdfast_stream_next(stream, StreamedCall.patienceMs, &part, &error)
      switch status {
      case HOLDFAST_OK: break
      case HOLDFAST_TIMEOUT: continue
      case HOLDFAST_CLOSED where error == nil: return
      default: throw HoldfastError(status, error)
      }
      for message in try answer(part.array) {
        let sent = message.withView { holdfast_stream_send(stream, $0, false, &error) }
        guard sent == HOLDFAST_OK else { throw HoldfastError(sent, error) }
      }
    }
  }
}

/// The thread of one streamed call, and whether it has been given up.
private final class StreamedCall: @unchecked Sendable {
  /// How long a call that is given up may go unnoticed.
  static let patienceMs: Int64 = 100

  // Invariant: touched only while `mutex` is held.
  private var hasBeenCancelled = false
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init() {
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  var isCancelled: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return hasBeenCancelled
  }

  func cancel() {
    pthread_mutex_lock(mutex)
    hasBeenCancelled = true
    pthread_mutex_unlock(mutex)
  }

  private final class Work {
    let body: (StreamedCall) -> Void
    let call: StreamedCall

    init(_ call: StreamedCall, _ body: @escaping (StreamedCall) -> Void) {
      self.call = call
      self.body = body
    }
  }

  func begin(_ body: @escaping (StreamedCall) -> Void) {
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(self, body)).toOpaque()
    let failure = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        work.body(work.call)
        return nil
      }, work)
    guard failure == 0 else {
      // No thread is to be had: then on this one.
      Unmanaged<Work>.fromOpaque(work).release()
      return body(self)
    }
    pthread_detach(thread)
  }
}
