import EngineCore
import Messages

/// The workload's own counters: a program that completes has done what its number says, and has
/// seen every signal of its history once and in order.
final class ResultsAreExpected: Checker {
  static let name = "Results are as expected"

  func see(_ observation: Observation, _ scene: Scene) {
    guard case .finished = observation else { return }
    for run in scene.ledger.runs { check(run, scene) }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    guard case .workflowExecutionStarted(let started) = run.events.first?.attributes else { return }
    let program = Program(number: started.input.first?.numbers.first ?? 0)
    let summary: String
    switch run.events.last?.attributes {
    case .workflowExecutionCompleted(let end):
      summary = end.result.first?.text ?? ""
      if program.fails { scene.found("\(run.row.number) completes, its program fails") }
    case .workflowExecutionFailed(let end):
      summary = end.failure?.info?.message ?? ""
      if !program.fails { scene.found("\(run.row.number) fails, its program completes") }
    case .workflowExecutionCanceled:
      if !program.obeysCancel { scene.found("\(run.row.number) is cancelled, its program goes on") }
      return
    default: return
    }
    let parts = summary.split(separator: "|", omittingEmptySubsequences: false)
    let signals = run.events.compactMap { $0.signal?.input.first?.text }.joined(separator: ",")
    guard parts.count == 2, parts[1] == signals else {
      return scene.found("\(run.row.number) saw '\(summary)'; its signals are '\(signals)'")
    }
    // A run's timeout ends the retries of its activities early.
    guard started.runTimeoutMs.ms == 0 else { return }
    let results = parts[0].split(separator: ",").map(String.init)
    let isExpected =
      results.count == program.expected.count
      && zip(results, program.expected).allSatisfy { $1 == nil || $0 == $1 }
    if !isExpected {
      scene.found("\(run.row.number) did \(results); its program is \(program.expected)")
    }
  }
}
