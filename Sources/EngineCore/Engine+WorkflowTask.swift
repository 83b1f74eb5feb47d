import Basics
import Messages

/// What becomes of a workflow task that is out.
extension Engine {
  /// The run whose task the token names, if this session holds it in this epoch.
  private func taskOut(_ token: [UInt8], _ id: SessionID) -> (run: Run, lease: WorkflowTask.Lease)?
  {
    guard let token = TaskToken(token), token.epoch == epoch, let run = runs[token.run],
      let lease = run.task.lease, lease.serial == token.serial, lease.session == id
    else { return nil }
    return (run, lease)
  }

  mutating func workflowTaskCompleted(_ id: SessionID, _ completed: WorkflowTaskCompleted) {
    sessionAnswered(id)
    guard let (run, lease) = taskOut(completed.token, id) else {
      return refuseTask(completed.token, id)
    }
    if let failure = completed.failure {
      let cause: WorkflowTaskFailedCause =
        failure.cause == .unspecified ? .workerFailure : failure.cause
      return failTask(run, cause, bounded(failure.failure))
    }
    guard lease.replay == nil else {
      return failTask(
        run, .badCommand, .server("commands came before the live activation was sent"))
    }
    switch lease.purpose {
    case .query: answerQueries(run, completed, lease)
    case .activation:
      if completed.more {
        guard lease.parts.count + completed.commands.count <= limits.commandsMax else {
          return failTask(run, .badCommand, .server(tooManyCommands))
        }
        guard keepsPart(completed.serialized().count, of: run) else { return }
        run.task.withLease {
          $0.parts += completed.commands
          $0.rejections += completed.updateRejections
        }
        return restartTaskTimeout(run)
      }
      apply(completed, to: run, lease)
    }
  }

  private mutating func apply(
    _ completed: WorkflowTaskCompleted, to run: Run, _ lease: WorkflowTask.Lease
  ) {
    let commands = lease.parts.isEmpty ? completed.commands : lease.parts + completed.commands
    let rejections = lease.rejections + completed.updateRejections
    if let fault = fault(in: commands, of: run, lease) ?? updateFault(commands, rejections, lease)
      ?? metadataFault(completed)
    {
      return failTask(run, .badCommand, .server(fault))
    }
    if commands.last?.isFinal ?? false, run.fold.unseen.holdsRequest(after: lease.shown.through) {
      return redo(run)
    }
    endTask(run)
    reject(rejections, of: run)
    // What showed nothing and did nothing leaves no trace, unless a streak of failures ends here.
    #if MUTANTS
      let isTraced = Mutant.isOn(.rejectionLeavesTrace)
    #else
      let isTraced = false
    #endif
    if !lease.shown.hasEvents && commands.isEmpty && run.task.attempt == 1 && !isTraced {
      startLocals(lease.shown.locals, of: run, on: lease.session)
      return recordedNothing(completed.token, run, lease)
    }
    record(run, .workflowTaskCompleted(event(completed, commands, run, lease)))
    let completedEvent = run.fold.lastEventID
    var scheduled: [Int64] = []
    for command in commands {
      if let activity = execute(command, of: run, completedEvent) { scheduled.append(activity) }
    }
    run.task.attempt = 1
    run.task.scheduledTime = .epoch
    run.task.failedBuildID = nil
    run.task.lastFailed = nil
    recorded(completed.token, lease.session, run)
    if run.fold.isOpen {
      // Cancels first: what was scheduled and cancelled in one turn must not start.
      resolveCancels(commands, of: run)
      sendLetters(of: run)
      startLocals(lease.shown.locals + scheduled, of: run, on: lease.session)
      for activity in inOrder(scheduled, of: run) { offerActivity(activity, of: run) }
      if run.fold.isOpen { afterInbound(run) }
    } else {
      uncache(run, from: lease.session)
      afterClose(run)
    }
    resumeParked(run)
  }

