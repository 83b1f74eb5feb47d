import Basics
import EngineCore
import Messages
import Shell

/// I11: a run has one workflow task out at a time, and a lease one holder.
final class OneTaskOut: Checker {
  static let name = "I11 one task out per run, one holder per lease"

  private struct Task {
    let link: ConnectionID
    let token: [UInt8]
    let sentUs: Int64
    let untilUs: Int64
  }

  private var tasks: [RunID: Task] = [:]
  /// When a worker said last that it had dropped the run. What leaves in the same turn crosses it.
  private var dropped: [RunID: Int64] = [:]
  private static let turnUs: Int64 = 100
  private var leases: [[UInt8]: ConnectionID] = [:]
  /// What was on its way to these when they ended went nowhere.
  private var ended: Set<ConnectionID> = []

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .toWorker(let link, let kind): if !ended.contains(link) { leaves(link, kind, scene) }
    case .fromWorker(let link, let kind): comes(link, kind, scene)
    case .linkEnded(let link):
      ended.insert(link)
      tasks = tasks.filter { $0.value.link != link }
      leases = leases.filter { $0.value != link }
    case .engineDied:
      tasks = [:]
      leases = [:]
    default: break
    }
  }

  private func leaves(_ link: ConnectionID, _ kind: EngineMessage.Kind, _ scene: Scene) {
    switch kind {
    case .activation(let activation):
      goesOut(activation.runID, link, activation.token, activation.taskTimeoutMs, scene)
    case .replayHistory(let history):
      goesOut(history.runID, link, history.token, history.taskTimeoutMs, scene)
    case .evict(let evict) where tasks[evict.runID]?.link == link: tasks[evict.runID] = nil
    case .activityTask(let task):
      if let holder = leases[task.token] {
        scene.found(
          "attempt \(task.attempt) of \(task.idempotencyKey) goes to \(link.value), and"
            + " \(holder.value) holds it")
      }
      leases[task.token] = link
    case .activityCancel(let cancel) where cancel.reason != .cancelled: leases[cancel.token] = nil
    default: break
    }
  }

  private func goesOut(
    _ run: RunID, _ link: ConnectionID, _ token: [UInt8], _ timeout: Span, _ scene: Scene
  ) {
    if let task = tasks[run], task.token != token, scene.us < task.untilUs,
      task.sentUs - (dropped[run] ?? .min / 2) > OneTaskOut.turnUs
    {
      scene.found("a task of run \(run) goes to \(link.value), one is out at \(task.link.value)")
    }
    tasks[run] = Task(
      link: link, token: token, sentUs: scene.us, untilUs: scene.us + timeout.ms * 1_000 - 1_000)
  }

  private func comes(_ link: ConnectionID, _ kind: WorkerMessage.Kind, _ scene: Scene) {
    switch kind {
    case .workflowTaskCompleted(let completed):
      tasks = tasks.filter { $0.value.token != completed.token }
    case .replayCompleted(let completed) where completed.failure != nil:
      tasks = tasks.filter { $0.value.token != completed.token }
    case .evicted(let evicted):
      for run in evicted.runIDs {
        tasks[run] = nil
        dropped[run] = scene.us
      }
    default: break
    }
  }
}
