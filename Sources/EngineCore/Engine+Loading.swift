import Basics
import Messages

/// Inputs that wait for the store, and what the store answered.
struct Loading {
  /// What a load brings into memory; inputs that need it are parked under it.
  enum Target: Hashable {
    case workflow(WorkflowKey)
    case run(RunNumber)
    case named(WorkflowKey, RunID)
    /// Requests about one schedule; no run is looked for, only the zone of the first of them.
    case schedule(ScheduleKey)

    /// What the store is asked; `request`: what it did, too.
    func subject(_ request: Fingerprint?) -> Load.Subject {
      switch self {
      case .workflow(let key):
        .workflow(
          namespace: key.namespace, workflowID: key.workflowID, kind: key.kind, request: request)
      case .named(let key, let runID):
        .runNamed(namespace: key.namespace, workflowID: key.workflowID, runID: runID)
      case .run(let number): .run(number)
      case .schedule: preconditionFailure("schedules are always in memory")
      }
    }
  }

  enum Purpose {
    case target(Target, request: Fingerprint?)
    /// A deadline of a dormant run has come.
    case due(RunNumber)
    /// A run that waits outside has its turn.
    case turn(RunNumber)
    case replay(RunNumber)
    case outcome(OutcomeSearch)
    case read(RequestID)
    /// Whether a worker's report is recorded already.
    case repetition(Repetition)
    /// The history of a run that is copied.
    case copy(RequestID)
    case deadlines
    case lifetimes
    case letters
    /// A zone that the inputs of a line wait for.
    case zone(String, Target)
    /// Runs for a batch job.
    case batchJob(BatchJobNumber)
    /// Rows, and a run, for the count of the runs of a type.
    case counting(TypeKey)
    case counted(TypeKey, RunNumber)
  }

  var purposes: [Load.ID: Purpose] = [:]
  var parked: [Target: ParkedInputs] = [:]
  /// Closed runs that were loaded for inputs which now wait for another load of their workflow id;
  /// without them these would begin again.
  var pinned: [WorkflowKey: [RunNumber]] = [:]
  /// Set while parked inputs are taken up again: what the store has just said.
  var answer: Answer?
  /// As `answer`: a zone that the system does not have.
  var missingZone: String?
  /// Loads under way because of deadlines.
  var dueLoads = 0
  /// Loads under way because a worker has room.
  var turnLoads = 0
  private var lastID: UInt64 = 0

  struct Answer {
    let target: Target
    /// The request key that was looked up, and what it found.
    let request: Fingerprint?
    var found: FoundRequest?
    /// Of the input that is taken up: that the run which it names is not there is known already.
    var hasNoRun = false
  }

  mutating func nextID() -> Load.ID {
    lastID += 1
    return Load.ID(lastID)
  }
}

/// Inputs that wait, in the order in which they came; bounded, since peers decide how many come.
struct ParkedInputs {
  struct Parked {
    let input: Input
    /// It waits for the load that looks this request up; nil: any load of the target will do.
    var request: Fingerprint?
    /// The run that it names was looked for and is not there.
    var hasNoRun = false
  }

  private(set) var inputs: [Parked] = []
  private var bytes = 0

  var isEmpty: Bool { inputs.isEmpty }

  /// False when there is no room for one more request. What a worker reports is bounded by its
  /// leases, and a result must not be lost.
  mutating func add(_ parked: Parked, _ limits: EngineLimits) -> Bool {
    let more = parked.input.approximateBytes
    let isRoom = inputs.count < limits.parkedInputsMax && bytes + more <= limits.parkedBytesMax
    guard isRoom || !parked.input.isRequest else { return false }
    append(parked, more)
    return true
  }

  /// Takes in again what had its place before.
  mutating func append(_ earlier: ArraySlice<Parked>) {
    for parked in earlier { append(parked, parked.input.approximateBytes) }
  }

