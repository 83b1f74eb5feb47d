import Basics
import Messages

/// Workflow tasks: programs that are run, and shown again.
extension SimWorker {
  func workOnTask() {
    guard let task = tasks.popFirst() else { return }
    var answers: [WorkerMessage.Kind] = []
    var grant = Grant()
    grant.workflowSlots = 1
    switch task {
    case .activation(let activation):
      if let answer = run(activation) { answers.append(answer) }
      answers.append(.grant(grant))
      if let evicted = drop(activation.runID) { answers.append(evicted) }
    case .replayHistory(let history):
      answers.append(replay(history))
      if !replayed.contains(history.runID) { replayed.append(history.runID) }
    default: preconditionFailure("this is no workflow task")
    }
    tell(answers)
  }

  /// The engine takes the run away: nothing that its code has to say is sent any more.
  func evict(_ runID: RunID) {
    runs[runID] = nil
    dropLocals(runID)
    var kept = Queue<EngineMessage.Kind>()
    var grant = Grant()
    while let task = tasks.popFirst() {
      switch task {
      case .activation(let activation) where activation.runID == runID: grant.workflowSlots += 1
      case .replayHistory(let history) where history.runID == runID:
        if !replayed.contains(runID) { grant.workflowSlots += 1 }
      default: kept.append(task)
      }
    }
    tasks = kept
    if replayed.contains(runID) {
      replayed.removeAll { $0 == runID }
      grant.workflowSlots += 1
    }
    if grant.workflowSlots > 0 { tell([.grant(grant)]) }
  }

  /// At times a worker makes room in its cache by itself.
  private func drop(_ runID: RunID) -> WorkerMessage.Kind? {
    guard runs[runID] != nil, world.time.dice.percent(world.options.selfEvictionPercent) else {
      return nil
    }
    runs[runID] = nil
    dropLocals(runID)
    dropped.append(runID)
    var evicted = Evicted()
    evicted.runIDs = [runID]
    return .evicted(evicted)
  }

  /// The answer; nil to a task that crossed the eviction of its run: the engine makes it anew.
  private func run(_ activation: Activation) -> WorkerMessage.Kind? {
    var completed = WorkflowTaskCompleted()
    completed.token = activation.token
    replayed.removeAll { $0 == activation.runID }
    if case .initializeWorkflow(let start) = activation.jobs.first?.kind {
      runs[activation.runID] = replica(start)
      dropped.removeAll { $0 == activation.runID }
    }
    if dropped.contains(activation.runID) { return nil }
    if world.hasFaults, world.time.dice.percent(world.options.taskFailurePercent) {
      completed.failure = WorkflowTaskFailure()
      return .workflowTaskCompleted(completed)
    }
    guard var replica = runs[activation.runID] else {
      world.found(
        SimWorker.name,
        "worker \(index) does not have run \(activation.runID) and was not shown it")
      completed.failure = WorkflowTaskFailure()
      return .workflowTaskCompleted(completed)
    }
    if case .queryWorkflow = activation.jobs.first?.kind {
      completed.queryResults = activation.jobs.compactMap { job in
        guard case .queryWorkflow(let query) = job.kind else { return nil }
        var result = QueryResult()
        result.queryID = query.queryID
        var list = PayloadList()
        list.payloads = [Payload(text: replica.summary)]
        result.result = .succeeded(list)
        return result
      }
      return .workflowTaskCompleted(completed)
    }
    guard let commands = replica.apply(activation.jobs) else {
      world.found(SimWorker.name, "a job of run \(activation.runID) names an unknown seq")
      completed.failure = WorkflowTaskFailure()
      return .workflowTaskCompleted(completed)
    }
    runs[activation.runID] = replica
    prepareLocals(activation, commands)
    completed.updateRejections = replica.rejections
    completed.commands = commands.map { kind in
      var command = Command()
      command.kind = kind
      return command
    }
    return .workflowTaskCompleted(completed)
  }

  private func replica(_ start: InitializeWorkflow) -> Replica {
    let isChanged = world.time.clock.ms >= world.options.changeMs
    return Replica(
      Program(input: start.input), isChanged: isChanged, chance: Dice(seed: world.time.dice.word()))
  }

  private func replay(_ history: ReplayHistory) -> WorkerMessage.Kind {
    if history.first {
      runs[history.runID] = nil
      dropLocals(history.runID)
      dropped.removeAll { $0 == history.runID }
    }
    var completed = ReplayCompleted()
    completed.token = history.token
    for past in history.activations {
      if case .initializeWorkflow(let start) = past.jobs.first?.kind {
        runs[history.runID] = replica(start)
      }
      guard let commands = runs[history.runID]?.apply(past.jobs, past: past.markers) else {
        world.found(SimWorker.name, "the replay of run \(history.runID) cannot go on")
        completed.failure = WorkflowTaskFailure()
        break
      }
      var completion = PastCompletion()
      completion.heads = commands.map(\.head)
      completed.completions.append(completion)
    }
    return .replayCompleted(completed)
  }
}
