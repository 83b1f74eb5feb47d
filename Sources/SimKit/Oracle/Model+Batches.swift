import Basics
import EngineCore
import Messages

/// A batch, and the runs that have not had their turn.
final class ModelBatch {
  let request: StartBatchRequest
  let selection: ModelSelection
  var state: State
  /// What a start of the engine finds.
  var kept: State

  struct State {
    var info = BatchInfo()
    /// The newest first.
    var remaining: [RunID] = []
    var failures: [BatchFailure] = []
  }

  /// When it may do its next operations.
  var due: Instant?
  var left = 0
  var hold = Span.zero
  var underWay: RequestID?
  /// Its operation that had to wait has ended.
  var goesOn = false
  var isChanged = false

  init(_ request: StartBatchRequest, _ selection: ModelSelection, _ runs: [RunID], _ now: Instant) {
    var info = BatchInfo()
    info.batchID = request.batchID
    info.query = request.query
    info.operation = request.operation?.name ?? ""
    info.status = .running
    info.startTimeMs = now
    info.ratePerSecond = request.ratePerSecond == 0 ? 50 : request.ratePerSecond
    info.reason = request.reason
    info.identity = request.identity
    let begun = State(info: info, remaining: runs)
    self.request = request
    self.selection = selection
    state = begun
    kept = begun
    due = now
  }

  var isRunning: Bool { state.info.status == .running }

  var atOnce: Int { state.info.ratePerSecond > 1_000 ? Int(state.info.ratePerSecond / 1_000) : 1 }
  var pause: Span { Span(ms: max(1, Int64(1_000 * Double(atOnce) / state.info.ratePerSecond))) }

  func end(_ status: BatchStatus, _ now: Instant) {
    state.info.status = status
    state.info.closeTimeMs = now
    due = nil
    isChanged = true
  }
}

extension Model {
  // MARK: - Requests

  mutating func answer(_ request: BatchRequest) -> Response {
    switch request {
    case .start(let r): return start(r)
    case .describe(let r):
      return withBatch(r.namespace, r.batchID) { batch in
        var response = DescribeBatchResponse()
        response.info = batch.state.info
        response.operation = batch.request.operation
        response.failures = batch.state.failures
        return .batch(response)
      }
    case .list(let r):
      if let fault = namespaceFault(r.namespace) { return .failure(fault) }
      return .batches(batches.reversed().map(\.state.info))
    case .stop(let r):
      let now = now
      return withBatch(r.namespace, r.batchID) { batch in
        if batch.isRunning {
          batch.end(.stopped, now)
          batch.state.info.stopReason = r.reason
          batch.state.info.stopIdentity = r.identity
          batch.kept = batch.state
        }
        return .done
      }
    }
  }

  private func namespaceFault(_ namespace: String) -> Status? {
    namespace.isEmpty || namespace == "default"
      ? nil : .of(.notFound, .namespaceNotFound, field: "namespace")
  }

  private func withBatch(
    _ namespace: String, _ id: String, _ answer: (ModelBatch) -> Response
  ) -> Response {
    if id.isEmpty { return .failure(.of(.invalidArgument, .fieldMissing, field: "batch_id")) }
    if id.utf8.count > limits.idBytesMax { return .failure(invalid("batch_id")) }
    if let fault = namespaceFault(namespace) { return .failure(fault) }
    guard let batch = batches.first(where: { $0.request.batchID == id }) else {
      return .failure(.of(.notFound, .batchNotFound))
    }
    return answer(batch)
  }

  private mutating func start(_ r: StartBatchRequest) -> Response {
    if r.batchID.isEmpty {
      return .failure(.of(.invalidArgument, .fieldMissing, field: "batch_id"))
    }
    if r.batchID.utf8.count > limits.idBytesMax { return .failure(invalid("batch_id")) }
    if let fault = namespaceFault(r.namespace) { return .failure(fault) }
    guard let operation = r.operation, operation.operation != nil else {
      return .failure(.of(.invalidArgument, .fieldMissing, field: "operation"))
    }
    if let field = operation.filledField {
      return .failure(invalid("operation.\(operation.name).\(field)"))
    }
    if r.ratePerSecond < 0 || r.ratePerSecond > 10_000 {
      return .failure(invalid("rate_per_second"))
    }
    if let known = batches.first(where: { $0.request.batchID == r.batchID }) {
      var (old, new) = (known.request, r)
      (old.identity, new.identity) = ("", "")
      return old == new
        ? .batchStarted(false)
        : .failure(.of(.alreadyExists, .batchAlreadyExists, field: "batch_id"))
    }
    if let refusal = refusalOfStarts { return .failure(refusal) }
    if batches.count(where: \.isRunning) >= limits.batchJobsRunningMax {
      return .failure(.of(.resourceExhausted, .limitReached, retryAfter: Span(ms: 1_000)))
    }
    let selection = selections[r.query] ?? ModelSelection()
    let workflows = runs.reversed().filter { !$0.isOfActivity }
    batches.append(ModelBatch(r, selection, workflows.map(\.id), now))
    return .batchStarted(true)
  }

  // MARK: - At work

