import Basics
import Messages

/// The times that a spec names, ready to be asked for.
struct ScheduleTimes {
  /// One that names times.
  private enum Item {
    case calendar(Calendar)
    case interval(every: Span, phase: Span)
    case instant(Instant)
  }

  /// A look into the future that ends, although some specs never match.
  enum Search: Equatable {
    case found(Instant)
    /// There is none before this time, from which one can look on.
    case noneBefore(Instant)
    case never
  }

  static let itemsMax = 100
  /// Times that one search drops because of exclusions.
  static let droppedMax = 1_000
  /// No time is later: the end of the year 2999.
  static let end = Instant(
    ms: CivilDay(year: 3_000, month: 1, day: 1).daysSinceEpoch * 86_400_000 - 1)

  private let items: [Item]
  private let exclusions: [Calendar]
  private let first: Instant
  private let last: Instant
  private let jitter: Span
  private let zone: TimeZone

  init(_ spec: ScheduleSpec, in zone: TimeZone) throws(SpecFault) {
    self.zone = zone
    var items: [Item] = []
    for (index, calendar) in spec.calendars.enumerated() {
      items.append(try ScheduleTimes.item("calendars[\(index)]", .calendar(calendar)))
    }
    for (index, text) in spec.crons.enumerated() {
      let cron: Cron
      do { cron = try CronReader.read(text) } catch { throw error.within("crons[\(index)]") }
      items.append(try ScheduleTimes.item("crons[\(index)]", cron))
    }
    for (index, interval) in spec.intervals.enumerated() {
      items.append(try ScheduleTimes.item("intervals[\(index)]", .interval(interval)))
    }
    items += spec.instantsAtMs.map { .instant($0) }
    guard items.count <= ScheduleTimes.itemsMax else {
      throw SpecFault(
        field: "",
        message: "\(items.count) calendars, crons, intervals and instants;"
          + " \(ScheduleTimes.itemsMax) are allowed")
    }
    self.items = items
    exclusions = try ScheduleTimes.exclusions(spec.exclusions)
    first = spec.startAtMs
    last = spec.endAtMs == .epoch ? ScheduleTimes.end : min(spec.endAtMs, ScheduleTimes.end)
    jitter = spec.jitterMs
    for (field, value) in [
      ("start_at_ms", spec.startAtMs.ms), ("end_at_ms", spec.endAtMs.ms),
      ("jitter_ms", spec.jitterMs.ms),
    ] where value < 0 {
      throw SpecFault(field: field, message: "must not be negative")
    }
  }

  /// No time at all.
  static let none = ScheduleTimes()

  private init() {
    items = []
    exclusions = []
    first = .epoch
    last = .epoch
    jitter = .zero
    zone = .utc
  }

  /// One cron string alone.
  init(cron text: String, in zone: TimeZone) throws(SpecFault) {
    var spec = ScheduleSpec()
    spec.crons = [text]
    do { try self.init(spec, in: zone) } catch {
      throw SpecFault(field: "", message: error.message)
    }
  }

  private static func exclusions(_ specs: [CalendarSpec]) throws(SpecFault) -> [Calendar] {
    guard specs.count <= itemsMax else {
      throw SpecFault(field: "exclusions", message: "\(specs.count); \(itemsMax) are allowed")
    }
    var calendars: [Calendar] = []
    for (index, spec) in specs.enumerated() {
      do { calendars.append(try Calendar(spec)) } catch {
        throw error.within("exclusions[\(index)]")
      }
    }
    return calendars
  }

  private static func item(_ field: String, _ cron: Cron) throws(SpecFault) -> Item {
    switch cron {
    case .calendar(let spec):
      do { return .calendar(try Calendar(spec)) } catch { throw error.within(field) }
    case .interval(let spec):
      guard spec.everyMs >= Span(ms: 1_000), spec.everyMs <= Span(ms: end.ms) else {
        throw SpecFault(
          field: field, message: "expected an interval of 1 s or more, found \(spec.everyMs.ms) ms")
      }
      guard spec.phaseMs >= .zero, spec.phaseMs < spec.everyMs else {
        throw SpecFault(
          field: field, message: "expected a phase from 0 to less than the interval")
      }
      return .interval(every: spec.everyMs, phase: spec.phaseMs)
    }
  }

