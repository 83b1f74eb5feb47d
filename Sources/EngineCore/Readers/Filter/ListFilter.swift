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

  /// The workflow id that every run has which it accepts, if it names one: only those are read.
  var workflowID: String? {
    switch self {
    case .compares(let attribute, .equal, .keyword(let id)) where attribute.source == .workflowID:
      return id
    case .isAmong(let attribute, let ids) where attribute.source == .workflowID && ids.count == 1:
      if case .keyword(let id) = ids[0] { return id }
      return nil
    case .all(let parts): return parts.lazy.compactMap(\.workflowID).first
    case .any, .not, .compares, .isAmong, .isAbsent: return nil
    }
  }
}
