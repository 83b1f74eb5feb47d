import Basics
import EngineCore
import Messages

/// The verbs that are a worker's doing.
extension TracePlayer {
  func playWorker(_ verb: String, _ words: inout TraceWords, _ rest: String)
    throws(TraceFault) -> Bool
  {
    switch verb {
    case "attach": try attach(&words)
    case "gone": world.step(.processGone(try process(words.next("the process"))))
    case "close": world.step(.sessionClosed(try session(&words)))
    case "silent": world.step(.sessionSilent(try session(&words), true))
    case "heard": world.step(.sessionSilent(try session(&words), false))
    default:
      guard workerVerbs.contains(verb) else { return false }
      let session = try session(&words)
      var message = WorkerMessage()
      message.kind = try kind(verb, &words, rest)
      world.step(.workerMessage(session, message))
    }
    return true
  }

  private var workerVerbs: Set<String> {
    [
      "grant", "complete", "fail-task", "answer", "replayed", "finish", "fail", "cancelled",
      "elsewhere", "heartbeat", "evicted", "local-done", "detach", "attach-again", "say-nothing",
    ]
  }

  private func session(_ words: inout TraceWords) throws(TraceFault) -> SessionID {
    try text.names.session(words.next("the worker"))
  }

  /// `attach w1 workflows=order activities=charge,ship queue=q slots=10`; `-` is no type at all.
  /// `resume=w0`: it is the worker that was called w0, and it `holds=` these leases.
  private func attach(_ words: inout TraceWords) throws(TraceFault) {
    let name = try words.next("the worker's name")
    var attach = Attach()
    attach.identity = name
    attach.taskQueue = TraceFields.sized(words.take("queue") ?? "q")
    attach.workflowTypes = TracePlayer.list(words.take("workflows") ?? "order")
    attach.activityTypes = TracePlayer.list(words.take("activities") ?? "charge")
    attach.buildID = words.take("build") ?? ""
    attach.namespace = words.take("namespace") ?? ""
    for lease in TracePlayer.list(words.take("holds") ?? "-") {
      attach.heldLeases.append(try text.names.token(lease))
    }
    let resume = TraceFields.sized(words.take("resume") ?? name)
    attach.resumeToken = resume == "-" ? [] : Array(resume.utf8)
    var process: ProcessIdentity?
    if let pid = words.take("process") { process = try self.process(pid) }
    var grant = Grant()
    let slots = UInt32(words.take("slots") ?? "10") ?? 10
    grant.workflowSlots = slots
    grant.activitySlots = slots
    sessions += 1
    let id = SessionID(sessions)
    text.names.add(id, name)
    world.step(.sessionOpened(id, attach, process))
    if slots > 0 { world.step(.workerMessage(id, .of(.grant(grant)))) }
  }

  private static func list(_ text: String) -> [String] {
    text == "-" ? [] : text.split(separator: ",").map { TraceFields.sized(String($0)) }
  }

  private func process(_ pid: String) throws(TraceFault) -> ProcessIdentity {
    guard let number = Int64(pid) else { throw TraceFault("'\(pid)' is no process id") }
    return ProcessIdentity(bootID: "boot", process: number, start: 1)
  }

  // MARK: - Messages

  private func kind(_ verb: String, _ words: inout TraceWords, _ rest: String)
    throws(TraceFault) -> WorkerMessage.Kind?
  {
    switch verb {
    case "grant":
      var grant = Grant()
      grant.workflowSlots = UInt32(words.take("workflows") ?? "0") ?? 0
      grant.activitySlots = UInt32(words.take("activities") ?? "0") ?? 0
      return .grant(grant)
    case "complete": return try complete(&words, rest)
    case "fail-task": return try failTask(&words)
    case "answer": return try answer(&words)
    case "replayed": return try replayed(&words, rest)
    case "finish": return .activityCompleted(try make(&words, ["token", "result"]))
    case "fail": return .activityFailed(try make(&words, ["token", "failure"]))
    case "cancelled": return .reportActivityCancelled(try make(&words, ["token", "details"]))
    case "elsewhere": return .willCompleteElsewhere(try make(&words, ["token"]))
    case "heartbeat": return .heartbeat(try make(&words, ["token", "details"]))
    case "local-done": return try localDone(&words)
    case "evicted":
      var evicted = Evicted()
      evicted.runIDs = [try text.names.runID(words.next("the run"))]
      return .evicted(evicted)
    case "detach": return .detach(Detach())
    case "attach-again": return .attach(Attach())
    case "say-nothing": return nil
    default: throw TraceFault("'\(verb)' is no message of a worker")
    }
  }

