import Basics
import Messages

/// Something that lists know of each run, by its name in a query.
struct ListAttribute: Sendable {
  /// What is compared, and so what may stand beside it.
  enum Kind: Sendable {
    case text, keyword, keywordList, int, double, bool, instant, duration
    /// A keyword of which all values are known; upper and lower case are the same in a query.
    case status
  }

  enum Source: Sendable, Equatable {
    case workflowID, runID, workflowType, status, taskQueue, startTime, closeTime, duration
    case historyLength, historySizeBytes
    /// Since when it waits for a permit.
    case waitingSince
    /// The workflow's own: a value of another type is none.
    case own(SearchAttributeType)
  }

  let name: String
  let kind: Kind
  let source: Source

  /// Those that every run of a workflow may have.
  static let all = [
    ListAttribute(name: "WorkflowId", kind: .keyword, source: .workflowID),
    ListAttribute(name: "RunId", kind: .keyword, source: .runID),
    ListAttribute(name: "WorkflowType", kind: .keyword, source: .workflowType),
    ListAttribute(name: "ExecutionStatus", kind: .status, source: .status),
    ListAttribute(name: "TaskQueue", kind: .keyword, source: .taskQueue),
    ListAttribute(name: "StartTime", kind: .instant, source: .startTime),
    ListAttribute(name: "CloseTime", kind: .instant, source: .closeTime),
    ListAttribute(name: "ExecutionDuration", kind: .duration, source: .duration),
    ListAttribute(name: "HistoryLength", kind: .int, source: .historyLength),
    ListAttribute(name: "HistorySizeBytes", kind: .int, source: .historySizeBytes),
    ListAttribute(name: "WaitingSince", kind: .instant, source: .waitingSince),
  ]

  /// Those of an activity without a workflow, whose history is nobody's.
  static let ofActivities = all.compactMap { attribute in
    switch attribute.source {
    case .workflowID: ListAttribute(name: "ActivityId", kind: .keyword, source: .workflowID)
    case .workflowType: ListAttribute(name: "ActivityType", kind: .keyword, source: .workflowType)
    case .historyLength, .historySizeBytes: nil
    default: attribute
    }
  }

  /// Few values for many runs.
  var isForGroups: Bool {
    switch source {
    case .status, .workflowType, .taskQueue: true
    case .own(let type): type == .keyword || type == .int || type == .bool
    default: false
    }
  }
}

extension ListAttribute {
  /// What a run has for it: the one place where attributes are looked up.
  func value(in info: WorkflowInfo) -> AttributeValue {
    let isOpen = info.closeTimeMs == .epoch
    switch source {
    case .workflowID: return .keyword(info.execution?.workflowID ?? "")
    case .runID: return .keyword(info.execution?.runID.description ?? "")
    case .workflowType: return .keyword(info.workflowType)
    case .status: return .keyword(info.status.name)
    case .taskQueue: return .keyword(info.taskQueue)
    case .startTime: return .instant(info.startTimeMs)
    case .closeTime: return isOpen ? .absent : .instant(info.closeTimeMs)
    case .duration: return isOpen ? .absent : .duration(info.closeTimeMs - info.startTimeMs)
    case .historyLength: return .int(info.historyLength)
    case .historySizeBytes: return .int(info.historySizeBytes)
    case .waitingSince:
      return info.waitingSinceTimeMs == .epoch ? .absent : .instant(info.waitingSinceTimeMs)
    case .own(let type):
      let own = info.searchAttributes?.fields.first { $0.name == name && $0.type == type }
      return own.flatMap { AttributeValue($0) } ?? .absent
    }
  }
}

extension AttributeValue {
  fileprivate init?(_ attribute: SearchAttribute) {
    switch attribute.content {
    case .text(let text): self = .text(text)
    case .keyword(let text): self = .keyword(text)
    case .keywordList(let list): self = .keywords(list.keywords)
    case .intValue(let int): self = .int(int)
    case .doubleValue(let double): self = .double(double)
    case .boolValue(let bool): self = .bool(bool)
    case .instantTimeMs(let instant): self = .instant(instant)
    case nil: return nil
    }
  }
}

extension ListAttribute.Kind {
  /// nil: there is no such type.
  init?(_ type: SearchAttributeType) {
    switch type {
    case .text: self = .text
    case .keyword: self = .keyword
    case .int: self = .int
    case .double: self = .double
    case .bool: self = .bool
    case .datetime: self = .instant
    case .keywordList: self = .keywordList
    case .unspecified, .unrecognized: return nil
    }
  }
}

extension ListAttribute.Kind {
  /// The comparisons that it has beside `=`, `!=`, IN and IS NULL.
  var hasOrder: Bool {
    switch self {
    case .keyword, .int, .double, .instant, .duration: true
    case .text, .keywordList, .bool, .status: false
    }
  }

  var hasPrefixes: Bool { self == .keyword }

  /// ORDER BY takes it.
  var sorts: Bool { self != .text && self != .keywordList }

  func takes(_ comparison: Comparison) -> Bool {
    switch comparison {
    case .equal, .notEqual: true
    case .less, .lessOrEqual, .greater, .greaterOrEqual: hasOrder
    case .startsWith: hasPrefixes
    }
  }

  /// For people.
  var name: String {
    switch self {
    case .text: "Text"
    case .keyword: "Keyword"
    case .keywordList: "KeywordList"
    case .int: "Int"
    case .double: "Double"
    case .bool: "Bool"
    case .instant: "Datetime"
    case .duration: "Duration"
    case .status: "Status"
    }
  }

  var comparisons: String {
    (hasOrder ? "= != < <= > >= IN BETWEEN" : "= != IN") + (hasPrefixes ? " STARTS_WITH" : "")
      + " IS"
  }
}
