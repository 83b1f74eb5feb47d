import Basics

/// What the shell asks before it skips time.
extension Engine {
  /// The time of what happens next by itself; nil: nothing will.
  ///
  /// What the engine does for its own sake (runs that become dormant, closed ones that are removed,
  /// heartbeats that are written) is done when its time has come, but time is not skipped for it:
  /// else what a test looks at would be gone because nothing else was to happen.
  public var nextEvent: Instant? {
    let awake = deadlines.first { $0.isEvent }?.time
    guard let dormant = window.next else { return awake }
    return awake.map { min($0, dormant) } ?? dormant
  }

  /// Something is under way that takes time outside the engine, or may be taken up at any moment:
  /// time passes as it does there.
  public var isBusy: Bool {
    !busy.isEmpty || !outside.isEmpty || !loading.purposes.isEmpty || isDraining || isDiskFull
      || sentReplays.values.contains { $0.asked?.session != nil }
  }

  /// What is due has not been done altogether.
  public func isBehind(at now: Instant) -> Bool {
    loading.dueLoads > 0 || (nextDeadline.map { $0 <= now } ?? false)
  }

  public var busyRuns: Int { busy.count }

  /// Called whenever the run's task or activities may have begun or ended.
  mutating func noteWork(of run: Run) {
    guard skipsTime else { return }
    if run.isBusy { busy.insert(run.number) } else { busy.remove(run.number) }
  }

  /// The run leaves memory; one that waits outside is busy all the same.
  mutating func forgetWork(of run: Run) {
    if skipsTime { busy.remove(run.number) }
  }
}

extension Deadline {
  /// It changes a run, a schedule or a batch job, not only where the engine keeps what.
  fileprivate var isEvent: Bool {
    switch self {
    case .timer, .activity, .task, .runTimeout, .beginning, .schedule, .batchJob, .pace: true
    case .sticky, .residency, .retention, .heartbeats, .mail, .sentReplay: false
    }
  }
}
