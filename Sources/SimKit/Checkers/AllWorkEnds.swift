import Basics
import EngineCore
import Messages

/// I15: without faults, all work that can be done is done within a bounded time: every request has
/// its answer, every run its end.
final class AllWorkEnds: Checker {
  static let name = "I15 all work ends"

  /// As long as the longest back-off of a task, and some.
  static let healUs: Int64 = 1_800_000_000

  /// Since when chains are there; what a schedule lets wait begins when those before it have ended.
  private var began: [RunID: Int64] = [:]
  /// Since when batches are there.
  private var batchesBegan: [BatchJobNumber: Int64] = [:]
  /// Since when schedules have something to start, and nothing that it waits for.
  private var idle: [ScheduleNumber: Int64] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes): for write in writes { note(write, scene.us) }
    case .reopened:
      idle = idle.filter { scene.ledger.schedules[$0.key] != nil }
      for schedule in scene.ledger.schedules.values {
        note(schedule.progress, schedule.number, scene.us)
      }
    case .waiting(let sinceUs, let requests): check(requests, sinceUs, scene)
    default: break
    }
  }

  private func note(_ write: Write, _ us: Int64) {
    switch write {
    case .createRun(let row): began[row.runID] = us
    case .putScheduleProgress(let number, let bytes):
      note((try? ScheduleProgress(bytes: bytes)) ?? ScheduleProgress(), number, us)
    case .deleteSchedule(let number): idle[number] = nil
    case .putBatchJob(let number, _): batchesBegan[number] = us
    default: break
    }
  }

  private func note(_ progress: ScheduleProgress, _ number: ScheduleNumber, _ us: Int64) {
    let isIdle = !progress.waiting.isEmpty && progress.info?.running.isEmpty ?? true
    idle[number] = isIdle ? idle[number] ?? us : nil
  }

  private func check(_ requests: [ClientRequest], _ sinceUs: Int64, _ scene: Scene) {
    func isOver(_ us: Int64?) -> Bool {
      scene.us - max(sinceUs, us ?? sinceUs) > AllWorkEnds.healUs
    }
    let open = scene.ledger.openRuns.filter { isOver($0.started.flatMap { began[$0.firstRunID] }) }
    let waiting = idle.filter { isOver($0.value) }.keys.sorted { $0.value < $1.value }
    let unanswered = requests.filter { isOver($0.firstSentUs) }.map(\.name)
    let batches = scene.ledger.batches.filter { number, batch in
      !batch.hasEnded && isOver(batchesBegan[number])
    }
    guard !open.isEmpty || !waiting.isEmpty || !unanswered.isEmpty || !batches.isEmpty else {
      return
    }
    scene.found(
      "after \(AllWorkEnds.healUs / 1_000_000) s without faults: open runs"
        + " \(open.map(\.row.number)), requests without an answer \(unanswered),"
        + " schedules whose actions wait \(waiting), batches \(batches.values.map(\.id).sorted())")
  }
}
