import Basics
import Messages

/// A count of the runs of a type that is about to have limits: nothing was noted of them before.
///
/// The rows of all runs are read, and those of the type that are not in memory are loaded, a slice
/// at a time: each is in memory at the end, or was noted when it left. So the limits come into
/// force in one step, which knows every open run; if the engine ends before, nothing has been done.
struct RunCount {
  /// In the order in which they came.
  var requests: [(id: RequestID, limits: WorkflowTypeLimits?)]
  /// Open runs that have left memory since, their code begun.
  var begun: [RunNumber: ConcurrencyLimit.Place] = [:]
  /// Rows with lower numbers are to be read; nil: from the newest.
  var before: RunNumber?
  var isRead = false
  /// Runs of the last slice that are being loaded.
  var loads = 0
}

extension Engine {
  mutating func count(_ type: TypeKey, _ id: RequestID, _ limits: WorkflowTypeLimits?) {
    if counts[type] != nil {
      counts[type]?.requests.append((id, limits))
    } else {
      counts[type] = RunCount(requests: [(id, limits)])
      readOn(type)
    }
  }

  private mutating func readOn(_ type: TypeKey) {
    guard let count = counts[type] else { return }
    if count.isRead { return endCount(type) }
    let rows = Load.Subject.rows(
      namespace: type.namespace, key: nil, before: count.before, countMax: limits.listSliceRows)
    loading.purposes[load(rows, .engine)] = .counting(type)
    counters.loads += 1
  }

  mutating func takeCountedRows(_ type: TypeKey, _ content: Loaded.Content) {
    guard let count = counts[type] else { return }
    guard case .rows(let rows, let isCut, let seen) = content else {
      if case .corrupt(let place) = content { return failCount(type, .corrupt(place)) }
      preconditionFailure("a load of rows was answered with something else")
    }
    counts[type]?.isRead = !isCut && rows.count < limits.listSliceRows
    counts[type]?.before = seen ?? rows.last?.number ?? count.before
    for row in rows
    where row.kind == .workflow && row.closeTime == nil
      && TypeKey(row.namespace, row.workflowType) == type
      && count.begun[row.number] == nil && concurrency[type]?.places[row.number] == nil
      && runs[row.number] == nil
    {
      guard bring(row.number, .counted(type, row.number)) else {
        // Somebody else has asked for it: it is looked at again when it has come.
        counts[type]?.isRead = false
        counts[type]?.before = RunNumber(row.number.value + 1)
        break
      }
      counts[type]?.loads += 1
    }
    if counts[type]?.loads == 0 { readOn(type) }
  }

  /// The run is in memory now, or cannot be loaded.
  mutating func countedRunCame(_ type: TypeKey) {
    counts[type]?.loads -= 1
    if counts[type]?.loads == 0 { readOn(type) }
  }

  /// The run leaves memory.
  mutating func noteForCount(_ run: Run) {
    guard counts[run.typeKey] != nil else { return }
    counts[run.typeKey]?.begun[run.number] = run.hasBegun ? run.placeAtCount : nil
  }

  mutating func failCount(_ type: TypeKey, _ status: Status) {
    for request in counts.removeValue(forKey: type)?.requests ?? [] { refuse(request.id, status) }
  }

  /// Every open run is known: the limits come into force.
  private mutating func endCount(_ type: TypeKey) {
    guard let count = counts.removeValue(forKey: type) else { return }
    if concurrency[type] == nil { concurrency[type] = ConcurrencyLimit() }
    var found = count.begun.filter { runs[$0.key] == nil }
    for run in runs.values
    where run.fold.isOpen && run.permit == .none && run.typeKey == type && run.hasBegun {
      found[run.number] = run.placeAtCount
      run.permit = .held(since: run.fold.beginning)
    }
    for (number, place) in found.sorted(by: { $0.key < $1.key }) {
      #if MUTANTS
        if Mutant.isOn(.openRunsAreNotCounted) { continue }
      #endif
      guard concurrency[type]?.places[number] == nil else { continue }
      concurrency[type]?.add(number, place)
      out.writes.append(.putPermit(run: number, place.row(type).serialized()))
    }
    for request in count.requests { put(request.limits, of: type, request.id) }
  }
}

extension Run {
  /// Its code has begun, or is about to.
  fileprivate var hasBegun: Bool {
    fold.isOpen && (fold.lastTaskCompleted != 0 || !task.isIdle || isOffered)
  }

  fileprivate var placeAtCount: ConcurrencyLimit.Place {
    ConcurrencyLimit.Place(
      key: fold.started.concurrencyKey, priority: priority, since: fold.beginning, isHeld: true)
  }
}
