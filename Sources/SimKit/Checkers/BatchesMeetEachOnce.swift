import Basics
import EngineCore
import Messages

/// I26: a batch does its operation once for each run that was there when it started and that its
/// filter selects while it is open, and for no other; how many it has done is durable with them.
final class BatchesMeetEachOnce: Checker {
  static let name = "I26 batches meet each run once"

  private var filters: [String: ModelFilter] = [:]
  /// Those of the file with which the world began.
  private var old: Set<String>?

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .sent(let request):
      if case .batch(_, let filter) = request.kind { filters[request.requestID] = filter }
    case .committed(let writes):
      for case .putBatchJobProgress(let number, _) in writes {
        if let batch = scene.ledger.batches[number] { check(batch, scene) }
      }
    case .reopened, .finished:
      if old == nil { old = Set(scene.ledger.batches.values.map(\.id)) }
      for number in scene.ledger.batches.keys.sorted() {
        if let batch = scene.ledger.batches[number] { check(batch, scene) }
      }
    default: break
    }
  }

  private func check(_ batch: Ledger.KeptBatch, _ scene: Scene) {
    if old?.contains(batch.id) ?? false { return }
    guard let filter = filters[batch.id] else {
      return scene.found("there is a batch '\(batch.id)' for which nobody has asked")
    }
    var met: Set<RunID> = []
    for run in scene.ledger.runs + scene.ledger.removed.values {
      let count = scene.ledger.ownEvents(of: run).count { $0.isBy(batch) }
      guard count > 0 else { continue }
      met.insert(run.row.runID)
      let what = "batch \(batch.id) has met \(run.row.number)"
      if count > 1 { scene.found("\(what) \(count) times") }
      if run.row.number.value > batch.definition.firstRun {
        scene.found("\(what), which has begun after it")
      }
      if !run.openRows.contains(where: filter.takes) {
        scene.found("\(what), which it does not select")
      }
    }
    if met.count != batch.progress.succeeded {
      scene.found(
        "batch \(batch.id) counts \(batch.progress.succeeded) runs; it has met \(met.count)")
    }
    if batch.progress.status == .completed { checkAll(batch, filter, met, scene) }
  }

  private func checkAll(
    _ batch: Ledger.KeptBatch, _ filter: ModelFilter, _ met: Set<RunID>, _ scene: Scene
  ) {
    let failed = batch.progress.failures.compactMap { $0.execution?.runID }
    for run in scene.ledger.openRuns
    where run.row.number.value <= batch.definition.firstRun
      && !run.isOfActivity && run.openRows.allSatisfy(filter.takes)
      && !met.contains(run.row.runID) && !failed.contains(run.row.runID)
    {
      scene.found("batch \(batch.id) has ended without \(run.row.number)")
    }
  }
}

extension HistoryEvent {
  /// What the batch has done to the event's run.
  fileprivate func isBy(_ batch: Ledger.KeptBatch) -> Bool {
    let mark = Workload.batchMark(batch.id)
    return switch attributes {
    case .workflowExecutionSignaled(let signal): signal.input.first?.text == mark
    case .workflowExecutionTerminated(let end): end.reason == mark
    default: false
    }
  }
}
