import Basics
import Messages

/// The limits of a workflow type: which of its runs have a permit, and which wait for one.
///
/// Runs wait in a line for each concurrency key, by priority, then by the time since when, then by
/// their numbers; `heads` holds the lines whose first run could go if the type had room, in the
/// same order. So a key at its limit holds nobody up, and a step costs the logarithm of the number
/// of runs that wait. In both heaps the time of an entry is its priority.
struct ConcurrencyLimit: Sendable {
  struct Place: Sendable {
    let key: String
    let priority: Int
    /// It has waited, or has had its permit, since then.
    var since: Instant
    var isHeld: Bool
    /// It waits, and is passed by as long as its run is paused.
    var isPaused = false
  }

  /// What has one concurrency key.
  private struct Line {
    var held = 0
    var waiting = DeadlineHeap<RunNumber>()
  }

  /// nil: there are none any more; runs that had a permit keep it until they close.
  private(set) var limits: WorkflowTypeLimits?
  private(set) var places: [RunNumber: Place] = [:]
  private(set) var held = 0
  /// By the bytes of the key: keys are compared so.
  private var lines: [[UInt8]: Line] = [:]
  private var heads = DeadlineHeap<[UInt8]>()

  var waiting: Int { places.count - held }
  /// Nothing is to be kept of it.
  var isIdle: Bool { limits == nil && places.isEmpty }

  // MARK: - Who is next

  /// The run that may have a permit now, before all others.
  var next: RunNumber? {
    guard hasRoom, let head = heads.first else { return nil }
    return lines[head.key]?.waiting.first?.key
  }

  private var hasRoom: Bool {
    #if MUTANTS
      if Mutant.isOn(.typeLimitIsIgnored) { return true }
    #endif
    guard let limits, limits.running > 0 else { return true }
    return held < Int(limits.running)
  }

  private func hasRoom(_ line: Line, _ key: [UInt8]) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.concurrencyKeyIsIgnored) { return true }
    #endif
    guard let limits, limits.runningOfKey > 0, !key.isEmpty else { return true }
    return line.held < Int(limits.runningOfKey)
  }

  /// Brings the heads up to date with the line of the key.
  private mutating func lookAgain(at key: [UInt8]) {
    guard let line = lines[key] else { return }
    if let first = line.waiting.first, hasRoom(line, key) {
      heads.set(key, at: first.time, order: .init(first.order.major, first.order.minor))
    } else {
      heads.remove(key)
    }
    if line.held == 0 && line.waiting.count == 0 { lines.removeValue(forKey: key) }
  }

  // MARK: - Changes

  mutating func set(_ limits: WorkflowTypeLimits?) {
    self.limits = limits
    for key in lines.keys { lookAgain(at: key) }
  }

  /// The run takes its place: it waits, or has its permit already.
  mutating func add(_ run: RunNumber, _ place: Place) {
    precondition(places[run] == nil, "\(run) has its place already")
    places[run] = place
    let key = Array(place.key.utf8)
    if place.isHeld {
      held += 1
      lines[key, default: Line()].held += 1
    } else if !place.isPaused {
      wait(run, place, key)
    }
    lookAgain(at: key)
  }

  private mutating func wait(_ run: RunNumber, _ place: Place, _ key: [UInt8]) {
    #if MUTANTS
      let priority = Mutant.isOn(.waitingOrderIsIgnored) ? Rank.plain.priority : place.priority
    #else
      let priority = place.priority
    #endif
    lines[key, default: Line()].waiting.set(
      run, at: Instant(ms: Int64(priority)), order: .init(place.since.ms, run.value))
  }

  /// The run that waited has its permit.
  mutating func give(to run: RunNumber, at now: Instant) {
    guard var place = places[run], !place.isHeld else {
      preconditionFailure("\(run) does not wait")
    }
    let key = Array(place.key.utf8)
    place.isHeld = true
    place.since = now
    places[run] = place
    held += 1
    lines[key, default: Line()].waiting.remove(run)
    lines[key]?.held += 1
    lookAgain(at: key)
  }

  /// The run that waits is paused, or goes on.
  mutating func pause(_ run: RunNumber, _ isPaused: Bool) {
    guard var place = places[run], !place.isHeld, place.isPaused != isPaused else { return }
    place.isPaused = isPaused
    places[run] = place
    let key = Array(place.key.utf8)
    if isPaused { lines[key]?.waiting.remove(run) } else { wait(run, place, key) }
    lookAgain(at: key)
  }

  /// The run has closed.
  mutating func remove(_ run: RunNumber) {
    guard let place = places.removeValue(forKey: run) else { return }
    let key = Array(place.key.utf8)
    if place.isHeld {
      held -= 1
      lines[key]?.held -= 1
    } else {
      lines[key]?.waiting.remove(run)
    }
    lookAgain(at: key)
  }

  /// Why the run waits.
  func blockage(of place: Place) -> (limit: Int32, ofKey: Bool)? {
    guard let limits else { return nil }
    let key = Array(place.key.utf8)
    if let line = lines[key], !hasRoom(line, key) { return (limits.runningOfKey, true) }
    return limits.running > 0 ? (limits.running, false) : nil
  }

  // MARK: - Figures

  func info(_ workflowType: String, at now: Instant) -> WorkflowTypeInfo {
    var info = WorkflowTypeInfo()
    info.workflowType = workflowType
    guard let limits else { return info }
    info.limits = limits
    info.running = Int64(held)
    info.waiting = Int64(waiting)
    let oldest = places.values.lazy.filter { !$0.isHeld }.map(\.since).min()
    info.oldestAgeMs = oldest.map { now - $0 } ?? .zero
    return info
  }

  /// Of each key that something runs or waits of: of which most wait, then of which most run.
  func keys(at now: Instant) -> [ConcurrencyKeyInfo] {
    guard limits != nil else { return [] }
    var infos: [[UInt8]: ConcurrencyKeyInfo] = [:]
    for place in places.values where !place.key.isEmpty {
      let key = Array(place.key.utf8)
      var info = infos[key] ?? ConcurrencyKeyInfo()
      info.concurrencyKey = place.key
      if place.isHeld {
        info.running += 1
      } else {
        info.waiting += 1
        info.oldestAgeMs = max(info.oldestAgeMs, now - place.since)
      }
      infos[key] = info
    }
    return infos.sorted { a, b in
      if a.value.waiting != b.value.waiting { return a.value.waiting > b.value.waiting }
      if a.value.running != b.value.running { return a.value.running > b.value.running }
      return a.key.lexicographicallyPrecedes(b.key)
    }.map(\.value)
  }
}

extension ConcurrencyLimit.Place {
  init(_ row: PermitRow) {
    key = row.concurrencyKey
    priority = Int(row.priority)
    since = row.sinceTimeMs
    isHeld = row.held
    isPaused = row.paused
  }

  var permit: Permit { isHeld ? .held(since: since) : .awaited(since: since) }

  func row(_ type: TypeKey) -> PermitRow {
    var row = PermitRow()
    row.namespace = type.namespace
    row.workflowType = type.workflowType
    row.concurrencyKey = key
    row.priority = Int32(priority)
    row.sinceTimeMs = since
    row.held = isHeld
    row.paused = isPaused
    return row
  }
}
