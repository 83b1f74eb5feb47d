import CUV
import Glibc

/// What libuv or the kernel refused, and where.
public struct UVError: Error, CustomStringConvertible, Sendable {
  /// libuv's code: a negative errno.
  public let code: Int32
  /// The call, and what it was for.
  public let place: String

  public init(code: Int32, place: String) {
    self.code = code
    self.place = place
  }

  /// From `errno`, right after a failed call.
  static func last(_ place: String) -> UVError { UVError(code: -errno, place: place) }

  public var description: String { "\(place): \(String(cString: uv_strerror(code)))" }
}

/// The event loop. Everything of it is used by the thread that runs it, but `Wakeup.send`.
public final class Loop {
  let handle: UnsafeMutablePointer<uv_loop_t>
  /// What is read lies here while the delegate looks at it: one connection at a time.
  let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  var share = ReadShare()
  private var isClosed = false

  public init() throws(UVError) {
    handle = .allocate(capacity: 1)
    let code = uv_loop_init(handle)
    guard code == 0 else { throw UVError(code: code, place: "uv_loop_init") }
  }

  /// Runs until `stop`, or until nothing is open any more.
  public func run() { uv_run(handle, UV_RUN_DEFAULT) }

  public func stop() { uv_stop(handle) }

  /// Frees the loop; every handle must have been closed and the loop run once more.
  public func close() {
    precondition(!isClosed, "the loop is closed twice")
    isClosed = true
    let code = uv_loop_close(handle)
    precondition(code == 0, "the loop still has open handles: \(openHandles())")
    handle.deallocate()
    readBuffer.deallocate()
  }

  private func openHandles() -> String {
    final class Names { var names: [String] = [] }
    let names = Names()
    uv_walk(
      handle,
      { handle, context in
        guard let handle, let context else { return }
        let names = Unmanaged<Names>.fromOpaque(context).takeUnretainedValue()
        names.names.append(String(cString: uv_handle_type_name(uv_handle_get_type(handle))))
      }, Unmanaged.passUnretained(names).toOpaque())
    return names.names.joined(separator: ", ")
  }
}

/// Owns the memory of one handle: allocated when made, freed in the close callback, nowhere else.
///
/// The box keeps the handle's owner alive from the first use until the handle has closed.
final class HandleBox<Handle> {
  let handle: UnsafeMutablePointer<Handle>
  private(set) var isClosing = false

  /// `owner` is kept until the close callback has run.
  init() { handle = .allocate(capacity: 1) }

  var base: UnsafeMutablePointer<uv_handle_t> {
    UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
  }

  func retain(_ owner: AnyObject) {
    base.pointee.data = Unmanaged.passRetained(owner).toOpaque()
  }

  static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type)
    -> Owner
  {
    guard let data else { preconditionFailure("a handle without its owner") }
    return Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
  }

  /// Starts to close; safe to call twice.
  func close() {
    guard !isClosing else { return }
    isClosing = true
    uv_close(base) { handle in
      guard let handle else { return }
      if let data = handle.pointee.data {
        let owner = Unmanaged<AnyObject>.fromOpaque(data)
        (owner.takeUnretainedValue() as? ClosingOwner)?.handleClosed()
        owner.release()
      }
      handle.deallocate()
    }
  }
}

/// Told when its handle has closed.
protocol ClosingOwner: AnyObject {
  func handleClosed()
}

func check(_ code: Int32, _ place: @autoclosure () -> String) throws(UVError) {
  if code < 0 { throw UVError(code: code, place: place()) }
}
