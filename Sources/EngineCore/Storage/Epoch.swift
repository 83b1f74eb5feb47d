/// The parts of an epoch: the branch of the store in its upper bits, the starts of it below.
///
/// A store that was restored from a backup is in another branch than the one that the backup was
/// taken of, and than any other that was restored: each may give the same numbers to other work. An
/// epoch stays within 53 bits, so that it is a number in JSON.
public enum Epoch {
  private static let startBits: UInt64 = 24
  private static let branches: UInt64 = 1 << (53 - startBits)

  /// 0 for a store that was never restored.
  static func branch(of epoch: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: epoch >> startBits)
  }

  /// The first epoch of the branch that is so many further; nil: there are no more.
  public static func first(after epoch: UInt64, branches step: UInt32) -> UInt64? {
    let branch = (epoch >> startBits) + UInt64(max(1, step))
    return branch < branches ? branch << startBits : nil
  }
}
