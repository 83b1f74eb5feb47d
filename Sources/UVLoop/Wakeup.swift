import CUV

/// Wakes the loop from another thread. Calls coalesce: the callback must drain what there is.
public final class Wakeup: @unchecked Sendable {
  private let box = HandleBox<uv_async_t>()
  private let woken: () -> Void

  public init(_ loop: Loop, woken: @escaping () -> Void) throws(UVError) {
    self.woken = woken
    try check(
      uv_async_init(loop.handle, box.handle) { handle in
        HandleBox<uv_async_t>.owner(handle?.pointee.data, as: Wakeup.self).woken()
      }, "uv_async_init")
    box.retain(self)
  }

  /// The one call that any thread may make, until `close`.
  public func send() { uv_async_send(box.handle) }
  public func close() { box.close() }
}
