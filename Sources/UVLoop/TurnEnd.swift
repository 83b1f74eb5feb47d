import CUV

/// One callback in each turn of the loop, right before it waits: after everything that was read,
/// fired and closed in this turn.
public final class TurnEnd {
  private let box = HandleBox<uv_prepare_t>()
  private let loop: Loop
  private let ended: () -> Void

  public init(_ loop: Loop, ended: @escaping () -> Void) throws(UVError) {
    self.loop = loop
    self.ended = ended
    try check(uv_prepare_init(loop.handle, box.handle), "uv_prepare_init")
    box.retain(self)
    try check(
      uv_prepare_start(box.handle) { handle in
        let turnEnd = HandleBox<uv_prepare_t>.owner(handle?.pointee.data, as: TurnEnd.self)
        turnEnd.ended()
        turnEnd.loop.share.endTurn()
      }, "uv_prepare_start")
  }

  public func close() { box.close() }
}
