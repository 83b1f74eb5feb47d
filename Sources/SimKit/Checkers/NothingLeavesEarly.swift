import Basics
import EngineCore
import Messages

/// I10: no answer, activity task or Recorded leaves the engine before what it tells of is durable.
final class NothingLeavesEarly: Checker {
  static let name = "I10 nothing leaves before its commit"

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .answerLeaves(let request, let answer): look(at: request, answer, scene)
    case .partLeaves(let request, let body):
      guard case .history = request.kind, let batch = try? HistoryBatch(bytes: body) else { return }
      look(at: batch, request, scene)
    case .toWorker(_, .activityTask(let task)): look(at: task, scene)
    default: break
    }
  }

  private func look(at request: ClientRequest, _ answer: Answer, _ scene: Scene) {
    if let runID = answer.status?.runID, runID != .none, scene.ledger.run(runID) == nil,
      scene.ledger.otherRun(runID) == nil
    {
      return scene.found("a refusal of \(request.name) tells of run \(runID), not durable")
    }
    guard answer.isOK else { return }
    if let runID = request.runID(in: answer) {
      if let what = request.missing(from: scene.ledger, runID) {
        scene.found("the answer to \(request.name) leaves, but \(what)")
      }
      return
    }
    if let (run, status) = request.end(in: answer), scene.ledger.run(run)?.row.status != status {
      scene.found("the result of \(run) leaves: \(status.name), not durable")
    }
    switch request.kind {
    case .describe:
      guard let info = (try? DescribeWorkflowResponse(bytes: answer.message))?.info,
        let execution = info.execution
      else { return }
      if (scene.ledger.run(execution.runID)?.events.count ?? 0) < info.historyLength {
        scene.found("a description of \(execution.runID) tells of events that are not durable")
      }
    default: break
    }
  }

  private func look(at batch: HistoryBatch, _ request: ClientRequest, _ scene: Scene) {
    for event in batch.events {
      let isThere = scene.ledger.everyRun(of: request.workflowID).contains {
        $0.event(event.eventID) == event
      }
      if !isThere {
        return scene.found("event \(event.eventID) of \(request.workflowID) leaves, not durable")
      }
    }
  }

  private func look(at task: ActivityTask, _ scene: Scene) {
    guard let run = scene.ledger.run(task.runID) else {
      return scene.found("a task of run \(task.runID) leaves, which is not durable")
    }
    // A run that closed in the step in which the attempt began has no row of it, and needs none.
    guard run.isOpen else { return }
    // The idempotency key is the run's id and the event that scheduled the activity.
    let event = task.idempotencyKey.split(separator: "/").last.flatMap { Int64($0) }
    if !scene.ledger.hasStarted(run, event: event ?? 0, attempt: task.attempt) {
      scene.found("attempt \(task.attempt) of \(task.idempotencyKey) leaves, its start not durable")
    }
  }
}
