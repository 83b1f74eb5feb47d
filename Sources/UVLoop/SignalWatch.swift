import CUV

/// One callback for each delivery of a signal.
public final class SignalWatch {
  private let box = HandleBox<uv_signal_t>()
  private let received: () -> Void
  public let signal: Int32

  public init(_ loop: Loop, signal: Int32, received: @escaping () -> Void) throws(UVError) {
    self.signal = signal
    self.received = received
    try check(uv_signal_init(loop.handle, box.handle), "uv_signal_init")
    box.retain(self)
    try check(
      uv_signal_start(
        box.handle,
        { handle, _ in
          HandleBox<uv_signal_t>.owner(handle?.pointee.data, as: SignalWatch.self).received()
        }, signal), "uv_signal_start")
  }

  public func close() { box.close() }
}