  private mutating func append(_ parked: Parked, _ more: Int) {
    inputs.append(parked)
    bytes += more
  }
}

/// The outcome of a look-up.
enum Found {
  case run(Run)
  case none
  /// The input waits for a load, or has been refused because too many do.
  case parked
}

extension Engine {
  /// Looks a run up by workflow id, and run id if one is given; parks the input if the store must
  /// be asked.
  mutating func find(_ key: WorkflowKey, _ runID: RunID, for input: Input) -> Found {
    // Requests about one workflow id take effect in the order in which they came.
    if let line = loading.parked[.workflow(key)], !line.isEmpty {
      return park(input, on: .workflow(key))
    }
    if runID != .none {
      if let line = loading.parked[.named(key, runID)], !line.isEmpty {
        return park(input, on: .named(key, runID))
      }
      if let number = byRunID[runID], let run = runs[number] {
        return run.key == key && !run.isRemoved ? .run(run) : .none
      }
    } else if let number = newest[key], let run = runs[number] {
      // One that goes with this step: the store knows whether there is an earlier one.
      return run.isRemoved ? look(for: .workflow(key), input) : .run(run)
    }
    let target: Loading.Target = runID == .none ? .workflow(key) : .named(key, runID)
    if let answer = loading.answer, answer.target == target || answer.hasNoRun { return .none }
    guard filter.mayContain(IDFilter.key(namespace: key.namespace, workflowID: key.workflowID))
    else { return .none }
    return look(for: target, input)
  }

  /// Looks a run up by its number.
  mutating func find(_ number: RunNumber, for input: Input) -> Found {
    if let run = runs[number] { return run.isRemoved ? .none : .run(run) }
    if loading.answer?.target == .run(number) || number.value <= 0 || number >= nextRun {
      return .none
    }
    return look(for: .run(number), input)
  }

  /// Parks the input until the store has been asked.
  private mutating func look(
    for target: Loading.Target, _ input: Input, request: Fingerprint? = nil,
    hasNoRun: Bool = false
  ) -> Found {
    let isFirst = loading.parked[target]?.isEmpty ?? true
    if isFirst || request != nil {
      // A run stays in memory until it is durable, but of its workflow id's earlier runs nothing
      // is known here: what their requests did may be in a batch that is on its way.
      ask(for: target, request, request == nil ? .free : .engine)
    }
    return park(input, on: target, request, hasNoRun: hasNoRun)
  }

  private mutating func ask(
    for target: Loading.Target, _ request: Fingerprint?, _ gate: Gate
  ) {
    let id = load(target.subject(request), gate)
    loading.purposes[id] = .target(target, request: request)
    counters.loads += 1
  }

  /// Puts the input into the line of a load that is under way.
  mutating func park(
    _ input: Input, on target: Loading.Target, _ request: Fingerprint? = nil,
    hasNoRun: Bool = false
  ) -> Found {
    let parked = ParkedInputs.Parked(input: input, request: request, hasNoRun: hasNoRun)
    if !loading.parked[target, default: ParkedInputs()].add(parked, limits) {
      refuseParked(input, "the load of its run")
    }
    return .parked
  }

  mutating func refuseParked(_ input: Input, _ awaited: String) {
    refuse(
      input,
      .refusal(
        .resourceExhausted, .overloaded,
        "too many requests to this workflow wait for \(awaited)", retryAfter: Span(ms: 100)))
  }

  /// Refuses an input that waited for a load.
  private mutating func refuse(_ input: Input, _ status: Status) {
    switch input {
    case .request(let id, .getHistory): refuseStream(id, status)
    case .request(let id, _): refuse(id, status)
    case .scheduled(let order): refuse(order, status)
    case .batchJob(let number): goOn(number)
    case .workerMessage(let id, let message):
      guard sessions[id] != nil, let token = message.kind?.activityToken else { return }
      refused(token, id, status, .engine)
    case .letter(let posted): abandon(posted)
    default: preconditionFailure("only requests, orders, letters and reports wait for a load")
    }
  }

