import Basics

/// What a run has of the limits of its type.
enum Permit: Equatable, Sendable {
  /// Nothing, as nearly all runs: its type has no limits, or its code may not begin yet.
  /// Can transition to: awaited, held.
  case none
  /// It waits, and its code may not begin. Can transition to: held, none when it closes.
  case awaited(since: Instant)
  /// It counts as running. Can transition to: none when it closes.
  case held(since: Instant)

  var isAwaited: Bool {
    if case .awaited = self { true } else { false }
  }

  var isHeld: Bool {
    if case .held = self { true } else { false }
  }
}
