import Basics
import EngineCore
import Messages
import TemporalShape

/// A client reads a run's history and has it replayed: nothing of the walk changes by it.
extension OracleWalk {
  mutating func replaySent() {
    // Of an activity without a workflow no client can read one.
    let runs = model.runs.filter { !$0.isOfActivity }
    guard !hasDiffered, !runs.isEmpty else { return }
    let run = replayDice.pick(runs)
    project(run)
    guard !hasDiffered else { return }
    var answers = run.pastHeads
    if replayDice.percent(40) { OracleWalk.spoil(&answers, &replayDice) }
    let expected = model.diff(answers, of: run)
    tell("a replay of \(run.id), \(expected == nil ? "as it was" : "with other code")")
    var parts = drawParts(of: run)[...]
    sentReplays += 1
    let id = RequestID(connection: 2, stream: sentReplays)
    var shown: [PastActivation] = []
    var sends = engine.replay(id, parts.removeFirst())
    while let send = sends.first {
      guard case .part(id, let bytes) = send, let response = try? ReplayResponse(bytes: bytes)
      else { return object("a replay of \(run.id) ends with \(send)") }
      switch response.kind {
      case .historyWanted where parts.isEmpty:
        return object("a replay of \(run.id) wants more than there is")
      case .historyWanted: sends = engine.replay(id, parts.removeFirst())
      case .replayHistory(let part):
        let begin = shown.count
        shown += part.plainActivations
        let end = min(shown.count, answers.count)
        sends = engine.replay(id, .answering(part, answers[min(begin, end)..<end]))
      case .verdict(let verdict): return judge(verdict, expected, shown, run)
      case nil: return object("a replay of \(run.id) is told nothing")
      }
    }
    object("a replay of \(run.id) is not answered")
  }

  /// The history has Temporal's shape, and a part of it the beginning of that (I24).
  private mutating func project(_ run: ModelRun) {
    let events = engine.history(of: run.id)
    let whole = Projection(events).events
    if let fault = ShapeRules.faults(in: whole).first {
      return object("\(run.id) has not Temporal's shape: \(fault)")
    }
    let length = replayDice.int(0...events.count)
    if !whole.starts(with: Projection(events.prefix(length)).events) {
      object("what \(run.id) was projected to after \(length) events is taken back")
    }
  }

  /// The history, in either form and cut anywhere.
  private mutating func drawParts(of run: ModelRun) -> [ReplayRequest] {
    let events = engine.history(of: run.id)
    let isText = replayDice.percent(30)
    var bytes: [UInt8]
    if isText {
      bytes = Array(events.map { $0.json() + "\n" }.joined().utf8)
    } else {
      var batch = HistoryBatch()
      batch.events = events
      bytes = batch.serialized()
    }
    let longest = replayDice.pick([100, 1_000, 100_000])
    var parts: [HistoryPart] = []
    repeat {
      var part = HistoryPart()
      part.data = Array(bytes.prefix(replayDice.int(1...longest)))
      bytes.removeFirst(part.data.count)
      part.more = !bytes.isEmpty
      parts.append(part)
    } while !bytes.isEmpty
    parts[0].form = isText ? .json : .stored
    parts[0].execution = .of(run.workflowID, run.id)
    return parts.map { part in
      var request = ReplayRequest()
      request.kind = .history(part)
      return request
    }
  }

  private mutating func judge(
    _ verdict: ReplayVerdict, _ expected: NondeterminismDiff?, _ shown: [PastActivation],
    _ run: ModelRun
  ) {
    var diff = verdict.diff
    diff?.message = ""
    if diff != expected {
      object(
        "a replay of \(run.id) finds \(diff?.json() ?? "nothing"), not"
          + " \(expected?.json() ?? "nothing")")
    }
    let past = run.pastActivations
    if shown != Array(past.prefix(shown.count)) || (diff == nil && shown.count != past.count) {
      object(
        "a replay of \(run.id) shows \(shown.map { $0.json() }), not"
          + " \(past.map { $0.json() })")
    }
  }
}

extension ReplayRequest {
  fileprivate static func answering(
    _ part: ReplayHistory, _ completions: ArraySlice<PastCompletion>
  ) -> ReplayRequest {
    var completed = ReplayCompleted()
    completed.token = part.token
    completed.completions = Array(completions)
    var request = ReplayRequest()
    request.kind = .replayCompleted(completed)
    return request
  }
}

extension ReplayHistory {
  fileprivate var plainActivations: [PastActivation] {
    guard case .replayHistory(let plain) = EngineMessage.Kind.replayHistory(self).plain else {
      return []
    }
    return plain.activations
  }
}
