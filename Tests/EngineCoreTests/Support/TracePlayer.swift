import Basics
import EngineCore
import Messages

/// Plays the inputs of a trace to an engine and writes down what it does.
///
/// What each verb means is in `TracePlayer+Requests` and `TracePlayer+Workers`; here are those
/// about time, the store and the engine as a whole.
final class TracePlayer {
  private(set) var world = World()
  var text: TraceText
  private var lines: [String] = []
  /// The deadline that the trace told last.
  private var deadline: Instant?
  private var changes: [(inout EngineConfiguration) -> Void] = []
  private var hasBegun = false
  /// The queue's slots are granted with the attachment.
  var sessions: UInt64 = 0
  /// By the name of the worker.
  var resumeTokens: [String: [UInt8]] = [:]

  init() {
    text = TraceText(start: world.now)
    observe()
  }

  private func observe() {
    world.observer = { [unowned self] input, effects in note(input, effects) }
  }

  private func note(_ input: Input, _ effects: Effects) {
    let lines = text.lines(effects)
    switch input {
    // What the world adds by itself.
    case .deadlineReached: self.lines.append("at \(text.time(world.now)):")
    case .loaded: self.lines.append("loaded:")
    case .persisted(let serial) where !lines.isEmpty:
      self.lines.append("write \(serial.value) is durable:")
    default: break
    }
    self.lines += lines
  }

  /// Plays one input line, without its `> `; what it led to, line by line.
  func play(_ line: String) throws(TraceFault) -> [String] {
    lines = []
    // What stands after a colon is a list of commands or of answers.
    let line = line.hasSuffix(":") ? line + " " : line
    let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
    var words = try TraceWords(parts[0])
    let verb = try words.next("a verb")
    let rest = parts.count > 1 ? parts[1] : ""
    if try !configure(verb, &words) {
      hasBegun = true
      var isKnown = try playWorld(verb, &words)
      if !isKnown { isKnown = try playReplay(verb, &words, rest) }
      if !isKnown { isKnown = try playRequest(verb, &words) }
      if !isKnown { isKnown = try playWorker(verb, &words, rest) }
      guard isKnown else { throw TraceFault("'\(verb)' is no verb of a trace") }
    }
    try words.end()
    tellDeadline()
    return lines
  }

  private func tellDeadline() {
    guard world.engine.nextDeadline != deadline else { return }
    deadline = world.engine.nextDeadline
    lines.append("deadline \(deadline.map(text.time) ?? "none")")
  }

  // MARK: - Before the first input

  private static var limits: [String: WritableKeyPath<EngineLimits, Int>] {
    [
      "payload_bytes": \.payloadBytesMax, "request_payload_bytes": \.requestPayloadBytesMax,
      "detail_bytes": \.detailBytesMax, "pending_activities": \.pendingActivitiesMax,
      "pending_timers": \.pendingTimersMax, "queries_waiting": \.queriesWaitingMax,
      "parked_inputs": \.parkedInputsMax, "commands": \.commandsMax,
      "list_slice_rows": \.listSliceRows, "activation_bytes": \.activationBytesMax,
      "deadlines_per_step": \.deadlinesPerStepMax, "deadline_loads": \.deadlineLoadsMax,
      "first_attempts_kept": \.firstAttemptsKept,
      "last_attempts_kept": \.lastAttemptsKept, "updates_in_flight": \.updatesInFlightMax,
    ]
  }
  private static var longLimits: [String: WritableKeyPath<EngineLimits, Int64>] {
    ["signals_per_run": \.signalsPerRunMax, "history_events": \.historyEventsMax]
  }

  private func configure(_ verb: String, _ words: inout TraceWords) throws(TraceFault) -> Bool {
    guard verb == "limit" else { return false }
    if hasBegun { throw TraceFault("limits stand before the first input") }
    let name = try words.next("the limit's name")
    let value = Int64(try words.next("the limit")) ?? 0
    if let path = TracePlayer.limits[name] {
      changes.append { $0.limits[keyPath: path] = Int(value) }
    } else if let path = TracePlayer.longLimits[name] {
      changes.append { $0.limits[keyPath: path] = value }
    } else {
      throw TraceFault("no limit is called '\(name)'")
    }
    let changes = changes
    world = World { configuration in for change in changes { change(&configuration) } }
    observe()
    return true
  }

  // MARK: - Time, store, engine

  private func playWorld(_ verb: String, _ words: inout TraceWords) throws(TraceFault) -> Bool {
    switch verb {
    case "advance": world.advance(try span(words.next("how long")).ms)
    // No engine is there meanwhile; a crash stands behind.
    case "away": world.now = world.now + (try span(words.next("how long")))
    case "hold": world.holdsCommits = true
    case "commit": world.commit()
    case "crash": world.crash()
    case "corrupt":
      let run = try words.next("run#1")
      guard let number = Int64(run.dropFirst(4)) else { throw TraceFault("'\(run)' is no run") }
      world.store.corrupt.insert(RunNumber(number))
    case "drain": world.step(.drain)
    case "disk":
      let state = try words.next("full or free")
      guard ["full", "free"].contains(state) else { throw TraceFault("disk full, or disk free") }
      world.step(.diskFull(state == "full"))
    case "statistics": tellStatistics()
    default: return false
    }
    return true
  }

  /// What the engine holds: shows leaks that no effect shows.
  private func tellStatistics() {
    let counters = world.engine.statistics
    lines.append(
      "holds \(counters.residentRuns) runs, \(counters.deadlines) deadlines,"
        + " \(counters.tasksOut) workflow tasks out, \(counters.tasksQueued) entries in queues")
  }
}
