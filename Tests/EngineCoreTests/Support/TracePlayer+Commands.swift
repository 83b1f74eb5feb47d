import Basics
import Messages

/// The commands of workflow code, as a trace writes them.
extension TracePlayer {
  /// `activity 1 charge start_to_close=10s` (10 s when nothing is said), `timer 2 5s`,
  /// `cancel-activity 1`, `cancel-timer 2`, `done ok`, `fail Declined`, `cancelled why`,
  /// `continue input`, `marker patch marker_id=p1`, `accept u1`, `end u1 ok`, `nothing`;
  /// `child 1 ship workflow_id=s-1`, `cancel-child 1 why`, `signal-external 2 pay o-2`,
  /// `cancel-external 3 o-2 reason=why`; `memo color:red`, `attributes Amount:int:7`,
  /// `details "waits for ann"`; `local 1 charge` as `activity`.
  /// `at=order.py:12` says where in the code.
  func command(_ text: String) throws(TraceFault) -> Command {
    var words = try TraceWords(text)
    var command = Command()
    command.location = words.take("at") ?? ""
    if let summary = words.take("summary") {
      var metadata = UserMetadata()
      metadata.summary = summary
      command.userMetadata = metadata
    }
    let verb = try words.next("a command")
    switch verb {
    case "activity":
      let isBare = !words.options.contains { $0.name.contains("to_close") }
      command.kind = .scheduleActivity(
        try make(
          &words, ["seq", "activity_type"], isBare ? ["start_to_close_timeout_ms": "10s"] : [:]))
    case "local":
      let isBare = !words.options.contains { $0.name.contains("to_close") }
      command.kind = .scheduleLocalActivity(
        try make(
          &words, ["seq", "activity_type"], isBare ? ["start_to_close_timeout_ms": "10s"] : [:]))
    case "cancel-activity": command.kind = .requestCancelActivity(try make(&words, ["seq"]))
    case "timer":
      command.kind = .startTimer(try make(&words, ["seq", "start_to_fire_timeout_ms"]))
    case "cancel-timer": command.kind = .cancelTimer(try make(&words, ["seq"]))
    case "done": command.kind = .completeWorkflow(try make(&words, ["result"]))
    case "fail": command.kind = .failWorkflow(try make(&words, ["failure"]))
    case "cancelled": command.kind = .cancelledWorkflow(try make(&words, ["details"]))
    case "continue": command.kind = .continueAsNew(try make(&words, ["input"]))
    case "marker": command.kind = .recordMarker(try make(&words, ["marker_name"]))
    case "accept": command.kind = .updateAccepted(try make(&words, ["update_id"]))
    case "end": command.kind = .updateCompleted(try end(&words))
    case "child": command.kind = .startChild(try make(&words, ["seq", "workflow_type"]))
    case "cancel-child": command.kind = .cancelChild(try make(&words, ["seq", "reason"]))
    case "signal-external":
      command.kind = .signalExternal(
        try make(&words, ["seq", "signal_name", "execution.workflow_id"]))
    case "cancel-external":
      command.kind = .cancelExternal(try make(&words, ["seq", "execution.workflow_id"]))
    case "memo": command.kind = .upsertMemo(try make(&words, ["memo"]))
    case "attributes":
      command.kind = .upsertSearchAttributes(try make(&words, ["search_attributes"]))
    case "details": command.kind = .setCurrentDetails(try make(&words, ["text"]))
    case "nothing": break
    default: throw TraceFault("'\(verb)' is no command")
    }
    try words.end()
    return command
  }

  /// `end u1 ok`: how an update ended; what begins with ! is a failure, nothing is no outcome.
  private func end(_ words: inout TraceWords) throws(TraceFault) -> UpdateCompleted {
    var completed = UpdateCompleted()
    completed.updateID = try words.next("the update's id")
    guard !words.words.isEmpty else { return completed }
    let value = words.words.removeFirst()
    completed.outcome = UpdateOutcome()
    if value.hasPrefix("!") {
      completed.outcome?.result = .failed(try failure(String(value.dropFirst())))
    } else {
      var list = PayloadList()
      list.payloads = [TraceFields.payload(TraceFields.sized(value))]
      completed.outcome?.result = .succeeded(list)
    }
    return completed
  }

  /// The same words, as a worker that replays tells them: `activity 1 charge`.
  func head(_ text: String) throws(TraceFault) -> CommandHead {
    let types: [String: CommandType] = [
      "activity": .scheduleActivity, "local": .scheduleLocalActivity,
      "cancel-activity": .requestCancelActivity,
      "timer": .startTimer, "cancel-timer": .cancelTimer, "done": .completeWorkflow,
      "fail": .failWorkflow, "cancelled": .cancelledWorkflow, "continue": .continueAsNew,
      "marker": .recordMarker, "accept": .updateAccepted, "end": .updateCompleted,
      "child": .startChild,
      "cancel-child": .cancelChild, "signal-external": .signalExternal,
      "cancel-external": .cancelExternal, "memo": .upsertMemo,
      "attributes": .upsertSearchAttributes, "details": .setCurrentDetails,
    ]
    var words = try TraceWords(text)
    var head = CommandHead()
    let verb = try words.next("a command")
    guard let type = types[verb] else { throw TraceFault("'\(verb)' is no command") }
    head.type = type
    if !words.words.isEmpty { head.seq = UInt32(words.words.removeFirst()) ?? 0 }
    if !words.words.isEmpty { head.name = words.words.removeFirst() }
    head.id = words.take("id") ?? ""
    head.location = words.take("at") ?? ""
    try words.end()
    return head
  }
}
