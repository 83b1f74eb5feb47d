/// A schedule's number in its store, given in order from 1 and never given again while the engine
/// lives.
public struct ScheduleNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let value: Int64

  public init(_ value: Int64) { self.value = value }

  public static func < (a: ScheduleNumber, b: ScheduleNumber) -> Bool { a.value < b.value }
  public var description: String { "schedule#\(value)" }
}

/// A schedule as the store keeps it.
public struct StoredSchedule: Sendable, Equatable {
  public var number: ScheduleNumber
  /// The bytes of a `ScheduleDefinition`.
  public var definition: [UInt8]
  /// The bytes of a `ScheduleProgress`.
  public var progress: [UInt8]

  public init(number: ScheduleNumber, definition: [UInt8], progress: [UInt8]) {
    self.number = number
    self.definition = definition
    self.progress = progress
  }
}
