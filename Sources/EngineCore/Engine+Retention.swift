import Basics
import Messages

/// A look through the stored runs for those whose retention has passed; oldest first.
///
/// Numbers are given in the order of the starts, and nothing that started within the retention can
/// have been closed for that long: so a look ends where that begins, and touches little beside what
/// it removes.
struct RetentionPass {
  /// The last run that was looked at.
  var after = RunNumber(0)
  var looked: Int64 = 0
  /// When the first of the runs that stay was closed, or can have been at the earliest.
  var earliest: Instant?

  mutating func stays(_ time: Instant) { earliest = earliest.map { min($0, time) } ?? time }
}

extension Engine {
  /// A run has closed, or there may be closed ones: sees to it that it is removed in time.
  mutating func watchRetention(since time: Instant) {
    guard times.retention > .zero, retentionPass == nil else { return }
    let due = time + times.retention
    if let set = deadlines.time(of: .retention), set <= due { return }
    deadlines.set(.retention, at: due, order: .init(0))
  }

  mutating func retentionDue() {
    retentionPass = RetentionPass()
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
    var isLast = rows.count < limits.lifetimeSliceRows
    var removed = 0
    var bytes: Int64 = 0
    let read = Set(readers.values.compactMap(\.historyRun))
    for row in rows {
      if row.startTime + times.retention > now {
        pass.stays(row.startTime)
        isLast = true
        break
      }
      if removed == limits.removedRunsMax || bytes > limits.removedBytesMax {
        isLast = false
        break
      }
      pass.after = row.run
      pass.looked += 1
      #if MUTANTS
        if Mutant.isOn(.removesOpenRuns), row.closeTime == nil, runs[row.run] == nil {
          out.writes.append(.deleteRun(run: row.run))
        }
      #endif
      // DeleteWorkflow has taken it meanwhile.
      if removing.contains(row.run) { continue }
      guard let closed = row.closeTime else { continue }
      #if MUTANTS
        if Mutant.isOn(.removesEarly), runs[row.run] == nil {
          out.writes.append(.deleteRun(run: row.run))
          continue
        }
      #endif
      if closed + times.retention > now || runs[row.run] != nil
        || read.contains(row.run)
      {
        // Somebody reads of it, perhaps: it goes with a later look.
        pass.stays(closed)
        continue
      }
      out.writes.append(.deleteRun(run: row.run))
      removing.insert(row.run)
      removingUntil = serial.next
      removed += 1
      bytes += row.historySizeBytes
    }
    counters.removed += removed
    retentionPass = pass
    if isLast { endRetentionPass(pass) } else { readLifetimes() }
  }

  private mutating func endRetentionPass(_ pass: RetentionPass) {
    retentionPass = nil
    guard let earliest = pass.earliest else { return }
    // Many old runs that stay make looks long: then they are rare.
    let pause = max(times.retentionPause, Span(ms: pass.looked / 10))
    deadlines.set(
      .retention, at: max(earliest + times.retention, now + pause), order: .init(0))
  }
}

extension Reader {
  /// The run whose history it shows.
  var historyRun: RunNumber? {
    if case .history(let run, _, _) = source { return run }
    return nil
  }
}