  // MARK: - Request ids

  /// What a request id has done before.
  enum Earlier {
    /// Not seen: do it, and remember it with `record`.
    case new(RequestRecord?)
    case done(FoundRequest)
    /// Answered, or parked.
    case handled
  }

  /// Looks a request id up over all runs of its workflow id.
  mutating func earlier(
    _ id: RequestID, method: String, key: WorkflowKey, requestID: String,
    hash:
      @autoclosure () ->
      UInt64, run: Run?, input: Input
  ) -> Earlier {
    guard !requestID.isEmpty else { return .new(nil) }
    let fingerprint = requestKey(method: method, key, requestID)
    let record = RequestRecord(key: fingerprint, requestHash: hash(), event: 0)
    switch recall(fingerprint, key, run, input) {
    case .parked: return .handled
    case .unknown: return .new(record)
    case .known(let found):
      #if MUTANTS
        if Mutant.isOn(.repetitionIsNew), found.run != run?.number { return .new(record) }
      #endif
      guard found.record.requestHash == record.requestHash else {
        let field = method == Engine.updateMethod ? "update_id" : "request_id"
        refuse(id, .requestIDReused(requestID, field, found.runID))
        return .handled
      }
      return .done(found)
    }
  }

  enum Recalled {
    case known(FoundRequest)
    case unknown
    case parked
  }

  /// What is remembered under the key, of all runs of the workflow id; `run` is the newest.
  mutating func recall(
    _ fingerprint: Fingerprint, _ key: WorkflowKey, _ run: Run?, _ input: Input
  ) -> Recalled {
    if let run, let known = run.request(fingerprint) {
      return .known(FoundRequest(run: run.number, runID: run.runID, record: known))
    }
    if loading.answer?.request == fingerprint {
      return loading.answer?.found.map { .known($0) } ?? .unknown
    }
    guard filter.mayContain(fingerprint) else { return .unknown }
    _ = look(for: .workflow(key), input, request: fingerprint, hasNoRun: run == nil)
    return .parked
  }

  func requestKey(method: String, _ key: WorkflowKey, _ requestID: String) -> Fingerprint {
    // Methods that there are for both kinds mean another request for each.
    let method = key.kind == .workflow ? method : "activity/\(method)"
    return Fingerprint(of: key.namespace, method, key.workflowID, requestID)
  }

  mutating func remember(_ record: RequestRecord?, event: Int64, in run: Run) {
    guard var record else { return }
    #if MUTANTS
      if Mutant.isOn(.requestIsForgotten), event != 0 { return }
    #endif
    record.event = event
    run.remember(record)
    // At once: the same step may take up its repetition too, when another run is the newest.
    filter.insert(record.key)
    if loading.answer?.request == record.key {
      // Its repetition may wait for the same answer, which is older than this.
      loading.answer?.found = FoundRequest(run: run.number, runID: run.runID, record: record)
    }
    touch(run)
  }

  // MARK: - Answers of the store

  mutating func take(_ loaded: Loaded) {
    guard let purpose = loading.purposes.removeValue(forKey: loaded.id) else { return }
    switch purpose {
    case .target(let target, let request): takeRun(loaded.content, target, request)
    case .due(let number):
      loading.dueLoads -= 1
      takeDue(loaded.content, number)
    case .turn(let number):
      loading.turnLoads -= 1
      takeDue(loaded.content, number)
      feedHungry()
    case .replay(let number): takeReplaySlice(number, loaded)
    case .outcome(let search): takeOutcomeSlice(search, loaded.content)
    case .read(let id): takeReadSlice(id, loaded.content)
    case .repetition(let repetition): takeRepetitionSlice(repetition, loaded.content)
    case .copy(let id): takeCopySlice(id, loaded.content)
    case .deadlines: takeDeadlines(loaded.content)
    case .lifetimes: takeLifetimes(loaded.content)
    case .letters: takeLetters(loaded.content)
    case .zone(let name, let line): takeZone(loaded.content, name, line)
    case .batchJob(let number): takeBatchRows(number, loaded.content)
    case .counting(let type): takeCountedRows(type, loaded.content)
    case .counted(let type, let number):
      takeDue(loaded.content, number)
      countedRunCame(type)
    }
  }

