/// Why a store cannot be opened or used. Each text says what happened, where, and what to do.
public enum StoreError: Error, Sendable, CustomStringConvertible {
  /// Another engine has the file.
  case inUse(path: String)
  /// A newer engine wrote it; nothing was changed.
  case newerFormat(path: String, found: Int64, known: Int64)
  /// The file is a database, but not one of ours.
  case foreign(path: String)
  /// The disk is full: nothing of the batch was applied, and the same batch may be tried again.
  case full(path: String)
  /// Whether the batch is durable is unknown: nothing may be answered, the process must end.
  case unknownOutcome(path: String, what: String)
  case corrupt(path: String, what: String)
  case system(path: String, what: String)

  public var description: String {
    switch self {
    case .inUse(let path):
      return "another engine uses '\(path)': stop it, or choose another --db"
    case .newerFormat(let path, let found, let known):
      return "'\(path)' was written by a newer engine (format \(found); this one knows \(known)):"
        + " use that engine; nothing was changed"
    case .foreign(let path):
      return "'\(path)' is a database, but not one of Holdfast: choose another --db"
    case .full(let path):
      return "no space left for '\(path)': free some, nothing was lost"
    case .unknownOutcome(let path, let what):
      return "'\(path)': \(what); whether the last writes are durable is unknown, so the engine"
        + " ends and must be started again"
    case .corrupt(let path, let what):
      return "'\(path)' is damaged: \(what); restore it from a backup"
    case .system(let path, let what): return "'\(path)': \(what)"
    }
  }
}
