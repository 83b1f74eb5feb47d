/// How much one connection is read in a turn of the loop, so that one that sends as fast as it can,
/// or a thousand of them, do not keep the others waiting.
struct ReadShare {
  /// What all connections together are read in a turn, about.
  static let turnBytes = 1 << 20
  static let bytesMin = 4 << 10
  static let bytesMax = 64 << 10

  private(set) var bytes = ReadShare.bytesMax
  private var readers = 0

  /// A connection begins to be read in this turn.
  mutating func began() { readers += 1 }

  /// The next turn's share follows from how many were read in this one.
  mutating func endTurn() {
    let even = ReadShare.turnBytes / max(1, readers)
    bytes = min(ReadShare.bytesMax, max(ReadShare.bytesMin, even))
    readers = 0
  }
}
