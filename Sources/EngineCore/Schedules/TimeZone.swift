import Basics

/// The rules of one time zone: which offset from UTC its clocks have at which time.
///
/// All times are whole seconds since the epoch, without leap seconds.
struct TimeZone: Equatable {
  /// Clocks have the offset from then on.
  struct Transition: Equatable {
    let time: Int64
    let offset: Int64
  }

  /// Before the first transition.
  let firstOffset: Int64
  /// By time, each later than the one before it.
  let transitions: [Transition]
  /// After the last transition; nil: its offset stays.
  let rule: ZoneRule?

  static let utc = TimeZone(firstOffset: 0, transitions: [], rule: nil)

  /// A clock's offset stays below this, so two clocks differ by less than twice as much.
  static let offsetMax: Int64 = 26 * 3_600

  func offset(at time: Int64) -> Int64 {
    #if MUTANTS
      if Mutant.isOn(.clocksStayTheSame) { return transitions.last?.offset ?? firstOffset }
    #endif
    if let rule, time >= transitions.last?.time ?? .min { return rule.offset(at: time) }
    let following = firstTransition(after: time)
    return following == 0 ? firstOffset : transitions[following - 1].offset
  }

  func wallTime(at time: Int64) -> WallTime { WallTime(seconds: time + offset(at: time)) }

  /// The first second at which the clocks show the wall time, or, where they skip it, a later one.
  func firstTime(showing wall: WallTime) -> Int64 {
    // Somewhere within reach of its offset; a span ends where the next one begins.
    let spans = spans(
      from: wall.seconds - TimeZone.offsetMax, to: wall.seconds + TimeZone.offsetMax)
    for (index, span) in spans.enumerated() {
      let end = index + 1 < spans.count ? spans[index + 1].time : .max
      if end == .max || wall.seconds < end + span.offset {
        return max(span.time, wall.seconds - span.offset)
      }
    }
    preconditionFailure("the last span has no end")
  }

  /// The latest wall time that the clocks have shown by then: where they are set back, later than
  /// what they show.
  func latestWallTime(by time: Int64) -> WallTime {
    let spans = spans(from: time - 2 * TimeZone.offsetMax, to: time)
    var latest = time + (spans.last?.offset ?? 0)
    for (span, next) in zip(spans, spans.dropFirst()) {
      latest = max(latest, next.time - 1 + span.offset)
    }
    return WallTime(seconds: latest)
  }

  /// The clocks are not changed within the time.
  func isSteady(from: Int64, through: Int64) -> Bool {
    spans(from: from, to: through).count == 1
  }

  /// The times of one offset each that touch `from...to`, in order; the first is said to begin at
  /// `from`.
  private func spans(from: Int64, to: Int64) -> [Transition] {
    var spans = [Transition(time: from, offset: offset(at: from))]
    #if MUTANTS
      if Mutant.isOn(.clocksStayTheSame) { return spans }
    #endif
    var next = firstTransition(after: from)
    while next < transitions.count, transitions[next].time <= to {
      spans.append(transitions[next])
      next += 1
    }
    if let rule {
      spans += rule.transitions(after: max(transitions.last?.time ?? .min, from), through: to)
    }
    return spans
  }

  /// Its place; the count when there is none.
  private func firstTransition(after time: Int64) -> Int {
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
