import Basics
import EngineCore
import Messages

/// Writes the effects of a step as lines.
extension TraceText {
  mutating func lines(_ effects: Effects) -> [String] {
    for write in effects.writes { names.learn(write) }
    var lines: [String] = []
    for write in effects.writes {
      lines += self.lines("write \(effects.serial.value): ", write)
    }
    for load in effects.loads {
      lines += wrapped("\(gate(load.after)) load ", [text(load.load.subject)])
    }
    for send in effects.sends { lines += self.lines("\(gate(send.after)) ", send.send) }
    return lines.map { names.shortened($0) }
  }

  private func gate(_ after: WriteSerial) -> String {
    after == .none ? "free" : "after \(after.value)"
  }

  /// One line, or several when it would be too long: broken where words end, never in quotes.
  private func wrapped(_ head: String, _ fields: [String]) -> [String] {
    var lines: [String] = []
    var line = head
    var isFirst = true
    for word in words(names.shortened(fields.joined(separator: " "))) {
      if !isFirst, line.count + word.count > 96 {
        lines.append(line)
        line = "    " + word
      } else {
        line += (isFirst ? "" : " ") + word
      }
      isFirst = false
    }
    return lines + [line]
  }

  private func words(_ text: String) -> [String] {
    var words = [""]
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == " ", !isQuoted {
        words.append("")
      } else {
        words[words.count - 1].append(character)
      }
    }
    return words
  }

  // MARK: - Writes

  private mutating func lines(_ head: String, _ write: Write) -> [String] {
    switch write {
    case .createRun(let row):
      return wrapped(
        head + "create \(row.number) ",
        [
          (row.kind == .activity ? "activity " : "") + row.workflowID,
          "type=\(row.workflowType)", "queue=\(row.taskQueue)", row.status.name,
          "deadline=\(row.deadline.map(time) ?? "none")",
        ] + fields(row.details)
          + (row.summary.isEmpty ? [] : ["summary=\(TraceText.quoted(row.summary))"]))
    case .appendHistory(let run, let first, let last, let bytes):
      return ["\(head)append \(run) \(first)...\(last)"] + events(bytes)
    case .copyHistory(let from, let to, let through, let event, let resetTo):
      return [
        "\(head)copy \(from) to \(to) 1...\(through), before \(event)"
          + (resetTo == .none ? "" : ", a reset")
      ]
    case .wakeRun(let run): return ["\(head)wake \(run)"]
    case .putDetails(let run, let details):
      return wrapped("\(head)details of \(run): ", fields(details))
    case .putAttributeName(_, let name, let type):
      return ["\(head)attribute \(name) \(type.name)"]
    case .deleteAttributeName(_, let name): return ["\(head)no attribute \(name)"]
    case .setStatus(let run, let status):
      return ["\(head)status of \(run) \(status.name)"]
    case .closeRun(let run, let status, let closeTime, let length, _):
      return ["\(head)close \(run) \(status.name) at \(time(closeTime)) length=\(length)"]
    case .saveState(let run, let through, let bytes, let rest):
      let state = try? RunState(bytes: bytes)
      return wrapped(
        "\(head)state of \(run) through \(through) \(text(rest)): ",
        state.map { fields($0) } ?? ["unreadable"])
    case .sleepRun(let run, let rest): return ["\(head)sleep \(run) \(text(rest))"]
    case .putActivity(let run, let event, let bytes):
      let row = try? ActivityRow(bytes: bytes)
      return wrapped(
        "\(head)activity \(run)/\(event): ", row.map { fields($0) } ?? ["unreadable"])
    case .deleteActivity(let run, let event): return ["\(head)no activity \(run)/\(event)"]
    case .putPermit(let run, let bytes):
      let row = try? PermitRow(bytes: bytes)
      return wrapped("\(head)permit of \(run): ", row.map { fields($0) } ?? ["unreadable"])
    case .deletePermit(let run): return ["\(head)no permit of \(run)"]
    case .deleteRun(let run): return ["\(head)no run \(run)"]
    case .putRequest(let run, let record):
      return ["\(head)request id of \(run) event=\(record.event)"]
    case .putLetter(let number, let bytes):
      let letter = try? Letter(bytes: bytes)
      return wrapped("\(head)letter \(number): ", letter.map { fields($0) } ?? ["unreadable"])
    case .deleteLetter(let number): return ["\(head)no letter \(number)"]
    default: return linesOfOthers(head, write)
    }
  }

  /// Of what is about no run.
  private mutating func linesOfOthers(_ head: String, _ write: Write) -> [String] {
    switch write {
    case .putZone(let name, _): return ["\(head)zone \(name)"]
    case .putSchedule(let number, let bytes):
      let definition = try? ScheduleDefinition(bytes: bytes)
      return wrapped("\(head)\(number): ", definition.map { fields($0) } ?? ["unreadable"])
    case .putScheduleProgress(let number, let bytes):
      var progress = try? ScheduleProgress(bytes: bytes)
      for index in progress?.requests.indices ?? 0..<0 {
        // Their hashes say nothing to a reader.
        var record = ScheduleRequestRecord()
        record.workflowID = progress?.requests[index].workflowID ?? ""
        progress?.requests[index] = record
      }
      return wrapped(
        "\(head)progress of \(number): ", progress.map { fields($0) } ?? ["unreadable"])
    case .putQueueLimits(_, let name, let bytes):
      guard let bytes else { return ["\(head)no limits of \(name)"] }
      let limits = try? TaskQueueLimits(bytes: bytes)
      return wrapped("\(head)limits of \(name): ", limits.map { fields($0) } ?? ["unreadable"])
    case .putWorkflowTypeLimits(_, let type, let bytes):
      guard let bytes else { return ["\(head)no limits of type \(type)"] }
      let limits = try? WorkflowTypeLimits(bytes: bytes)
      return wrapped("\(head)limits of type \(type): ", limits.map { fields($0) } ?? ["unreadable"])
    case .putNamespace(let name, let bytes):
      var definition = try? NamespaceDefinition(bytes: bytes)
      definition?.requestHash = 0  // It says nothing to a reader.
      return wrapped("\(head)namespace \(name): ", definition.map { fields($0) } ?? ["unreadable"])
    case .deleteNamespace(let name): return ["\(head)no namespace \(name)"]
    case .putSkipped(let span): return ["\(head)skipped \(span.ms)"]
    case .deleteSchedule(let number): return ["\(head)no \(number)"]
    case .putBatchJob(let number, let bytes):
      var definition = try? BatchJobDefinition(bytes: bytes)
      definition?.requestHash = 0  // It says nothing to a reader.
      return wrapped("\(head)\(number): ", definition.map { fields($0) } ?? ["unreadable"])
    case .putBatchJobProgress(let number, let bytes):
      let progress = try? BatchJobProgress(bytes: bytes)
      return wrapped(
        "\(head)progress of \(number): ", progress.map { fields($0) } ?? ["unreadable"])
    case .deleteBatchJob(let number): return ["\(head)no \(number)"]
    default: preconditionFailure("this write is about a run")
    }
  }

  private mutating func events(_ bytes: [UInt8]) -> [String] {
    guard let batch = try? HistoryBatch(bytes: bytes) else { return ["  unreadable"] }
    return batch.events.flatMap { event in
      var event = event
      let id = event.eventID
      event.eventID = 0
      event.eventTimeMs = Instant(ms: 0)
      return wrapped("  \(id) ", fields(event))
    }
      + batch.activityAttempts.flatMap { wrapped("  attempts ", fields($0)) }
  }

  // MARK: - Loads

  private func text(_ rest: RunAtRest) -> String {
    "deadline=\(rest.deadline.map(time) ?? "none") length=\(rest.historyLength)"
      + (rest.problems.isEmpty ? "" : " problems=\"\(rest.problems)\"")
  }

  private func text(_ subject: Load.Subject) -> String {
    switch subject {
    case .workflow(_, let id, let kind, let request):
      "newest run of \(kind == .activity ? "activity " : "")\(id)"
        + (request == nil ? "" : ", and what the request id did")
    case .runNamed(_, let id, let run): "\(run) of \(id)"
    case .run(let run): "\(run)"
    case .history(let run, let from, _): "history of \(run) from \(from)"
    case .rows(let namespace, let key, let before, _):
      "rows of \(key.map(text) ?? "")\(namespace)"
        + " from \(before.map { "below \($0)" } ?? "the newest")"
    case .deadlines(let time, let run, _): "deadlines after \(self.time(time)), \(run)"
    case .lifetimes(let run, _): "lifetimes after \(run)"
    case .letters(let number, _): "letters after \(number)"
    case .zone(let name): "zone \(name)"
    }
  }

  private func text(_ key: RowKey) -> String {
    switch key {
    case .workflowID(let id): "\(id) in "
    case .attribute(let name, let value): "\(name)=\(value) in "
    }
  }

  // MARK: - Sends

  private mutating func lines(_ head: String, _ send: Send) -> [String] {
    switch send {
    case .reply(let id, let reply):
      return wrapped("\(head)reply \(names.name(id)): ", fields(reply))
    case .part(let id, let bytes): return part("\(head)part \(names.name(id)):", bytes)
    case .end(let id, let status):
      return wrapped("\(head)end \(names.name(id)): ", self.status(status))
    case .awaitRoom(let session): return ["\(head)\(names.name(session)) has room?"]
    case .endSession(let session, let status):
      return wrapped("\(head)end \(names.name(session)): ", self.status(status))
    case .worker(let session, let message):
      return wrapped("\(head)\(names.name(session)) ", fields(message))
    }
  }

  /// A part of a streamed answer: of a history, of a replay, else of a list.
  private mutating func part(_ head: String, _ bytes: [UInt8]) -> [String] {
    if head.contains("part history#") { return [head] + events(bytes) }
    if head.contains("part replay#"), let response = try? ReplayResponse(bytes: bytes) {
      return wrapped("\(head) ", fields(response))
    }
    if head.contains("part list-activities#"),
      let list = try? ListActivitiesResponse(bytes: bytes)
    {
      return [head] + list.activities.flatMap { wrapped("  ", fields($0)) }
    }
    guard let list = try? ListWorkflowsResponse(bytes: bytes) else { return ["  unreadable"] }
    return [head] + list.workflows.flatMap { wrapped("  ", fields($0)) }
  }

  private mutating func status(_ status: Status) -> [String] {
    status == Status() ? ["OK"] : fields(status)
  }

  private mutating func fields(_ reply: Reply) -> [String] {
    let fields =
      switch reply {
      case .failure(let status): self.status(status)
      case .startWorkflow(let m): self.fields(m)
      case .signalWorkflow(let m): self.fields(m)
      case .queryWorkflow(let m): self.fields(m)
      case .updateWorkflow(let m): self.fields(m)
      case .cancelWorkflow(let m): self.fields(m)
      case .terminateWorkflow(let m): self.fields(m)
      case .deleteWorkflow(let m): self.fields(m)
      case .pauseWorkflow(let m): self.fields(m)
      case .unpauseWorkflow(let m): self.fields(m)
      case .resetWorkflow(let m): self.fields(m)
      case .forkWorkflow(let m): self.fields(m)
      case .describeWorkflow(let m): self.fields(m)
      case .getWorkflowResult(let m): self.fields(m)
      case .countWorkflows(let m): self.fields(m)
      case .completeActivity(let m): self.fields(m)
      case .failActivity(let m): self.fields(m)
      case .reportActivityCancelled(let m): self.fields(m)
      case .heartbeatActivity(let m): self.fields(m)
      case .pauseActivity(let m): self.fields(m)
      case .unpauseActivity(let m): self.fields(m)
      case .resetActivity(let m): self.fields(m)
      case .updateActivityOptions(let m): self.fields(m)
      case .describeTaskQueue(let m): self.fields(m)
      case .setTaskQueueLimits(let m): self.fields(m)
      case .schedule(let reply): self.fields(reply.message)
      case .workflowType(.setLimits(let m)): self.fields(m)
      case .workflowType(.describe(let m)): self.fields(m)
      case .workflowType(.list(let m)): self.fields(m)
      case .attribute(.add(let m)): self.fields(m)
      case .attribute(.list(let m)): self.fields(m)
      case .attribute(.remove(let m)): self.fields(m)
      case .namespace(.create(let m)): self.fields(m)
      case .namespace(.describe(let m)): self.fields(m)
      case .namespace(.list(let m)): self.fields(m)
      case .namespace(.update(let m)): self.fields(m)
      case .namespace(.delete(let m)): self.fields(m)
      case .activityRun(let reply): self.fields(reply.message)
      case .batch(.start(let m)): self.fields(m)
      case .batch(.describe(let m)): self.fields(m)
      case .batch(.list(let m)): self.fields(m)
      case .batch(.stop(let m)): self.fields(m)
      }
    return fields.isEmpty ? ["OK"] : fields
  }
}

extension ActivityRunReply {
  fileprivate var message: any Message {
    switch self {
    case .start(let m): m
    case .describe(let m): m
    case .result(let m): m
    case .count(let m): m
    case .cancel(let m): m
    case .terminate(let m): m
    case .delete(let m): m
    }
  }
}
