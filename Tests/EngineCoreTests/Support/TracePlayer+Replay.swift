import EngineCore
import Messages

/// The verbs of a client that has a history replayed.
extension TracePlayer {
  /// `replay run#1 1...4 more` begins with these events of a run, `part replay#1 run#1 5...9` goes
  /// on. With `queue=q` a worker of it answers for the code, else
  /// `judge replay#1 part-1: activity 1 charge | done` does.
  func playReplay(_ verb: String, _ words: inout TraceWords, _ rest: String) throws(TraceFault)
    -> Bool
  {
    switch verb {
    case "replay":
      text.names.add(world.nextRequest, verb: verb)
      world.replay(world.openStream(), try history(&words))
    case "part":
      let id = try text.names.request(words.next("the replay"))
      world.replay(id, try history(&words))
    case "judge":
      let id = try text.names.request(words.next("the replay"))
      var request = ReplayRequest()
      request.kind = .replayCompleted(try replayCompleted(&words, rest))
      world.step(.replay(id, request))
    default: return false
    }
    return true
  }

  private func history(_ words: inout TraceWords) throws(TraceFault) -> HistoryPart {
    let run = try text.names.runNumber(words.next("the run"))
    let range = try words.next("the events, as 1...4")
    let ends = range.split(separator: ".").compactMap { Int64($0) }
    guard ends.count == 2 else { throw TraceFault("'\(range)' is not as 1...4") }
    var part = HistoryPart()
    part.taskQueue = words.take("queue") ?? ""
    part.more = words.words.first == "more"
    if part.more { words.words.removeFirst() }
    let events = world.store.history(run).filter { ends[0]...ends[1] ~= $0.eventID }
    if words.take("form") == "json" {
      part.form = .json
      part.data = Array(events.map { $0.json() + "\n" }.joined().utf8)
    } else {
      var batch = HistoryBatch()
      batch.events = events
      part.data = batch.serialized()
    }
    return part
  }
}
