import Basics
import Messages

/// Permits: a run of a type with limits offers itself when its code may begin, and its limit
/// answers with a permit, in the same step when there is room. What a run has is told to the store
/// at once; a run that is not in memory is woken by its permit, like one whose deadline has come.
///
/// A run of a type without limits has no permit and no row, and costs one look at a table that is
/// empty as long as no type has limits.
extension Engine {
  /// As the store has it.
  static func concurrency(_ opened: OpenedStore) -> [TypeKey: ConcurrencyLimit] {
    var concurrency: [TypeKey: ConcurrencyLimit] = [:]
    for stored in opened.workflowTypeLimits {
      let type = TypeKey(stored.namespace, stored.workflowType)
      concurrency[type, default: ConcurrencyLimit()].set(stored.limits)
    }
    for stored in opened.permits {
      let type = TypeKey(stored.row.namespace, stored.row.workflowType)
      concurrency[type, default: ConcurrencyLimit()].add(
        stored.run, ConcurrencyLimit.Place(stored.row))
    }
    return concurrency
  }

  // MARK: - Asking

  /// The run's code may begin, if nothing but the limits of its type is in its way.
  mutating func askForPermit(_ run: Run) {
    guard !concurrency.isEmpty, run.permit == .none, run.fold.isOpen, !run.isHeld,
      run.fold.pause == nil, run.isNew || run.fold.lastTaskCompleted == 0, run.task.isIdle
    else { return }
    let type = run.typeKey
    guard concurrency[type]?.limits != nil else { return }
    join(run, type, isHeld: false, since: now)
    givePermits(of: type, asking: run)
    writePermit(of: run.number, type)
  }

  private mutating func join(_ run: Run, _ type: TypeKey, isHeld: Bool, since: Instant) {
    let place = ConcurrencyLimit.Place(
      key: run.fold.started.concurrencyKey, priority: run.priority, since: since, isHeld: isHeld)
    concurrency[type]?.add(run.number, place)
    run.permit = place.permit
    armRunTimeout(of: run)
    touch(run)
  }

  private mutating func writePermit(of run: RunNumber, _ type: TypeKey) {
    guard let place = concurrency[type]?.places[run] else { return }
    #if MUTANTS
      if Mutant.isOn(.permitIsNotWritten) { return }
    #endif
    out.writes.append(.putPermit(run: run, place.row(type).serialized()))
  }

  // MARK: - Giving

  /// As many permits as there is room for. What `asking` does next, its caller says.
  private mutating func givePermits(of type: TypeKey, asking: Run? = nil) {
    while let number = concurrency[type]?.next {
      concurrency[type]?.give(to: number, at: now)
      if number == asking?.number {
        asking?.permit = .held(since: now)
        continue
      }
      writePermit(of: number, type)
      if let run = runs[number] { goOn(run) } else { wakeByPermit(number) }
    }
    if let asking { armRunTimeout(of: asking) }
  }

  private mutating func goOn(_ run: Run) {
    run.permit = .held(since: now)
    armRunTimeout(of: run)
    touch(run)
    // Of a copy, what has waited with it.
    for activity in run.fold.activities where activity.phase == .queued {
      offerActivity(activity.scheduledEvent, of: run)
    }
    offerTask(run)
  }

  /// It is loaded as soon as there is room for it; a start of the engine finds it, too. The store
  /// does not have the write yet, so it could not tell of the run now.
  private mutating func wakeByPermit(_ number: RunNumber) {
    out.writes.append(.wakeRun(run: number))
    window.watch(StoredDeadline(run: number, deadline: RunRow.immediately), isStored: false)
  }

  /// Where permits have come free in this step, and nobody has taken them over.
  mutating func giveFreedPermits() {
    while !freedPermits.isEmpty, let type = freedPermits.min() {
      freedPermits.remove(type)
      givePermits(of: type)
      if concurrency[type]?.isIdle ?? false { concurrency.removeValue(forKey: type) }
    }
  }

  // MARK: - The life of a run

  /// The run closes, or nobody can load it.
  mutating func leaveLimit(_ run: Run) {
    guard run.permit != .none else { return }
    run.permit = .none
    losePermit(of: run.number, run.typeKey)
  }

  private mutating func losePermit(of number: RunNumber, _ type: TypeKey) {
    #if MUTANTS
      if Mutant.isOn(.permitIsNotFreed), concurrency[type]?.places[number]?.isHeld ?? false {
        return
      }
    #endif
    concurrency[type]?.remove(number)
    out.writes.append(.deletePermit(run: number))
    freedPermits.insert(type)
  }

  /// A run that cannot be loaded must not hold up the others of its type.
  mutating func losePermit(of number: RunNumber) {
    for type in concurrency.keys.sorted() where concurrency[type]?.places[number] != nil {
      losePermit(of: number, type)
    }
  }

  /// `next` goes on where `run` has closed: a workflow does not lose its permit by continuing as
  /// new. A retry and a cron run wait for their time, without one.
  mutating func handPermit(of run: Run, to next: Run) {
    guard next.fold.started.initiator == .workflow, next.workflowType == run.workflowType,
      next.permit == .none
    else { return }
    #if MUTANTS
      if Mutant.isOn(.permitIsNotHandedOver) { return }
    #endif
    let type = next.typeKey
    guard type == run.typeKey, concurrency[type]?.limits != nil else { return }
    join(next, type, isHeld: true, since: now)
    writePermit(of: next.number, type)
  }

  /// A run that is paused while it waits is passed by, and keeps its place.
  mutating func pauseInLine(_ run: Run, _ isPaused: Bool) {
    guard run.permit.isAwaited else { return }
    let type = run.typeKey
    concurrency[type]?.pause(run.number, isPaused)
    writePermit(of: run.number, type)
    freedPermits.insert(type)
  }

  /// What a run that comes into memory has.
  func permit(of number: RunNumber, _ namespace: String, _ workflowType: String) -> Permit {
    if concurrency.isEmpty { return .none }
    return concurrency[TypeKey(namespace, workflowType)]?.places[number]?.permit ?? .none
  }

  /// Whether it has a permit decides when its time begins.
  private mutating func armRunTimeout(of run: Run) {
    if let end = runDeadline(run) {
      deadlines.set(.runTimeout(run.number), at: end, order: .init(run.number.value, .max))
    } else {
      deadlines.remove(.runTimeout(run.number))
    }
  }

  // MARK: - What is told

  /// Since when the run of the row waits; the epoch if it does not.
  func waitingSince(_ row: RunRow) -> Instant {
    guard !concurrency.isEmpty, row.closeTime == nil,
      case .awaited(let since) = permit(of: row.number, row.namespace, row.workflowType)
    else { return .epoch }
    return since
  }

  /// What the run waits for, in words; nil if it does not.
  func permitProblem(of run: Run) -> String? {
    guard case .awaited(let since) = run.permit, let limit = concurrency[run.typeKey],
      let place = limit.places[run.number]
    else { return nil }
    let what = "the workflow has waited for \((now - since).ms) ms until it may run"
    guard let blockage = limit.blockage(of: place) else { return what }
    let of = blockage.ofKey ? "concurrency key '\(place.key)'" : "type '\(run.workflowType)'"
    return "\(what): of \(of) at most \(blockage.limit) may run at once"
  }
}
