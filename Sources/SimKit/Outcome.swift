/// What a checker saw that must not be.
public struct Violation: Sendable, Equatable {
  public let checker: String
  public let what: String
  public let us: Int64
  /// Other checkers that saw something at the same moment.
  public private(set) var others: [String] = []

  public var checkers: [String] { [checker] + others }

  mutating func add(_ other: String, at us: Int64) {
    if us == self.us && !checkers.contains(other) { others.append(other) }
  }
}

/// How a simulation came out.
public struct Outcome: Sendable, Equatable {
  public let hash: UInt64
  public var violation: Violation?
  /// Requests that clients made.
  public let operations: Int
  public let events: Int
  public let answers: Int
  public let runs: Int
  /// Processes of the engine.
  public let lives: Int
  /// Those that were killed, and those of them whose machine lost its memory too.
  public let kills: Int
  public let powerLosses: Int
  public let virtualMs: Int64
}

extension Outcome {
  /// The engine, or the simulation, ended its process: it has said why on the terminal.
  public static var processDied: Outcome {
    let violation = Violation(
      checker: "Preconditions", what: "the process ended in the middle of it", us: 0)
    return Outcome(
      hash: 0, violation: violation, operations: 0, events: 0, answers: 0, runs: 0, lives: 0,
      kills: 0, powerLosses: 0, virtualMs: 0)
  }
}

/// One line of text, which another process reads.
extension Outcome {
  public var line: String {
    let counts = [operations, events, answers, runs, lives, kills, powerLosses, Int(virtualMs)]
    let found = violation.map { [String($0.us)] + $0.checkers + [$0.what] } ?? []
    return ([String(hash)] + counts.map(String.init) + found)
      .map { String($0.map { $0 == "\t" || $0 == "\n" ? " " : $0 }) }.joined(separator: "\t")
  }

  /// nil: the line was not made by `line`.
  public init?(line: String) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    let numbers = fields.dropFirst().prefix(8).compactMap(Int.init)
    guard fields.count == 9 || fields.count >= 12, let hash = UInt64(fields[0]), numbers.count == 8
    else { return nil }
    self.hash = hash
    operations = numbers[0]
    events = numbers[1]
    answers = numbers[2]
    runs = numbers[3]
    lives = numbers[4]
    kills = numbers[5]
    powerLosses = numbers[6]
    virtualMs = Int64(numbers[7])
    guard let what = fields.dropFirst(11).last else { return }
    guard let us = Int64(fields[9]) else { return nil }
    violation = Violation(checker: fields[10], what: what, us: us)
    for other in fields[11...].dropLast() { violation?.add(other, at: us) }
  }
}
