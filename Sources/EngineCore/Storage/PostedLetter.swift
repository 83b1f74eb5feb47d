import Messages

/// A letter and its number: letters are numbered in the order in which they were posted, and taken
/// in in that order by the one that they are for.
public struct PostedLetter: Sendable, Equatable {
  public var number: Int64
  public var letter: Letter
  /// The store has it; once it is taken in, it goes from there in the same batch.
  public var isStored: Bool

  public init(number: Int64, letter: Letter, isStored: Bool) {
    self.number = number
    self.letter = letter
    self.isStored = isStored
  }
}
