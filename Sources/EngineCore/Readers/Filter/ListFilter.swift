import Messages

/// Which runs a list or a count is about.
///
/// AND and OR hold any number of parts, so that a long query is no deep tree.
indirect enum ListFilter: Sendable {
  /// Joined by AND; without parts: every run.
  case all([ListFilter])
  /// Joined by OR.
  case any([ListFilter])
  case not(ListFilter)
  case compares(ListAttribute, Comparison, AttributeValue)
  case isAmong(ListAttribute, [AttributeValue])
  case isAbsent(ListAttribute)
}

extension ListFilter {
  func accepts(_ info: WorkflowInfo) -> Bool { verdict(on: info) == .yes }

  private func verdict(on info: WorkflowInfo) -> Truth {
    switch self {
    case .all(let parts):
      var least = Truth.yes
      for part in parts where least != .no { least = min(least, part.verdict(on: info)) }
      return least
    case .any(let parts):
      var most = Truth.no
      for part in parts where most != .yes { most = max(most, part.verdict(on: info)) }
      return most
    case .not(let filter): return !filter.verdict(on: info)
    case .compares(let attribute, let comparison, let wanted):
      return attribute.value(in: info).compares(comparison, wanted)
    case .isAmong(let attribute, let wanted):
      let value = attribute.value(in: info)
      return value.isAbsent ? .unknown : Truth(wanted.contains(where: value.matches))
    case .isAbsent(let attribute): return Truth(attribute.value(in: info).isAbsent)
    }
  }

  /// What every run has which it accepts, if it names one such thing: only those are read.
  var key: RowKey? {
    switch self {
    case .compares(let attribute, .equal, let value): return attribute.key(value)
    case .isAmong(let attribute, let values) where values.count == 1:
      return attribute.key(values[0])
    case .all(let parts):
      let keys = parts.compactMap(\.key)
      return keys.first { if case .workflowID = $0 { true } else { false } } ?? keys.first
    case .any, .not, .compares, .isAmong, .isAbsent: return nil
    }
  }
}

extension ListAttribute {
  /// nil: runs are not found by it.
  fileprivate func key(_ value: AttributeValue) -> RowKey? {
    switch (source, value) {
    case (.workflowID, .keyword(let id)): .workflowID(id)
    case (.own, .keyword), (.own, .int), (.own, .bool):
      .attribute(name: name, value: value.groupName)
    default: nil
    }
  }
}
