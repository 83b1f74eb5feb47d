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
  public let virtualMs: Int64
}

extension Outcome {
  /// The engine, or the simulation, ended its process: it has said why on the terminal.
  public static var processDied: Outcome {
    let violation = Violation(
      checker: "Preconditions", what: "the process ended in the middle of it", us: 0)
    return Outcome(
      hash: 0, violation: violation, operations: 0, events: 0, answers: 0, runs: 0, lives: 0,
      virtualMs: 0)
  }
}

/// One line of text, which another process reads.
extension Outcome {
  public var line: String {
    let counts = [operations, events, answers, runs, lives, Int(virtualMs)].map(String.init)
    let found = violation.map { [String($0.us)] + $0.checkers + [$0.what] } ?? []
    return ([String(hash)] + counts + found)
      .map { String($0.map { $0 == "\t" || $0 == "\n" ? " " : $0 }) }.joined(separator: "\t")
  }

  /// nil: the line was not made by `line`.
  public init?(line: String) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    let numbers = fields.dropFirst().prefix(6).compactMap(Int.init)
    guard fields.count == 7 || fields.count >= 10, let hash = UInt64(fields[0]), numbers.count == 6
    else { return nil }
    self.hash = hash
    operations = numbers[0]
    events = numbers[1]
    answers = numbers[2]
    runs = numbers[3]
    lives = numbers[4]
    virtualMs = Int64(numbers[5])
    guard let what = fields.dropFirst(9).last else { return }
    guard let us = Int64(fields[7]) else { return nil }
    violation = Violation(checker: fields[8], what: what, us: us)
    for other in fields[9...].dropLast() { violation?.add(other, at: us) }
  }
}
