import CUV
import Glibc

/// One callback after some microseconds: libuv's own timers tick in milliseconds.
public final class PreciseTimer {
  private let box = HandleBox<uv_poll_t>()
  private let fd: Int32
  private let fired: () -> Void
  private var isOpen = true
  private var isSet = false

  public init(_ loop: Loop, fired: @escaping () -> Void) throws(UVError) {
    self.fired = fired
    fd = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK) | Int32(TFD_CLOEXEC))
    guard fd >= 0 else { throw UVError.last("timerfd_create") }
    try check(uv_poll_init(loop.handle, box.handle, fd), "uv_poll_init")
    box.retain(self)
    try check(
      uv_poll_start(box.handle, Int32(UV_READABLE.rawValue)) { handle, _, _ in
        HandleBox<uv_poll_t>.owner(handle?.pointee.data, as: PreciseTimer.self).drain()
      }, "uv_poll_start")
  }

  private func drain() {
    var count: UInt64 = 0
    // Set anew since it fired: nothing to read, nothing is due.
    guard read(fd, &count, 8) == 8 else { return }
    isSet = false
    fired()
  }

  public func start(afterUs us: Int64) {
    var time = itimerspec()
    time.it_value.tv_sec = Int(us / 1_000_000)
    time.it_value.tv_nsec = max(1, Int(us % 1_000_000) * 1_000)
    timerfd_settime(fd, 0, &time, nil)
    isSet = true
  }

  /// Nothing is waited for any more: spares a wakeup for nothing.
  public func stop() {
    guard isSet else { return }
    isSet = false
    var never = itimerspec()
    timerfd_settime(fd, 0, &never, nil)
  }

  /// Safe to call twice.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    uv_poll_stop(box.handle)
    box.close()
    CUV.close(fd)
  }
}