  // MARK: - Asking

  /// The first time after the one given.
  func next(after time: Instant) -> Search {
    var after = max(time, first - Span(ms: 1))
    for _ in 0..<ScheduleTimes.droppedMax {
      let next = earliest(after: after)
      guard case .found(let found) = next else {
        if case .noneBefore(let instant) = next, instant > last { return .never }
        return next
      }
      guard found <= last else { return .never }
      guard let end = endOfExclusion(around: found) else { return next }
      after = end
    }
    return .noneBefore(after + Span(ms: 1))
  }

  /// When the action of a time is due: at the time, or by its jitter later, before the next one.
  func due(_ time: Instant, of scheduleID: String) -> Instant {
    guard jitter > .zero else { return time }
    var bound = jitter
    if case .found(let following) = next(after: time) { bound = min(bound, following - time) }
    let draw = Fingerprint(of: scheduleID, String(time.ms)).low
    return time + Span(ms: Int64(draw % UInt64(bound.ms)))
  }

  private func earliest(after time: Instant) -> Search {
    var nearest = Search.never
    for item in items {
      let next = next(of: item, after: time)
      guard let place = next.place else { continue }
      // What is found decides where both are at the same time.
      if let least = nearest.place, least < place || (least == place && next.isOpen) { continue }
      nearest = next
    }
    return nearest
  }

  private func next(of item: Item, after time: Instant) -> Search {
    switch item {
    case .instant(let instant): return instant > time ? .found(instant) : .never
    case .interval(let every, let phase):
      guard time <= ScheduleTimes.end else { return .never }
      let count = (time - Instant(ms: phase.ms)).ms.flooredQuotient(every.ms) + 1
      return .found(Instant(ms: count * every.ms + phase.ms))
    case .calendar(let calendar):
      guard time <= ScheduleTimes.end else { return .never }
      #if MUTANTS
        if let wrong = mutatedNext(of: calendar, after: time) { return wrong }
      #endif
      // What the clocks have shown before they were set back does not come again.
      let shown = zone.latestWallTime(by: time.ms.flooredQuotient(1_000))
      switch calendar.next(after: shown) {
      case .found(let wall): return .found(instant(showing: wall))
      case .noneBefore(let wall): return .noneBefore(instant(showing: wall))
      case .never: return .never
      }
    }
  }

  #if MUTANTS
    private func mutatedNext(of calendar: Calendar, after time: Instant) -> Search? {
      let second = time.ms.flooredQuotient(1_000)
      let (shown, latest) = (zone.wallTime(at: second), zone.latestWallTime(by: second))
      switch Mutant.chosen {
      case .repeatedTimesComeTwice:
        guard case .found(let wall) = calendar.next(after: shown), wall <= latest else {
          return nil
        }
        return .found(Instant(ms: (second + wall.seconds - shown.seconds) * 1_000))
      case .skippedTimesAreLost:
        guard case .found(let wall) = calendar.next(after: latest),
          zone.wallTime(at: zone.firstTime(showing: wall)) != wall
        else { return nil }
        return next(of: .calendar(calendar), after: instant(showing: wall))
      default: return nil
      }
    }
  #endif

  private func instant(showing wall: WallTime) -> Instant {
    Instant(ms: zone.firstTime(showing: wall) * 1_000)
  }

  /// The last instant that is excluded together with this one; nil: it is not.
  private func endOfExclusion(around instant: Instant) -> Instant? {
    guard !exclusions.isEmpty else { return nil }
    let time = instant.ms.flooredQuotient(1_000)
    let wall = zone.wallTime(at: time)
    guard let exclusion = exclusions.first(where: { $0.matches(wall) }) else { return nil }
    let end = time + exclusion.lastOfSpan(around: wall).seconds - wall.seconds
    // Where the clocks are changed meanwhile, nothing is known of the rest.
    return Instant(ms: (zone.isSteady(from: time, through: end) ? end : time) * 1_000 + 999)
  }
}

extension ScheduleTimes.Search {
  fileprivate var place: Instant? {
    switch self {
    case .found(let instant), .noneBefore(let instant): instant
    case .never: nil
    }
  }

  fileprivate var isOpen: Bool {
    if case .noneBefore = self { return true }
    return false
  }
}
