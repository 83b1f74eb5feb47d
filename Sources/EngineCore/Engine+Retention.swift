import Basics
import Messages

/// A look through the stored runs of some namespaces for those whose retention has passed; oldest
/// first.
///
/// Numbers are given in the order of the starts, and nothing that started within the retention can
/// have been closed for that long: so a look ends where that begins, and touches little beside what
/// it removes.
struct RetentionPass {
  /// Whose runs are looked through.
  let namespaces: [Namespace]
  /// The last run that was looked at.
  var after: RunNumber
  var looked: Int64 = 0
  /// Runs that had closed when it last looked.
  var closed: Int

  init(_ namespaces: [Namespace], closed: Int) {
    self.namespaces = namespaces
    self.closed = closed
    after = namespaces.map(\.emptyThrough).min() ?? RunNumber(0)
  }
}

/// What a pass has found of a namespace's runs.
struct RetentionLook {
  /// When the first of the runs that stay was closed, or can have been at the earliest.
  var earliest: Instant?
  var firstKept: RunNumber?

  mutating func keep(_ run: RunNumber, closed: Instant?) {
    firstKept = firstKept ?? run
    if let closed { earliest = min(earliest ?? closed, closed) }
  }
}

extension Engine {
  // MARK: - When

  /// A run has closed, or there may be closed ones: sees to it that it is removed in time.
  mutating func watchRetention(of namespace: Namespace, since time: Instant) {
    let retention = retention(of: namespace)
    guard retention > .zero else { return }
    if namespace.isToBeLookedThrough(at: time + retention) { setRetentionDeadline() }
  }

  /// It holds for runs that are closed already: they are looked through, once.
  mutating func retentionChanged(of namespace: Namespace) {
    #if MUTANTS
      if Mutant.isOn(.changeHoldsForNewOnes) { return }
    #endif
    namespace.due = retention(of: namespace) > .zero && namespace.runs.closed > 0 ? now : nil
    setRetentionDeadline()
  }

  /// After a start of the engine: how long the runs of earlier ones have been closed is not known.
  mutating func watchRetentions() {
    for namespace in namespaces.inOrder {
      if namespace.isLeaving {
        namespace.due = .epoch
      } else if namespace.runs != RunCounts() {
        watchRetention(of: namespace, since: .epoch)
      }
    }
    setRetentionDeadline()
  }

  mutating func setRetentionDeadline() {
    guard retentionPass == nil else { return }  // Its end sees to it.
    guard let due = namespaces.all.lazy.compactMap(\.due).min() else {
      return deadlines.remove(.retention)
    }
    deadlines.set(.retention, at: due, order: .init(0))
  }

  // MARK: - A pass

  mutating func retentionDue() {
    guard retentionPass == nil else { return readLifetimes() }
    let due = namespaces.inOrder.filter { namespace in namespace.due.map { $0 <= now } ?? false }
    for namespace in due {
      namespace.due = nil
      namespace.look = RetentionLook()
    }
    retentionPass = RetentionPass(due, closed: counters.closed)
    readLifetimes()
  }

  /// Reads on when what was removed so far is durable: removal never runs ahead of the commits.
  private mutating func readLifetimes() {
    guard let pass = retentionPass else { return }
    let id = load(
      .lifetimes(after: pass.after, countMax: limits.lifetimeSliceRows), .engine)
    loading.purposes[id] = .lifetimes
  }

