import Basics
import EngineCore
import Messages

/// What a run has of the limits of its type.
enum ModelPermit: Equatable {
  case none
  case awaited(since: Instant)
  case held(since: Instant)

  var isAwaited: Bool { if case .awaited = self { true } else { false } }
  var isHeld: Bool { if case .held = self { true } else { false } }
}

/// Permits: which runs of a type with limits may run.
extension Model {
  /// What runs already counts, whatever the limits say.
  mutating func set(_ limits: WorkflowTypeLimits?, ofType type: String) {
    let limits = limits == WorkflowTypeLimits() ? nil : limits
    if typeLimits[type] == nil && limits != nil {
      for run in runs
      where run.isOpen && run.started.workflowType == type && run.permit == .none
        && (run.hasPast || run.task.state != .none)
      {
        run.permit = .held(since: run.begins)
      }
    }
    typeLimits[type] = limits
  }

  /// Its code may begin, but for the limits.
  func ask(_ run: ModelRun) {
    guard typeLimits[run.started.workflowType] != nil, run.isOpen, run.permit == .none,
      !isHeld(run), run.pause == nil
    else { return }
    run.permit = .awaited(since: now)
  }

  /// Those whose time has come ask, before anything else becomes due for them.
  func askForPermits() {
    guard !typeLimits.isEmpty else { return }
    for run in runs where !run.hasPast && run.task.state == .none { ask(run) }
  }

  /// Who may begin asks, and is given what the engine gave, if it may.
  mutating func settlePermits() {
    askForPermits()
    for run in permittedRuns { give(run) }
  }

  /// Those that have closed since are left out.
  private var permittedRuns: [ModelRun] {
    permitted.compactMap { id in runs.last { $0.id == id && $0.isOpen } }
  }

  /// It has just been started: it may begin at once, if that is its turn.
  mutating func giveAtOnce(_ run: ModelRun) {
    let before = permittedRuns.prefix { $0 !== run }
    for other in before where other.started.workflowType == run.started.workflowType {
      give(other)
    }
    give(run)
  }

  /// Whom of those that wait the engine chooses is looked at afterwards; what makes room for it may
  /// be still to come.
  private func give(_ run: ModelRun) {
    guard permitted.contains(run.id), run.permit.isAwaited, hasRoom(for: run) else { return }
    run.permit = .held(since: now)
    for place in run.activities.indices where run.activities[place].state == .scheduled {
      run.activities[place].queue(at: now)
    }
  }

  /// At the end of a unit.
  mutating func objectToPermits() {
    for run in permittedRuns where !run.permit.isHeld {
      objections.append("\(run.id) is given a permit that it may not have")
    }
    for run in runs where run.permit.isAwaited && run.pause == nil {
      objectToWaiting(run, permittedRuns)
    }
  }

  private func holders(_ type: String) -> [ModelRun] {
    runs.filter { $0.isOpen && $0.permit.isHeld && $0.started.workflowType == type }
  }

  private func keyHasRoom(for run: ModelRun) -> Bool {
    let key = run.started.concurrencyKey
    let max = Int(typeLimits[run.started.workflowType]?.runningOfKey ?? 0)
    let count = holders(run.started.workflowType).count { $0.started.concurrencyKey == key }
    return max == 0 || key.isEmpty || count < max
  }

  private func hasRoom(for run: ModelRun) -> Bool {
    let max = Int(typeLimits[run.started.workflowType]?.running ?? 0)
    return (max == 0 || holders(run.started.workflowType).count < max) && keyHasRoom(for: run)
  }

  /// Nobody waits where there is room, and nobody is passed by who has waited with the same or a
  /// higher priority since before: what has come in this unit may have come later.
  private mutating func objectToWaiting(_ run: ModelRun, _ given: [ModelRun]) {
    if hasRoom(for: run) { objections.append("\(run.id) waits although there is room") }
    guard case .awaited(let since) = run.permit, since < now, keyHasRoom(for: run) else { return }
    let passed = given.first { other in
      guard other.started.workflowType == run.started.workflowType, let others = other.askedSince
      else { return false }
      let (own, level) = (run.started.priority.level, other.started.priority.level)
      return own != level ? own < level : since < others
    }
    if let passed { objections.append("\(passed.id) is given a permit before \(run.id)") }
  }

  /// A workflow that continues as new keeps what it has.
  func handPermit(_ run: ModelRun, _ next: ModelRun) {
    let type = next.started.workflowType
    guard run.permit.isHeld, next.started.initiator == .workflow,
      type == run.started.workflowType, typeLimits[type] != nil
    else { return }
    next.permit = .held(since: now)
  }

  // MARK: - What is told

  func describe(type: String) -> DescribeWorkflowTypeResponse {
    var response = DescribeWorkflowTypeResponse()
    response.info = info(type: type)
    guard typeLimits[type] != nil else { return response }
    var keys: [ConcurrencyKeyInfo] = []
    for run in runs where run.started.workflowType == type && run.permit != .none {
      let key = run.started.concurrencyKey
      if key.isEmpty { continue }
      let place = keys.firstIndex { $0.concurrencyKey == key } ?? keys.count
      if place == keys.count { keys.append(ConcurrencyKeyInfo()) }
      keys[place].concurrencyKey = key
      if case .awaited(let since) = run.permit {
        keys[place].waiting += 1
        keys[place].oldestAgeMs = max(keys[place].oldestAgeMs, now - since)
      } else {
        keys[place].running += 1
      }
    }
    response.keys = keys.sorted { a, b in
      (b.waiting, b.running, a.concurrencyKey) < (a.waiting, a.running, b.concurrencyKey)
    }
    response.keysCount = Int64(keys.count)
    return response
  }

  private func info(type: String) -> WorkflowTypeInfo {
    var info = WorkflowTypeInfo()
    info.workflowType = type
    info.limits = typeLimits[type]
    guard info.limits != nil else { return info }
    info.running = Int64(holders(type).count)
    for run in runs where run.started.workflowType == type {
      guard case .awaited(let since) = run.permit else { continue }
      info.waiting += 1
      info.oldestAgeMs = max(info.oldestAgeMs, now - since)
    }
    return info
  }

  mutating func answer(_ r: WorkflowTypeRequest) -> Response {
    switch r {
    case .setLimits(let m):
      if let fault = fault(of: m) { return .failure(fault) }
      set(m.limits, ofType: m.workflowType)
      return .done
    case .describe(let m):
      if let fault = fault(ofType: m.workflowType, m.namespace) { return .failure(fault) }
      return .workflowType(describe(type: m.workflowType))
    case .list(let m):
      if let fault = fault(ofType: "any", m.namespace) { return .failure(fault) }
      var response = ListWorkflowTypesResponse()
      response.types = typeLimits.keys.sorted().map(info)
      return .workflowTypes(response)
    }
  }

  private func fault(of m: SetWorkflowTypeLimitsRequest) -> Status? {
    if let fault = fault(ofType: m.workflowType, m.namespace) { return fault }
    for (field, limit) in [
      ("running", m.limits?.running), ("running_of_key", m.limits?.runningOfKey),
    ] where limit.map({ $0 < 0 || $0 > 1_000_000 }) ?? false {
      return invalid("limits.\(field)")
    }
    return nil
  }

  private func fault(ofType type: String, _ namespace: String) -> Status? {
    if type.isEmpty { return .of(.invalidArgument, .fieldMissing, field: "workflow_type") }
    if !["", "default"].contains(namespace) {
      return .of(.notFound, .namespaceNotFound, field: "namespace")
    }
    return type.utf8.count > limits.idBytesMax ? invalid("workflow_type") : nil
  }
}
