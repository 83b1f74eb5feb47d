import Basics
import EngineCore
import Messages

/// What becomes due.
extension Model {
  /// Everything that is due by now happens in its time, in the order of (time, run, event);
  /// then schedules take the actions that it has brought, and may have further ones.
  mutating func meetDeadlines() {
    repeat {
      let looks = schedules.compactMap { schedule in lookTime(schedule).map { (schedule, $0) } }
      for (schedule, time) in looks.sorted(by: { $0.1 < $1.1 }) {
        meetDeadlines(before: time)
        look(schedule)
        touched.append(schedule)
      }
      meetDeadlines(before: now + Span(ms: 1))
      proceed()
    } while schedules.contains { lookTime($0) != nil }
  }

  private mutating func meetDeadlines(before time: Instant) {
    while true {
      askForPermits()
      var first: (run: ModelRun, time: Instant, due: Due)?
      for run in runs {
        guard let (time, due) = due(run, before: time), first.map({ time < $0.time }) ?? true
        else { continue }
        first = (run, time, due)
      }
      guard let first else { return }
      meet(first.due, first.run)
    }
  }

  private enum Due {
    case taskTimeout
    case timer(Int)
    case activity(Int, ModelDue)
    case runTimeout
  }

  /// The first of what is due.
  private func due(_ run: ModelRun, before bound: Instant) -> (Instant, Due)? {
    var all: [(time: Instant, event: Int64, due: Due)] = []
    if run.task.session != nil { all.append((run.task.deadline, 0, .taskTimeout)) }
    for (place, timer) in run.timers.enumerated() where !timer.hasFired {
      let late = Span(ms: mutant == .firesLate ? 1 : 0)
      all.append((timer.fireTime + late, timer.startedEvent, .timer(place)))
    }
    for (place, activity) in run.activities.enumerated() {
      if let (time, due) = activity.due {
        all.append((time, activity.event, .activity(place, due)))
      }
    }
    if run.isOpen, let deadline = run.deadline { all.append((deadline, .max, .runTimeout)) }
    let first = all.filter { $0.time < bound }.min { ($0.time, $0.event) < ($1.time, $1.event) }
    return first.map { ($0.time, $0.due) }
  }

  private mutating func meet(_ due: Due, _ run: ModelRun) {
    switch due {
    case .taskTimeout: timeOutTask(run)
    case .timer(let place):
      run.timers[place].hasFired = true
      let timer = run.timers[place]
      var fired = TimerFired()
      fired.seq = timer.seq
      fired.timerID = timer.id
      fired.startedEventID = timer.startedEvent
      append(.timerFired(fired), to: run)
    case .activity(let place, .retry):
      run.activities[place].queue(at: now)
      // It may start at once, before what else is due by now; where a rate paces them, when all of
      // that has come.
      if queues.limits[run.activities[place].scheduled.taskQueue] == nil {
        takeGiven(run.activities[place], of: run)
      }
    case .activity(let place, .timeout(let type)): timeOut(run, place, type)
    case .activity(let place, .workerLost):
      loseWorker(run, place, evidence: "it did not come back within the resume window")
    case .runTimeout:
      timeOut(run)
    }
  }
}