  mutating func takeLifetimes(_ content: Loaded.Content) {
    guard case .lifetimes(let rows) = content, var pass = retentionPass else {
      preconditionFailure("a load of lifetimes was answered with something else")
    }
    let read = Set(readers.values.compactMap(\.historyRun))
    let shortest = shortestRetention(of: pass)
    var removal = Removal()
    let runsMax = runsToRemove(&pass)
    var isLast = rows.count < limits.lifetimeSliceRows
    var end: StoredLifetime?
    for row in rows {
      if row.startTime + shortest > now {
        (isLast, end) = (true, row)
        break
      }
      if removal.runs == runsMax || removal.bytes > limits.removedBytesMax {
        isLast = false
        break
      }
      pass.after = row.run
      pass.looked += 1
      if remove(row, read) { removal.add(row) }
    }
    counters.removed += removal.runs
    retentionPass = pass
    for namespace in pass.namespaces where namespace.isLeaving && namespace.look != nil {
      if removeRest(of: namespace) { namespace.look = nil }
    }
    if isLast || pass.namespaces.allSatisfy({ $0.look == nil }) {
      endRetentionPass(pass, at: end)
    } else {
      deadlines.set(.retention, at: now + times.removalPause, order: .init(0))
    }
  }

  private func runsToRemove(_ pass: inout RetentionPass) -> Int {
    let closed = counters.closed - pass.closed
    pass.closed = counters.closed
    return max(limits.removedRunsMax, min(limits.removedRunsBurst, 2 * closed))
  }

  /// What started longer ago may have to go.
  private func shortestRetention(of pass: RetentionPass) -> Span {
    let spans = pass.namespaces.filter { $0.look != nil }.map { namespace in
      let retention = retention(of: namespace)
      return namespace.isLeaving ? .zero : retention > .zero ? retention : Span(ms: .max / 4)
    }
    return spans.min() ?? .zero
  }

  /// What one step removes.
  private struct Removal {
    var runs = 0
    var bytes: Int64 = 0

    mutating func add(_ row: StoredLifetime) {
      runs += 1
      bytes += row.historySizeBytes
    }
  }

  /// Removes the run, if it has to go.
  private mutating func remove(_ row: StoredLifetime, _ read: Set<RunNumber>) -> Bool {
    guard let namespace = namespaces[row.namespace], namespace.look != nil else { return false }
    #if MUTANTS
      if Mutant.isOn(.removesOpenRuns), row.closeTime == nil, runs[row.run] == nil {
        out.writes.append(.deleteRun(run: row.run))
      }
    #endif
    // DeleteWorkflow has taken it meanwhile.
    if removing.contains(row.run) { return false }
    guard let closed = row.closeTime else {
      namespace.look?.keep(row.run, closed: nil)
      return false
    }
    let retention = retention(of: namespace)
    var isOver = namespace.isLeaving || (retention > .zero && closed + retention <= now)
    #if MUTANTS
      if Mutant.isOn(.removesEarly) { isOver = true }
    #endif
    // Somebody reads of it, perhaps: it goes with a later look.
    if runs[row.run] != nil || read.contains(row.run) { isOver = false }
    guard isOver else {
      namespace.look?.keep(row.run, closed: closed)
      return false
    }
    out.writes.append(.deleteRun(run: row.run))
    namespace.runs.closed -= 1
    removing.insert(row.run)
    removingUntil = serial.next
    return true
  }

  /// `end`: the first run that it has not looked at, since that is too young.
  private mutating func endRetentionPass(_ pass: RetentionPass, at end: StoredLifetime?) {
    retentionPass = nil
    // Many old runs that stay make looks long: then they are rare.
    let pause = max(times.retentionPause, Span(ms: pass.looked / 10))
    let young = end?.startTime
    for namespace in pass.namespaces {
      guard let look = namespace.look else { continue }
      namespace.look = nil
      namespace.emptyThrough = RunNumber((look.firstKept?.value ?? pass.after.value + 1) - 1)
      let retention = retention(of: namespace)
      if namespace.isLeaving {
        namespace.isToBeLookedThrough(at: now + pause)
      } else if let first = [look.earliest, young].compactMap({ $0 }).min(), retention > .zero {
        namespace.isToBeLookedThrough(at: max(first + retention, now + pause))
      }
    }
    setRetentionDeadline()
  }
}

extension Reader {
  /// The run whose history it shows.
  var historyRun: RunNumber? {
    if case .history(let run, _, _) = source { return run }
    return nil
  }
}
