import Basics
import EngineCore
import Messages
import SQLiteStore

/// Workers and their local activities.
extension OracleWalk {
  struct Local {
    let run: RunID
    let session: SessionID
    let activity: ModelActivity
  }

  /// One that is in the hands of its worker.
  mutating func drawLocal() -> Local? {
    let all = model.runs.flatMap { run in
      run.activities.compactMap { activity in
        activity.isLocal
          ? activity.holder.map { Local(run: run.id, session: $0, activity: activity) } : nil
      }
    }
    return all.isEmpty ? nil : dice.pick(all)
  }

  mutating func end(_ local: Local) throws(StoreError) {
    var done = LocalActivityDone()
    done.token = Array("\(local.run)/\(local.activity.scheduled.seq)".utf8)
    if isWrong() { done.token = Array(repeating: 1, count: 65) }
    done.runID = local.run
    done.seq = isWrong() ? local.activity.scheduled.seq + 1 : local.activity.scheduled.seq
    // Some it makes by itself.
    done.attempt = local.activity.attempt + Int32(dice.pick([0, 0, 0, 1, 3]))
    if dice.percent(3) { done.attempt -= 1 }
    var list = PayloadList()
    list.payloads = drawDetails()
    switch dice.int(0...19) {
    case 0..<9: done.result = .completed(list)
    case 9..<15: done.result = .failed(drawFailure())
    case 15..<19: done.result = .canceled(list)
    default: break
    }
    // At times somebody else's word.
    let session = dice.percent(5) ? dice.pick(model.sessions).id : local.session
    reports.append(done)
    try say(session, .localActivityDone(done))
  }

  mutating func drawLocalActivity(_ seq: UInt32) -> ScheduleLocalActivity {
    let like = drawActivity(seq)
    var schedule = ScheduleLocalActivity()
    schedule.seq = like.seq
    schedule.activityID = like.activityID
    schedule.activityType = like.activityType
    schedule.input = like.input
    schedule.scheduleToCloseTimeoutMs = like.scheduleToCloseTimeoutMs
    schedule.startToCloseTimeoutMs = like.startToCloseTimeoutMs
    schedule.retryPolicy = like.retryPolicy
    schedule.cancellationType = like.cancellationType
    return schedule
  }
}