  /// `local-done w1 run#1 1 attempt=2 completed=ok`, or `failed=Declined`, or `canceled=why`.
  private func localDone(_ words: inout TraceWords) throws(TraceFault) -> WorkerMessage.Kind {
    var done = LocalActivityDone()
    let run = try words.next("the run")
    done.runID = try text.names.runID(run)
    done.seq = UInt32(try words.next("the seq")) ?? 0
    done.attempt = Int32(words.take("attempt") ?? "1") ?? 1
    done.token = Array(TraceFields.sized(words.take("token") ?? "l\(done.seq)").utf8)
    if let result = words.take("completed") { done.result = .completed(list(result)) }
    if let type = words.take("failed") { done.result = .failed(try failure(type)) }
    if let details = words.take("canceled") { done.result = .canceled(list(details)) }
    return .localActivityDone(done)
  }

  private func list(_ text: String) -> PayloadList {
    var list = PayloadList()
    list.payloads = [TraceFields.payload(TraceFields.sized(text))]
    return list
  }

  /// `complete w1 task#1: activity 1 charge; timer 2 5s`; with `more` another part follows, and
  /// `reject=u1` refuses updates.
  private func complete(_ words: inout TraceWords, _ rest: String)
    throws(TraceFault) -> WorkerMessage.Kind
  {
    var completed = WorkflowTaskCompleted()
    completed.token = try text.names.token(words.next("the task"))
    if words.words.first == "more" {
      completed.more = true
      words.words = []
    }
    for id in TracePlayer.list(words.take("reject") ?? "-") {
      var rejection = UpdateRejection()
      rejection.updateID = id
      rejection.failure = try failure("Refused")
      completed.updateRejections.append(rejection)
    }
    for command in TracePlayer.parts(rest, ";") {
      completed.commands.append(try self.command(command))
    }
    return .workflowTaskCompleted(completed)
  }

  private func failTask(_ words: inout TraceWords) throws(TraceFault) -> WorkerMessage.Kind {
    var completed = WorkflowTaskCompleted()
    completed.token = try text.names.token(words.next("the task"))
    completed.failure = try make(&words, ["failure"])
    return .workflowTaskCompleted(completed)
  }

  /// `answer w1 task#2 query#1=yes`; a value that begins with ! is a failure.
  private func answer(_ words: inout TraceWords) throws(TraceFault) -> WorkerMessage.Kind {
    var completed = WorkflowTaskCompleted()
    completed.token = try text.names.token(words.next("the task"))
    for (name, value) in words.options {
      let request = try text.names.request(name)
      var result = QueryResult()
      result.queryID = "\(request.connection).\(request.stream)"
      if value.hasPrefix("!") {
        result.result = .failed(try failure(String(value.dropFirst())))
      } else if !value.isEmpty {
        var list = PayloadList()
        list.payloads = [TraceFields.payload(value)]
        result.result = .succeeded(list)
      }
      completed.queryResults.append(result)
    }
    words.options = []
    return .workflowTaskCompleted(completed)
  }

  /// `replayed w1 task#2: activity 1 charge; timer 2 | done`: what the code did in each past task.
  private func replayed(_ words: inout TraceWords, _ rest: String)
    throws(TraceFault) -> WorkerMessage.Kind
  {
    .replayCompleted(try replayCompleted(&words, rest))
  }

  func replayCompleted(_ words: inout TraceWords, _ rest: String) throws(TraceFault)
    -> ReplayCompleted
  {
    var completed = ReplayCompleted()
    completed.token = try text.names.token(words.next("the task, or the part"))
    if words.words.first == "more" {
      completed.more = true
      words.words = []
    }
    if let text = words.take("failure") {
      var failed = WorkflowTaskFailure()
      failed.failure = try failure(text)
      completed.failure = failed
    }
    for activation in rest.split(separator: "|", omittingEmptySubsequences: false) {
      var past = PastCompletion()
      for head in TracePlayer.parts(String(activation), ";") {
        past.heads.append(try self.head(head))
      }
      completed.completions.append(past)
    }
    return completed
  }

  private static func parts(_ text: String, _ separator: Character) -> [String] {
    text.split(separator: separator).map { $0.trimmingPrefix { $0 == " " } }
      .filter { !$0.allSatisfy { $0 == " " } }.map(String.init)
  }
}
