import CUV

/// One callback in each turn of the loop, right before it waits: after everything that was read,
/// fired and closed in this turn.
public final class TurnEnd {
  private let box = HandleBox<uv_prepare_t>()
  private let ended: () -> Void

  public init(_ loop: Loop, ended: @escaping () -> Void) throws(UVError) {
    self.ended = ended
    try check(uv_prepare_init(loop.handle, box.handle), "uv_prepare_init")
    box.retain(self)
    try check(
      uv_prepare_start(box.handle) { handle in
        HandleBox<uv_prepare_t>.owner(handle?.pointee.data, as: TurnEnd.self).ended()
      }, "uv_prepare_start")
  }

  public func close() { box.close() }
}
