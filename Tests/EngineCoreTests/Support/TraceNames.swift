import Basics
@testable import EngineCore
import Messages

/// The short names by which a trace speaks of runs, sessions, requests and leases.
///
///     run#1          the first run
///     task#3         the workflow task that the engine gave out third (task#3@2: in epoch 2)
///     run#1/3/2      the lease of an activity: run, event that scheduled it, attempt
///     start#1        the first `start` of the trace
struct TraceNames {
  /// `run#none`: an id that no run has.
  private static let nobody = RunID(high: 1, low: 1)

  private var runs: [RunNumber: RunID] = [:]
  private var sessions: [String: SessionID] = [:]
  private var sessionNames: [SessionID: String] = [:]
  private var requests: [String: RequestID] = [:]
  private var requestNames: [RequestID: String] = [:]
  private var verbs: [String: Int] = [:]
  private var taskRuns: [String: RunNumber] = [:]

  // MARK: - Learning

  mutating func learn(_ write: Write) {
    if case .createRun(let row) = write { runs[row.number] = row.runID }
  }

  mutating func add(_ session: SessionID, _ name: String) {
    sessions[name] = session
    sessionNames[session] = name
  }

  /// Names the next request: its verb and how many of these there were.
  mutating func add(_ request: RequestID, verb: String) {
    verbs[verb, default: 0] += 1
    let name = "\(verb)#\(verbs[verb] ?? 0)"
    requests[name] = request
    requestNames[request] = name
  }

  // MARK: - Names

  func name(_ session: SessionID) -> String { sessionNames[session] ?? session.description }
  func name(_ request: RequestID) -> String { requestNames[request] ?? "\(request)" }

  mutating func name(token bytes: [UInt8]) -> String {
    if let token = TaskToken(bytes) {
      let name = "task#\(token.serial)" + (token.epoch == 1 ? "" : "@\(token.epoch)")
      taskRuns[name] = token.run
      return name
    }
    if let token = ActivityToken(bytes) {
      return "\(token.run)/\(token.scheduledEvent)/\(token.attempt)"
    }
    return bytes.isEmpty ? "none" : String(decoding: bytes, as: UTF8.self)
  }

  /// Puts names where run ids stand in a text.
  func shortened(_ text: String) -> String {
    var text = text.replacing(TraceNames.nobody.description, with: "run#none")
    for (number, id) in runs.sorted(by: { $0.key < $1.key }) {
      text = text.replacing(id.description, with: number.description)
    }
    for (id, name) in requestNames.sorted(by: { $0.key < $1.key }) {
      text = text.replacing("query_id=\(id.connection).\(id.stream) ", with: "query_id=\(name) ")
      text = text.replacing("query_id=\(id.connection).\(id.stream))", with: "query_id=\(name))")
    }
    return text
  }

  // MARK: - Looking up

  func session(_ name: String) throws(TraceFault) -> SessionID {
    guard let id = sessions[name] else { throw TraceFault("no worker is called '\(name)'") }
    return id
  }

  func request(_ name: String) throws(TraceFault) -> RequestID {
    guard let id = requests[name] else { throw TraceFault("no request is called '\(name)'") }
    return id
  }

  func runID(_ name: String) throws(TraceFault) -> RunID {
    if name == "run#none" { return TraceNames.nobody }
    return runs[try runNumber(name)] ?? .none
  }

  func runNumber(_ name: String) throws(TraceFault) -> RunNumber {
    guard name.hasPrefix("run#"), let number = Int64(name.dropFirst(4)),
      runs[RunNumber(number)] != nil
    else { throw TraceFault("no run is called '\(name)'") }
    return RunNumber(number)
  }

  /// The bytes of a token by its name; what is no name stands for itself.
  func token(_ name: String) throws(TraceFault) -> [UInt8] {
    if let run = taskRuns[name] {
      let parts = name.dropFirst(5).split(separator: "@").compactMap { UInt64($0) }
      return TaskToken(epoch: parts.count > 1 ? parts[1] : 1, serial: parts[0], run: run).bytes
    }
    if name.hasPrefix("task#") { throw TraceFault("no workflow task was called '\(name)' yet") }
    let parts = name.split(separator: "/")
    guard name.hasPrefix("run#"), parts.count == 3 else { return Array(name.utf8) }
    guard let event = Int64(parts[1]), let attempt = Int32(parts[2]),
      let number = Int64(parts[0].dropFirst(4))
    else { throw TraceFault("'\(name)' is not run#1/event/attempt") }
    return ActivityToken(
      run: RunNumber(number), runID: runs[RunNumber(number)] ?? .none, scheduledEvent: event,
      attempt: attempt
    ).bytes
  }
}

/// What is wrong with an input line.
struct TraceFault: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
