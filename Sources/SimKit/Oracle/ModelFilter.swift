import Basics
import EngineCore
import Messages

/// What a query compares: texts by their bytes, times and lengths as milliseconds.
enum ModelValue: Equatable {
  case bytes([UInt8])
  case time(Int64)
  case length(Int64)
  case number(Int64)
  case real(Double)
  case truth(Bool)
  /// The words of a text, in lower case.
  case words([String])
  case members([String])

  static func text(_ text: String) -> ModelValue { .bytes(Array(text.utf8)) }

  func isLess(than other: ModelValue) -> Bool {
    switch (self, other) {
    case (.bytes(let a), .bytes(let b)): return a.lexicographicallyPrecedes(b)
    case (.time(let a), .time(let b)), (.length(let a), .length(let b)),
      (.number(let a), .number(let b)):
      return a < b
    case (.real(let a), .real(let b)): return a < b
    case (.truth(let a), .truth(let b)): return !a && b
    // A page may have begun when the name had another type.
    default: return false
    }
  }

  /// What `=` asks for: of members one, of words all.
  func matches(_ wanted: ModelValue) -> Bool {
    switch (self, wanted) {
    case (.members(let all), .bytes(let one)): all.contains { Array($0.utf8) == one }
    case (.words(let all), .words(let asked)): asked.allSatisfy { all.contains($0) }
    default: self == wanted
    }
  }

  /// As the name of a group.
  var groupName: String {
    switch self {
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    default: preconditionFailure("no groups of \(self)")
    }
  }

  init(_ attribute: SearchAttribute) {
    switch attribute.content {
    case .keyword(let text): self = .text(text)
    case .text(let text): self = .words(text.lowercased().split(separator: " ").map(String.init))
    case .keywordList(let list): self = .members(list.keywords)
    case .intValue(let number): self = .number(number)
    case .doubleValue(let number): self = .real(number)
    case .boolValue(let truth): self = .truth(truth)
    case .instantTimeMs(let time): self = .time(time.ms)
    case nil: preconditionFailure("\(attribute.name) holds nothing")
    }
  }
}

/// A run as lists know it; what it does not have is not in it.
typealias ModelRow = [String: ModelValue]

/// A filter of a list, drawn as a tree and then written down: so nothing here reads a text, and the
/// engine's reader is compared with the writer.
indirect enum ModelFilter {
  case everything
  case not(ModelFilter)
  case and(ModelFilter, ModelFilter)
  case or(ModelFilter, ModelFilter)
  case compare(String, String, ModelValue)
  case among(String, [ModelValue])
  case between(String, ModelValue, ModelValue)
  case null(String)

  func takes(_ row: ModelRow) -> Bool { holds(row) == true }

  /// nil: nobody knows, since the run does not have what is asked for.
  private func holds(_ row: ModelRow) -> Bool? {
    switch self {
    case .everything: return true
    case .not(let filter): return filter.holds(row).map { !$0 }
    case .and(let a, let b):
      let both = [a.holds(row), b.holds(row)]
      if both.contains(false) { return false }
      return both.contains(nil) ? nil : true
    case .or(let a, let b):
      let both = [a.holds(row), b.holds(row)]
      if both.contains(true) { return true }
      return both.contains(nil) ? nil : false
    case .null(let name): return row[name] == nil
    case .among(let name, let values):
      return row[name].map { value in values.contains { value.matches($0) } }
    case .between(let name, let low, let high):
      return row[name].map { !$0.isLess(than: low) && !high.isLess(than: $0) }
    case .compare(let name, let comparison, let wanted):
      return row[name].map { ModelFilter.holds($0, comparison, wanted) }
    }
  }

  private static func holds(_ value: ModelValue, _ comparison: String, _ wanted: ModelValue)
    -> Bool
  {
    switch comparison {
    case "=": return value.matches(wanted)
    case "!=": return !value.matches(wanted)
    case "<": return value.isLess(than: wanted)
    case ">": return wanted.isLess(than: value)
    case "<=": return !wanted.isLess(than: value)
    case ">=": return !value.isLess(than: wanted)
    default:
      guard case .bytes(let text) = value, case .bytes(let prefix) = wanted else { return false }
      return text.starts(with: prefix)
    }
  }
}

/// What a list or a count asks for.
struct ModelSelection {
  var filter = ModelFilter.everything
  var order: [(name: String, isDescending: Bool)] = []
  var limit: Int?
  var groups: [String] = []
  /// Types of the workflows' own attributes, as they were when it was drawn.
  var names: [String: SearchAttributeType] = [:]

  /// Whether row `a` comes first; nil if the order says nothing.
  func precedes(_ a: ModelRow, _ b: ModelRow) -> Bool? {
    for (name, isDescending) in order {
      switch (a[name], b[name]) {
      case (nil, nil): continue
      case (nil, _): return false
      case (_, nil): return true
      case (let x?, let y?):
        if x.isLess(than: y) { return !isDescending }
        if y.isLess(than: x) { return isDescending }
      }
    }
    return nil
  }

  /// `rows` newest first, in the order that is asked for: each one goes before the first that it
  /// precedes.
  func ordered<T>(_ rows: [T], _ row: (T) -> ModelRow) -> [T] {
    var sorted: [T] = []
    for next in rows {
      let place = sorted.firstIndex { precedes(row(next), row($0)) == true } ?? sorted.count
      sorted.insert(next, at: place)
    }
    return sorted
  }
}

extension ModelRow {
  /// `names`: the types that the workflows' own attributes have; nil: those of their values.
  init(_ info: WorkflowInfo, _ names: [String: SearchAttributeType]? = nil) {
    self.init()
    for own in info.searchAttributes?.fields ?? []
    where names == nil || names?[own.name] == own.modelType {
      self[own.name] = ModelValue(own)
    }
    self["WorkflowId"] = .text(info.execution?.workflowID ?? "")
    self["RunId"] = .text("\(info.execution?.runID ?? .none)")
    self["WorkflowType"] = .text(info.workflowType)
    self["TaskQueue"] = .text(info.taskQueue)
    self["ExecutionStatus"] = .text(info.status.name)
    self["StartTime"] = .time(info.startTimeMs.ms)
    self["HistoryLength"] = .number(info.historyLength)
    if info.waitingSinceTimeMs != .epoch {
      self["WaitingSince"] = .time(info.waitingSinceTimeMs.ms)
    }
    guard info.closeTimeMs != .epoch else { return }
    self["CloseTime"] = .time(info.closeTimeMs.ms)
    self["ExecutionDuration"] = .length(info.closeTimeMs.ms - info.startTimeMs.ms)
  }
}
