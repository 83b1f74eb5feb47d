/// A run's number in its store, given in order from 1 and never given again.
///
/// Rows are keyed by it, so that new rows land side by side.
public struct RunNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let value: Int64

  public init(_ value: Int64) { self.value = value }

  public static func < (a: RunNumber, b: RunNumber) -> Bool { a.value < b.value }
  public var description: String { "run#\(value)" }
}
