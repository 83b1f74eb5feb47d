/// What a run is of. The ids of each kind are a space of their own, and requests about one kind
/// never find runs of another.
public enum RunKind: Int64, Sendable, Comparable {
  case workflow = 0
  /// An activity without a workflow: its run has no code and this one activity, whose end is the
  /// run's.
  case activity = 1

  public static func < (a: RunKind, b: RunKind) -> Bool { a.rawValue < b.rawValue }

  /// As texts for people call it.
  var noun: String {
    switch self {
    case .workflow: "workflow"
    case .activity: "activity"
    }
  }
}
