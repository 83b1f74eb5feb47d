import Basics
import Messages

/// A namespace: what was said of it, how many runs it holds, and how far they were looked through.
final class Namespace {
  static let initialName = "default"

  let name: String
  var definition: NamespaceDefinition
  var runs: RunCounts
  /// It holds no run of this number or a lower one.
  var emptyThrough: RunNumber
  /// When a look through its closed runs may find some that have to go.
  var due: Instant?
  /// Set while a pass looks through its runs.
  var look: RetentionLook?

  init(_ stored: StoredNamespace, _ runs: RunCounts) {
    name = stored.name
    definition = stored.definition
    self.runs = runs
    emptyThrough = RunNumber(max(0, stored.definition.firstRun - 1))
  }

  /// Deleted: nobody finds it any more, and what it held is being removed.
  var isLeaving: Bool { definition.deleted }
  var isInitial: Bool { name == Namespace.initialName }

  /// Whether that is earlier than it was to be.
  @discardableResult
  func isToBeLookedThrough(at time: Instant) -> Bool {
    if let due, due <= time { return false }
    due = time
    return true
  }
}

/// The runs of a namespace.
public struct RunCounts: Sendable, Equatable {
  public var open: Int64 = 0
  public var closed: Int64 = 0

  public init() {}

  /// The run is about to be written.
  mutating func count(_ run: Run, isClosing: Bool) {
    if run.isNew { open += 1 }
    if isClosing {
      open -= 1
      closed += 1
    }
    if run.isRemoved { closed -= 1 }
  }
}

/// All namespaces of the engine, in memory.
struct Namespaces {
  /// `default`.
  let initial: Namespace
  private var named: [String: Namespace] = [:]

  init(_ stored: [StoredNamespace], _ counts: [String: RunCounts]) {
    for stored in stored {
      named[stored.name] = Namespace(stored, counts[stored.name] ?? RunCounts())
    }
    let name = Namespace.initialName
    initial =
      named[name]
      ?? Namespace(
        StoredNamespace(name: name, definition: NamespaceDefinition()),
        counts[name] ?? RunCounts())
    named[name] = initial
  }

  var count: Int { named.count }
  var all: some Collection<Namespace> { named.values }
  var inOrder: [Namespace] { named.sorted { $0.key < $1.key }.map(\.value) }

  /// The one of that name, which may be leaving. Most often it is `default`: that costs no hash.
  subscript(name: String) -> Namespace? {
    name == Namespace.initialName ? initial : named[name]
  }

  /// Whether requests find it.
  func holds(_ name: String) -> Bool {
    guard let found = self[name] else { return false }
    #if MUTANTS
      if Mutant.isOn(.deletedIsFound) { return true }
    #endif
    return !found.isLeaving
  }

  mutating func insert(_ namespace: Namespace) { named[namespace.name] = namespace }
  mutating func remove(_ namespace: Namespace) { named.removeValue(forKey: namespace.name) }
}
