import CUV

/// One callback after some milliseconds.
public final class Timer {
  private let box = HandleBox<uv_timer_t>()
  private let fired: () -> Void

  public init(_ loop: Loop, fired: @escaping () -> Void) throws(UVError) {
    self.fired = fired
    try check(uv_timer_init(loop.handle, box.handle), "uv_timer_init")
    box.retain(self)
  }

  /// Sets the timer anew.
  public func start(afterMs ms: UInt64) {
    uv_timer_start(
      box.handle,
      { handle in
        HandleBox<uv_timer_t>.owner(handle?.pointee.data, as: Timer.self).fired()
      }, ms, 0)
  }

  public func stop() { uv_timer_stop(box.handle) }
  public func close() { box.close() }
}