  /// Of activities that come together, those that go first.
  private func inOrder(_ scheduled: [Int64], of run: Run) -> [Int64] {
    func priority(_ event: Int64) -> WorkPriority? {
      run.fold.activityIndex(scheduledEvent: event).flatMap {
        run.fold.activities[$0].scheduled.priority
      }
    }
    guard scheduled.count > 1, scheduled.contains(where: { priority($0) != nil }) else {
      return scheduled
    }
    return scheduled.inOrder { priority($0)?.level ?? Rank.plain.priority }
  }

  /// The activation asked for updates only, and none was accepted, or named local activities.
  private mutating func recordedNothing(
    _ token: [UInt8], _ run: Run, _ lease: WorkflowTask.Lease
  ) {
    run.task.scheduledTime = .epoch
    recorded(token, lease.session, run)
    count(run)
    afterInbound(run)
    resumeParked(run)
    settle(run)
  }

  /// What the SDK keeps with a completion is in its event, which has to fit a frame.
  private func metadataFault(_ completed: WorkflowTaskCompleted) -> String? {
    let bytes = completed.sdkMetadata.count + 5 * completed.sdkFlags.count
    return bytes > limits.commandBytesMax
      ? "sdk_metadata and sdk_flags of \(bytes) bytes; \(limits.commandBytesMax) are allowed" : nil
  }

  /// Counts a part of the worker's answer; false: it is too much, and the task has failed.
  mutating func keepsPart(_ bytes: Int, of run: Run) -> Bool {
    let total = run.task.withLease {
      $0.partsBytes += bytes
      return $0.partsBytes
    }
    guard total > limits.partsBytesMax else { return true }
    failTask(
      run, .badCommand,
      .server("the parts of the answer are over \(limits.partsBytesMax) bytes"))
    return false
  }

  private func event(
    _ completed: WorkflowTaskCompleted, _ commands: [Command], _ run: Run,
    _ lease: WorkflowTask.Lease
  ) -> WorkflowTaskCompletedEvent {
    var event = WorkflowTaskCompletedEvent()
    event.throughEventID = lease.shown.through
    event.activationTimeMs = lease.shown.activationTime
    event.historyLength = lease.shown.historyLength
    event.historySizeBytes = lease.shown.historyBytes
    event.continueAsNewSuggested = lease.shown.continueAsNewSuggested
    event.sdkFlags = completed.sdkFlags
    event.sdkMetadata = completed.sdkMetadata
    event.attempt = run.task.attempt
    event.scheduledTimeMs = lease.scheduledTime
    event.startedTimeMs = lease.startedTime
    event.commands = Int32(commands.recordedCount)
    event.currentDetails = commands.currentDetails
    if let attach = sessions[lease.session]?.attach {
      event.identity = attach.identity
      event.buildID = attach.buildID
      event.sdkName = attach.sdkName
      event.sdkVersion = attach.sdkVersion
    }
    return event
  }

  /// The task is no longer out; nobody waits for its answer.
  mutating func endTask(_ run: Run) {
    if !run.task.isOutForCode { run.task.scheduledTime = .epoch }
    if let lease = run.task.lease {
      sessions[lease.session]?.tasksOut.remove(run.number)
      if let replay = lease.replay {
        endReplay(of: lease.session)
        // The worker never saw the task, so it cannot give its slot back.
        if replay.isFirst { returnSlot(of: lease.session) }
      }
    }
    run.task.state = .idle
    noteWork(of: run)
    deadlines.remove(.task(run.number))
    deadlines.remove(.sticky(run.number))
  }

  /// The session's slot was taken for a task that its worker never saw.
  mutating func returnSlot(of id: SessionID) {
    sessions[id]?.workflowSlots += 1
    freed.insert(id)
  }

  /// What this token brought counts once `run`'s writes are durable.
  mutating func recorded(_ token: [UInt8], _ id: SessionID, _ run: Run) {
    var recorded = Recorded()
    recorded.tokens = [token]
    var message = EngineMessage()
    message.kind = .recorded(recorded)
    send(.worker(id, message), .run(run))
  }