  private mutating func takeDue(_ content: Loaded.Content, _ number: RunNumber) {
    takeRun(content, .run(number), nil)
  }

  private mutating func takeRun(
    _ content: Loaded.Content, _ target: Loading.Target, _ request: Fingerprint?
  ) {
    var found: FoundRequest?
    var corrupt: String?
    var restored: Run?
    switch content {
    case .run(let stored, let record):
      // It is gone from here, but what is said because of that must not leave before the batch that
      // removes it.
      if [stored?.row.number, record?.run].contains(where: { $0.map(removing.contains) ?? false }) {
        return ask(for: target, request, .engine)
      }
      found = record
      if let stored {
        do {
          restored = try restore(stored, isNewest: target.isWorkflow)
        } catch { corrupt = error.place }
      }
    case .corrupt(let place): corrupt = place
    default: preconditionFailure("a load of a run was answered with something else")
    }
    let waiting = loading.parked.removeValue(forKey: target)?.inputs ?? []
    if let corrupt {
      counters.corruptRuns += 1
      for parked in waiting { refuse(parked.input, .corrupt(corrupt)) }
      if case .run(let number) = target {
        settleClaims(number)
        losePlaces(of: number)
        losePermit(of: number)
      }
      return
    }
    // Before what waits for it is taken up, and its task goes to anybody: the run may end now.
    if let restored { meetDeadlines(of: restored) }
    loading.answer = Loading.Answer(target: target, request: request, found: found)
    takeUp(waiting, target, request)
    loading.answer = nil
    if case .run(let number) = target { settleClaims(number) }
    if let restored { settleLoaded(restored) }
    if case .workflow(let key) = target, loading.parked[target] == nil {
      for number in loading.pinned.removeValue(forKey: key) ?? [] {
        if let run = runs[number] { settleLoaded(run) }
      }
    }
  }
}

extension Engine {
  /// Takes up what the answer is enough for. Nothing passes what came before it: from the first one
  /// on that waits for another look-up, all keep their places.
  mutating func takeUp(
    _ waiting: [ParkedInputs.Parked], _ target: Loading.Target, _ request: Fingerprint?
  ) {
    var taken = 0
    while taken < waiting.count, loading.parked[target] == nil,
      waiting[taken].request == nil || waiting[taken].request == request
    {
      let parked = waiting[taken]
      taken += 1
      loading.answer?.hasNoRun = parked.hasNoRun
      handle(parked.input)
    }
    guard taken < waiting.count else { return }
    loading.parked[target, default: ParkedInputs()].append(waiting[taken...])
  }
}

extension Input {
  var isRequest: Bool {
    if case .request = self { return true }
    return false
  }
}

extension Status {
  static func corrupt(_ place: String) -> Status {
    refusal(
      .dataLoss, .historyCorrupt,
      "the stored run cannot be read: \(place); restore the file from a backup")
  }
}

extension WorkerMessage.Kind {
  /// The lease that a report on an attempt names.
  fileprivate var activityToken: [UInt8]? {
    switch self {
    case .activityCompleted(let m): return m.token
    case .activityFailed(let m): return m.token
    case .reportActivityCancelled(let m): return m.token
    case .willCompleteElsewhere(let m): return m.token
    case .heartbeat(let m): return m.token
    default: return nil
    }
  }
}

extension Loading.Target {
  var isWorkflow: Bool {
    if case .workflow = self { return true }
    return false
  }
}