  /// After everything else of the unit; `isTime`: what is due by now is met in it.
  mutating func meetBatches(isTime: Bool) {
    for batch in batches where batch.goesOn {
      batch.goesOn = false
      goOn(batch)
    }
    guard isTime else { return }
    let due = batches.filter { $0.isRunning && $0.due.map { $0 <= now } ?? false }
    for batch in due.sorted(by: { ($0.due ?? now) < ($1.due ?? now) }) {
      batch.due = nil
      batch.left = batch.atOnce
      batch.hold = .zero
      goOn(batch)
    }
  }

  private mutating func goOn(_ batch: ModelBatch) {
    guard batch.isRunning, batch.underWay == nil else { return }
    if isDraining || isDiskFull { return batch.due = now + times.batchRetryPause }
    var last: RunID?
    var isReadAnew = false
    while batch.isRunning, batch.underWay == nil, batch.due == nil {
      guard let id = batch.state.remaining.first else {
        batch.end(.completed, now)
        break
      }
      guard let run = run(id), selects(batch, run), !isGone(run, batch) else {
        pass(batch)
        continue
      }
      if batch.left == 0, hasLeft(id, after: last, isReadAnew: isReadAnew) {
        pass(batch)
      } else if batch.left == 0 {
        batch.due = now + max(batch.pause, batch.hold)
      } else {
        batch.left -= 1
        let before = mail.count
        last = id
        operate(batch, run)
        if mail.count > before {
          endStep(batch)
          isReadAnew = true
        }
      }
    }
    endStep(batch)
  }

  /// What the operations so far mean to other runs comes to them, and it is kept how far it is.
  private mutating func endStep(_ batch: ModelBatch) {
    takeResumed()
    proceed()
    deliverMail()
    settle()
    keep(batch)
  }

  /// It had been removed before it would have been reset.
  private func isGone(_ run: ModelRun, _ batch: ModelBatch) -> Bool {
    guard case .resetWorkflow = batch.request.operation?.operation else { return false }
    return leaving.contains(run.id)
      && !drawn.contains { $0.workflowID.utf8.elementsEqual(run.workflowID.utf8) }
  }

  private func selects(_ batch: ModelBatch, _ run: ModelRun) -> Bool {
    switch batch.request.operation?.operation {
    case .deleteWorkflow, .resetWorkflow: break
    default: if !run.isOpen { return false }
    }
    return batch.selection.filter.takes(ModelRow(info(run), names))
  }

  /// Retention had removed it when the batch looked for runs: before its last operation, which
  /// deleted one, or after that, when it looked anew.
  private func hasLeft(_ id: RunID, after last: RunID?, isReadAnew: Bool) -> Bool {
    guard let own = leaving.firstIndex(of: id) else { return false }
    if isReadAnew { return true }
    return last.flatMap { leaving.firstIndex(of: $0) }.map { own < $0 } ?? false
  }

  private mutating func operate(_ batch: ModelBatch, _ run: ModelRun) {
    guard let request = batch.request.request(for: .of(run.workflowID, run.id)) else { return }
    // What waited was given away before.
    switch request {
    case .pauseWorkflow: takeShown(run)
    case .resetWorkflow:  // Another run of the workflow may be the one that ends.
      for other in runs where other.workflowID.utf8.elementsEqual(run.workflowID.utf8) {
        takeShown(other)
      }
    default: break
    }
    if run.pause == nil {
      for activity in run.activities where activity.state == .scheduled && activity.pause == nil {
        takeGiven(activity, of: run)
      }
    }
    batchOperations += 1
    let id = RequestID(connection: RequestID.batchJobs, stream: batchOperations)
    batch.underWay = id
    guard let answer = answer(id, request) else { return }
    operated(batch, answer)
  }

  /// One that has waited is answered.
  mutating func operated(_ id: RequestID, _ answer: Response) {
    guard let batch = batches.first(where: { $0.underWay == id }) else { return }
    operated(batch, answer)
    keep(batch)
    batch.goesOn = true
  }

  private func operated(_ batch: ModelBatch, _ answer: Response) {
    batch.underWay = nil
    guard case .failure(let status) = answer else {
      batch.state.info.succeeded += 1
      return pass(batch)
    }
    if status.retryAfterMs > .zero {
      (batch.left, batch.hold) = (0, status.retryAfterMs)
      return
    }
    let execution = run(batch.state.remaining[0]).map {
      WorkflowExecution.of($0.workflowID, $0.id)
    }
    pass(batch)
    if status.reason == .workflowClosed || status.reason == .workflowNotFound {
      batch.left += 1
      return
    }
    batch.state.info.failed += 1
    if batch.state.failures.count < 100 {
      var failure = BatchFailure()
      failure.execution = execution
      failure.status = status
      batch.state.failures.append(failure)
    }
    if status.code == .invalidArgument && !status.field.hasPrefix("point.") {
      batch.end(.failed, now)
    }
  }

  private func pass(_ batch: ModelBatch) {
    batch.state.remaining.removeFirst()
    batch.isChanged = true
  }

  private func keep(_ batch: ModelBatch) {
    if batch.isChanged { batch.kept = batch.state }
    batch.isChanged = false
  }

  /// The engine is started again: it goes on where it has written that it was.
  mutating func restartBatches() {
    for batch in batches {
      batch.state = batch.kept
      batch.underWay = nil
      batch.goesOn = false
      batch.due = batch.isRunning ? now : nil
    }
  }
}
