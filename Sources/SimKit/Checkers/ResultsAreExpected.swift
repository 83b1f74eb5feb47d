import EngineCore
import Messages

/// The workload's own counters: a program that completes has done what its number says.
final class ResultsAreExpected: Checker {
  static let name = "Results are as expected"

  /// Workflow ids whose activities may have been given a policy that allows fewer attempts than
  /// lost workers and time have cost.
  private var changed: Set<String> = []

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .sent(let request):
      if case .activity(.options) = request.kind { changed.insert(request.workflowID) }
    case .finished:
      for run in scene.ledger.runs { check(run, scene) }
      for run in scene.ledger.removed.values.sorted(by: { $0.row.runID < $1.row.runID }) {
        check(run, scene)
      }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    guard case .workflowExecutionStarted(let started) = run.events.first?.attributes else { return }
    if run.isOfActivity { return checkActivity(run, scene) }
    let program = Program(input: started.input)
    switch run.events.last?.attributes {
    case .workflowExecutionCompleted:
      if program.fails { scene.found("\(run.row.number) completes, its program fails") }
      if program.continues { scene.found("\(run.row.number) completes, its program goes on") }
    case .workflowExecutionContinuedAsNew:
      if program.fails || !program.continues {
        scene.found("\(run.row.number) continues as new, its program ends")
      }
    case .workflowExecutionFailed:
      if !program.fails { scene.found("\(run.row.number) fails, its program completes") }
    case .workflowExecutionCanceled:
      if !program.obeysCancel { scene.found("\(run.row.number) is cancelled, its program goes on") }
    default: break
    }
    guard let summary = run.summary else { return }
    let parts = summary.split(separator: "|", omittingEmptySubsequences: false)
    // A run's timeout ends the retries of its activities early.
    guard started.runTimeoutMs.ms == 0 else { return }
    let results = parts[0].split(separator: ",").map(String.init)
    let mayFail = changed.contains(run.row.workflowID)
    let expected = program.expected(run.markers).map { mayFail && $0 == "ok" ? nil : $0 }
    let isExpected =
      results.count == expected.count
      && zip(results, expected).allSatisfy { $1 == nil || $0 == $1 }
    if !isExpected {
      scene.found("\(run.row.number) did \(results); its program is \(expected)")
    }
  }

  private func checkActivity(_ run: Ledger.Run, _ scene: Scene) {
    guard run.events.count > 1,
      case .activityTaskScheduled(let scheduled) = run.events[1].attributes,
      var plan = ActivityPlan(input: scheduled.input)
    else { return scene.found("\(run.row.number) is of an activity, and schedules none") }
    plan.maximumAttempts = scheduled.retryPolicy?.maximumAttempts ?? 0
    if let fault = plan.fault(of: run) { scene.found("\(run.row.number) \(fault)") }
  }
}

extension Ledger.Run {
  fileprivate var markers: [MarkerRecorded] {
    events.compactMap { event in
      if case .markerRecorded(let marker) = event.attributes { marker } else { nil }
    }
  }

  /// What its program made of it, where it came to its end: "results|signals".
  var summary: String? {
    switch events.last?.attributes {
    case .workflowExecutionCompleted(let end): end.result.first?.text
    case .workflowExecutionFailed(let end): end.failure?.info?.message
    default: nil
    }
  }
}
