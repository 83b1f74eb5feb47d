import CUV

/// One callback at the end of each turn of the loop, after everything that was read.
public final class TurnEnd {
  private let box = HandleBox<uv_check_t>()
  private let ended: () -> Void

  public init(_ loop: Loop, ended: @escaping () -> Void) throws(UVError) {
    self.ended = ended
    try check(uv_check_init(loop.handle, box.handle), "uv_check_init")
    box.retain(self)
    try check(
      uv_check_start(box.handle) { handle in
        HandleBox<uv_check_t>.owner(handle?.pointee.data, as: TurnEnd.self).ended()
      }, "uv_check_start")
  }

  public func close() { box.close() }
}
