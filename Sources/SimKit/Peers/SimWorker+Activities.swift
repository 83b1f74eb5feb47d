import Basics
import Messages

/// An attempt in a worker's hands.
struct HeldActivity {
  let token: [UInt8]
  let plan: ActivityPlan
  let attempt: Int32
  /// Its result, unlike that of any other attempt.
  let mark: String
  /// What was sent and is not recorded yet; nil while it runs.
  var answer: WorkerMessage.Kind?
  var isCancelled = false
}

extension SimWorker {
  func begin(_ task: ActivityTask) {
    guard let plan = ActivityPlan(input: task.input) else {
      return world.found("Activities", "an activity's input is not what was scheduled")
    }
    if activities.contains(where: { $0.token == task.token }) {
      return world.found("Activities", "worker \(index) was given a lease that it holds")
    }
    world.marks += 1
    activities.append(
      HeldActivity(
        token: task.token, plan: plan, attempt: task.attempt, mark: "m\(world.marks)"))
    if plan.heartbeats > 0 {
      self.plan(
        .heartbeat(token: task.token, left: plan.heartbeats),
        afterUs: plan.durationMs * 1_000 / Int64(plan.heartbeats + 1))
    }
    // A hanging attempt answers too, long after its time: that must count for nothing.
    let hangs = plan.hangs && task.attempt <= plan.failing
    self.plan(
      .activityEnds(token: task.token), afterUs: (hangs ? 4_000 : plan.durationMs) * 1_000)
  }

  func heartbeat(_ token: [UInt8], left: Int) {
    guard let held = activities.first(where: { $0.token == token }), held.answer == nil else {
      return
    }
    var heartbeat = Heartbeat()
    heartbeat.token = token
    heartbeat.details = [Payload(text: held.mark)]
    tell([.heartbeat(heartbeat)])
    if left > 1 {
      plan(
        .heartbeat(token: token, left: left - 1),
        afterUs: held.plan.durationMs * 1_000 / Int64(held.plan.heartbeats + 1))
    }
  }

  func endActivity(_ token: [UInt8]) {
    guard let index = activities.firstIndex(where: { $0.token == token }),
      activities[index].answer == nil
    else { return }
    let held = activities[index]
    if held.plan.isElsewhere {
      var elsewhere = WillCompleteElsewhere()
      elsewhere.token = token
      answer(index, .willCompleteElsewhere(elsewhere))
    } else if held.attempt <= held.plan.failing && !held.plan.hangs {
      var failed = ActivityFailed()
      failed.token = token
      failed.failure = .application(held.mark, isNonRetryable: held.plan.isNonRetryable)
      answer(index, .activityFailed(failed))
    } else {
      var completed = ActivityCompleted()
      completed.token = token
      completed.result = [Payload(text: held.mark)]
      answer(index, .activityCompleted(completed))
    }
  }

  /// The slot is free as soon as the code has ended; the answer is kept until it is recorded.
  private func answer(_ index: Int, _ answer: WorkerMessage.Kind) {
    activities[index].answer = answer
    var grant = Grant()
    grant.activitySlots = 1
    tell([answer, .grant(grant)])
  }

  func cancelled(_ cancel: ActivityCancel) {
    switch cancel.reason {
    case .cancelled, .paused, .reset: break
    default: return lose(cancel.token)
    }
    guard let index = activities.firstIndex(where: { $0.token == cancel.token }),
      activities[index].plan.givesUp, !activities[index].isCancelled
    else { return }
    activities[index].isCancelled = true
    plan(.activityGivesUp(token: cancel.token), afterUs: world.time.dice.int64(0...5_000))
  }

  func giveUp(_ token: [UInt8]) {
    guard let index = activities.firstIndex(where: { $0.token == token }),
      activities[index].answer == nil
    else { return }
    var report = ReportActivityCancelled()
    report.token = token
    answer(index, .reportActivityCancelled(report))
  }

  /// The lease is gone. Code that runs may take no notice before it ends: its late answer counts
  /// for nothing. An answer that was sent is told of by Recorded or Refused.
  func lose(_ token: [UInt8]) {
    guard let index = activities.firstIndex(where: { $0.token == token }),
      activities[index].answer == nil, world.time.dice.percent(50)
    else { return }
    drop(index)
  }

  private func drop(_ index: Int) {
    let wasRunning = activities[index].answer == nil
    activities.remove(at: index)
    guard wasRunning else { return }
    var grant = Grant()
    grant.activitySlots = 1
    tell([.grant(grant)])
  }

  func recorded(_ token: [UInt8]) {
    guard let index = activities.firstIndex(where: { $0.token == token }) else { return }
    let held = activities.remove(at: index)
    if case .willCompleteElsewhere = held.answer {
      return world.completeElsewhere(token, mark: held.mark)
    }
    world.observe(.activityRecorded(token: token, mark: held.mark, answer: held.answer))
  }

  func refused(_ refused: Refused) {
    guard let index = activities.firstIndex(where: { $0.token == refused.token }) else { return }
    world.observe(.activityRefused(mark: activities[index].mark))
    drop(index)
  }
}
