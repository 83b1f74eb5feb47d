/// A batch job's number in its store, given in order from 1 and never given again while the engine
/// lives.
public struct BatchJobNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let value: Int64

  public init(_ value: Int64) { self.value = value }

  public static func < (a: BatchJobNumber, b: BatchJobNumber) -> Bool { a.value < b.value }
  public var description: String { "batch#\(value)" }
}

/// A batch job as the store keeps it.
public struct StoredBatchJob: Sendable, Equatable {
  public var number: BatchJobNumber
  /// The bytes of a `BatchJobDefinition`.
  public var definition: [UInt8]
  /// The bytes of a `BatchJobProgress`.
  public var progress: [UInt8]

  public init(number: BatchJobNumber, definition: [UInt8], progress: [UInt8]) {
    self.number = number
    self.definition = definition
    self.progress = progress
  }
}
