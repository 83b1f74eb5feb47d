import Basics
import Messages

/// A local activity in a worker's hands.
struct HeldLocal {
  let number: Int64
  let run: RunID
  let seq: UInt32
  let plan: ActivityPlan
  var attempt: Int32
  /// Its end is on its way to the engine.
  var isReported = false
}

/// Local activities: what the code schedules and what an activation names, once its completion is
/// recorded.
extension SimWorker {
  /// The completion of the activation is about to leave: what it gives leave to run, and what the
  /// code cancels of what runs.
  func prepareLocals(_ activation: Activation, _ commands: [Command.Kind]) {
    var leave = activation.localAttempts
    for job in activation.jobs {
      // The engine has ended it: what still runs counts for nothing.
      if case .resolveActivity(let end) = job.kind { dropLocals(activation.runID, end.seq) }
    }
    for command in commands {
      switch command {
      case .scheduleLocalActivity(let schedule):
        var attempt = LocalAttempt()
        attempt.seq = schedule.seq
        attempt.attempt = 1
        leave.append(attempt)
      case .requestCancelActivity(let cancel):
        leave.removeAll { $0.seq == cancel.seq }
        cancelLocal(activation.runID, cancel.seq)
      default: break
      }
    }
    if !leave.isEmpty { leaves.append((activation.token, activation.runID, leave)) }
  }

  /// The leave to run what belongs to this completion.
  func beginLocals(_ token: [UInt8]) {
    guard let place = leaves.firstIndex(where: { $0.token == token }) else { return }
    let (_, run, attempts) = leaves.remove(at: place)
    for attempt in attempts {
      guard let plan = runs[run]?.locals[attempt.seq] else { continue }
      world.marks += 1
      let held = HeldLocal(
        number: Int64(world.marks), run: run, seq: attempt.seq, plan: plan,
        attempt: attempt.attempt)
      locals.append(held)
      observe(held)
      self.plan(.localEnds(number: held.number), afterUs: plan.durationMs * 1_000)
    }
  }

  private func observe(_ held: HeldLocal) {
    world.observe(
      .localBegins(
        run: held.run, seq: held.seq, attempt: held.attempt,
        attemptsMax: held.plan.maximumAttempts))
  }

  private func cancelLocal(_ run: RunID, _ seq: UInt32) {
    guard let place = locals.firstIndex(where: { $0.run == run && $0.seq == seq }),
      locals[place].plan.cancellation == .waitCancellationCompleted
    else { return dropLocals(run, seq) }
    if locals[place].plan.givesUp { report(place, .canceled(PayloadList())) }
  }

  func dropLocals(_ run: RunID, _ seq: UInt32) {
    locals.removeAll { $0.run == run && $0.seq == seq }
  }

  /// The run is not here any more, and nothing of it counts.
  func dropLocals(_ run: RunID) {
    locals.removeAll { $0.run == run }
    leaves.removeAll { $0.run == run }
  }

  func endLocal(_ number: Int64) {
    guard let place = locals.firstIndex(where: { $0.number == number }),
      !locals[place].isReported
    else { return }
    let held = locals[place]
    let plan = held.plan
    guard held.attempt <= plan.failing else {
      var list = PayloadList()
      list.payloads = [Payload(text: "local \(held.number)")]
      return report(place, .completed(list))
    }
    let isLast = plan.maximumAttempts > 0 && held.attempt >= plan.maximumAttempts
    if isLast || plan.isNonRetryable || world.time.dice.percent(50) {
      let text = "local \(held.number)"
      return report(place, .failed(.application(text, isNonRetryable: plan.isNonRetryable)))
    }
    // It makes the next attempt by itself.
    let waitMs = plan.intervalMs(after: held.attempt)
    locals[place].attempt += 1
    observe(locals[place])
    self.plan(.localEnds(number: number), afterUs: (waitMs + plan.durationMs) * 1_000)
  }

  private func report(_ place: Int, _ result: LocalActivityDone.Result) {
    guard !locals[place].isReported else { return }
    let held = locals[place]
    locals[place].isReported = true
    var done = LocalActivityDone()
    done.token = Array("\(held.number)".utf8)
    done.runID = held.run
    done.seq = held.seq
    done.attempt = held.attempt
    done.result = result
    // At times it says it twice, which counts once.
    let times = world.time.dice.percent(10) ? 2 : 1
    tell(Array(repeating: .localActivityDone(done), count: times))
    if world.time.dice.percent(50) { locals.remove(at: place) }
  }
}
