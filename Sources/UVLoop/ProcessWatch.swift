import CUV

/// One callback when a process has ended, by a descriptor of it that becomes readable.
public final class ProcessWatch {
  private let box = HandleBox<uv_poll_t>()
  private let fd: Int32
  private let ended: () -> Void
  private var isOpen = true

  /// Takes over `pidfd`.
  public init(_ loop: Loop, pidfd: Int32, ended: @escaping () -> Void) throws(UVError) {
    self.ended = ended
    fd = pidfd
    try check(uv_poll_init(loop.handle, box.handle, pidfd), "uv_poll_init of a pidfd")
    box.retain(self)
    try check(
      uv_poll_start(box.handle, Int32(UV_READABLE.rawValue)) { handle, _, _ in
        let watch = HandleBox<uv_poll_t>.owner(handle?.pointee.data, as: ProcessWatch.self)
        watch.close()
        watch.ended()
      }, "uv_poll_start of a pidfd")
  }

  public func close() {
    guard isOpen else { return }
    isOpen = false
    uv_poll_stop(box.handle)
    box.close()
    CUV.close(fd)
  }
}