  mutating func refused(_ token: [UInt8], _ id: SessionID, _ status: Status, _ gate: Gate) {
    var refused = Refused()
    refused.token = token
    refused.status = status
    var message = EngineMessage()
    message.kind = .refused(refused)
    send(.worker(id, message), gate)
  }

  private mutating func refuseTask(_ token: [UInt8], _ id: SessionID) {
    refused(token, id, .staleLease, .engine)
    guard let token = TaskToken(token), let run = runs[token.run] else { return }
    // The answer crossed the eviction and a newer task of the run on their way to this session: to
    // evict again would take away what that task is just showing it.
    if run.task.lease?.session == id { return }
    if run.cachedBy == id { uncache(run, from: id) }
    sendEvict(run.runID, to: id, .notRecorded, "the task was given to somebody else or has ended")
  }

  // MARK: - Redo

  /// The code closed the workflow without having seen a signal or a cancel request: it is asked
  /// again, with it. Nothing of the completion is recorded.
  private mutating func redo(_ run: Run) {
    evict(run, .notRecorded, "a signal or cancel request came before the close was recorded")
    endTask(run)
    // If it has been paused, not at once, and then as a task like any other: by then the run may
    // have left memory, which is all that knows of a redo.
    run.task.isRedo = run.fold.pause == nil
    offerTask(run)
    if !run.isTouched { settle(run) }
  }

  /// While a redo is out, signals and cancel requests wait for it; true if this one does, or was
  /// refused because too many do. One that waits for a session is shown them like any other task.
  mutating func park(_ input: Input, behindRedoOf run: Run) -> Bool {
    guard run.task.isRedo, run.task.lease != nil else { return false }
    if !run.parked.add(ParkedInputs.Parked(input: input), limits) {
      refuseParked(input, "its workflow task")
    }
    return true
  }

  /// The redo has ended, or is not out any more: what came meanwhile is taken up.
  mutating func resumeParked(_ run: Run) {
    guard run.task.isRedo else { return }
    run.task.isRedo = false
    let parked = run.parked.inputs
    run.parked = ParkedInputs()
    // Not at once: what has brought the task to its end may be in the middle of it, as a start that
    // terminates the run to take its place.
    for waiting in parked { resumed.append(waiting.input) }
  }

  // MARK: - Failure

  /// The task fails, not the workflow: one event per streak, and a next try after a while.
  mutating func failTask(
    _ run: Run, _ cause: WorkflowTaskFailedCause, _ failure: Failure,
    diff: NondeterminismDiff? = nil
  ) {
    guard let lease = run.task.lease else { preconditionFailure("no task is out to fail") }
    counters.workflowTasksFailed += 1
    let attach = sessions[lease.session]?.attach
    evict(run, cause == .nondeterminism ? .nondeterminism : .taskFailed, failure.text)
    endTask(run)
    if case .query = lease.purpose {
      return queriesFailed(
        run, "the worker could not bring the workflow up to date: \(failure.text)")
    }
    var failed = WorkflowTaskFailed()
    failed.cause = cause
    failed.failure = failure
    failed.attempt = run.task.attempt
    failed.identity = attach?.identity ?? ""
    failed.buildID = attach?.buildID ?? ""
    failed.diff = diff
    run.task.lastFailed = failed
    if run.fold.taskFailure == nil { record(run, .workflowTaskFailed(failed)) }
    run.task.failedBuildID = attach?.buildID
    backOff(run, because: failure.text)
  }

  private mutating func backOff(_ run: Run, because text: String) {
    let until = now + run.task.backoff(times)
    run.task.attempt += 1
    run.task.state = .backingOff(until: until)
    noteWork(of: run)
    failing.insert(run.number)
    deadlines.set(.task(run.number), at: until, order: .init(run.number.value))
    failQueries(run, "the workflow task is failing: \(text)")
    updatesCameBack(to: run)
    waitersLeft(run)
    resumeParked(run)
  }

  /// The task was out for too long, or its back-off has ended.
  mutating func taskDue(_ number: RunNumber) {
    guard let run = runs[number] else { return }
    switch run.task.state {
    case .idle, .waiting:
      return
    case .backingOff:
      failing.remove(number)
      run.task.state = .idle
      offerTask(run)
    case .out(let lease):
      // The history is still being read: it is the store that is late, the worker has seen nothing.
      if lease.replay?.isFirst ?? false { return restartTaskTimeout(run) }
      counters.workflowTasksTimedOut += 1
      let identity = sessions[lease.session]?.attach.identity ?? ""
      sessions[lease.session]?.isUnresponsive = true
      evict(run, .notRecorded, "the workflow task timed out")
      endTask(run)
      dropCache(of: lease.session)
      if case .query = lease.purpose {
        return queriesFailed(run, "the worker did not answer in time")
      }
      run.task.lastFailed = nil
      if run.task.attempt == 1 {
        var timedOut = WorkflowTaskTimedOut()
        timedOut.attempt = run.task.attempt
        timedOut.identity = identity
        record(run, .workflowTaskTimedOut(timedOut))
      }
      backOff(run, because: "the worker did not answer in time")
    }
  }

  // MARK: - Queries

  private mutating func answerQueries(
    _ run: Run, _ completed: WorkflowTaskCompleted, _ lease: WorkflowTask.Lease
  ) {
    guard completed.commands.isEmpty else {
      return failTask(run, .badCommand, .server("a query handler gave a command"))
    }
    if completed.more {
      guard lease.results.count + completed.queryResults.count <= limits.commandsMax else {
        return failTask(
          run, .badCommand, .server("more than \(limits.commandsMax) answers to queries"))
      }
      guard keepsPart(completed.serialized().count, of: run) else { return }
      run.task.withLease { $0.results += completed.queryResults }
      return restartTaskTimeout(run)
    }
    endTask(run)
    let asked = lease.shown.queries
    let results = lease.results + completed.queryResults
    for query in run.queries where asked.contains(query.id) {
      switch results.first(where: { $0.queryID == query.id })?.result {
      case .succeeded(let list):
        if let status = payloadFault(list.payloads, "the query's result") {
          refuse(query.request, status, .run(run))
          continue
        }
        var response = QueryWorkflowResponse()
        response.result = list.payloads
        reply(query.request, .queryWorkflow(response), .run(run))
      case .failed(let failure):
        refuse(
          query.request, .refusal(.invalidArgument, .queryFailed, failure.text), .run(run))
      case nil:
        refuse(
          query.request, .refusal(.internal, .queryFailed, "the worker gave no answer to it"),
          .run(run))
      }
    }
    run.queries.removeAll { asked.contains($0.id) }
    recorded(completed.token, lease.session, run)
    if !run.fold.isOpen && run.queries.isEmpty {
      evict(run, .closed, "the queries of a closed run are answered")
    }
    resumeParked(run)
    offerTask(run)
    settle(run)
  }

  /// Their task has come to nothing; those that asked may all have left.
  private mutating func queriesFailed(_ run: Run, _ text: String) {
    failQueries(run, text)
    resumeParked(run)
    offerTask(run)
    if !run.isTouched { settle(run) }
  }

  mutating func failQueries(_ run: Run, _ text: String) {
    failQueries(run, .refusal(.unavailable, .workflowTaskFailing, text))
  }

  mutating func failQueries(_ run: Run, _ status: Status) {
    guard !run.queries.isEmpty else { return }
    for query in run.queries { refuse(query.request, status, .run(run)) }
    run.queries = []
    waitersLeft(run)
  }

  /// Queries of the run are gone: a task that waited for their sake is not wanted any more, and
  /// nothing else may keep the run in memory.
  mutating func waitersLeft(_ run: Run) {
    if run.task.lease == nil && !run.wantsTask { endTask(run) }
    if !run.isTouched { settle(run) }
  }
}

extension Failure {
  var text: String { info?.message ?? "no message" }
}
