import Messages

/// Draws what lists and counts ask for, out of what there is.
struct SelectionDraw {
  var ids: [String]
  var types: [String]
  var queues: [String]
  var runIDs: [String]
  var times: [Int64]
  /// Attributes that are not asked for.
  var without: Set<String> = []
  /// The workflows' own ones.
  var own: [String: SearchAttributeType] = [:]

  private static let statuses = [
    "RUNNING", "RUNNING", "COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT",
    "CONTINUED_AS_NEW",
  ]

  private static let attributes = [
    "WorkflowId", "WorkflowId", "RunId", "WorkflowType", "ExecutionStatus", "ExecutionStatus",
    "TaskQueue", "StartTime", "CloseTime", "CloseTime", "ExecutionDuration", "HistoryLength",
    "WaitingSince",
  ]

  private var attributes: [String] {
    SelectionDraw.attributes.filter { !without.contains($0) } + own.keys.sorted()
  }

  func filter(_ dice: inout Dice, depth: Int = 3) -> ModelFilter {
    guard depth > 0 else { return test(&dice) }
    switch dice.int(0...9) {
    case 0..<4: return test(&dice)
    case 4..<6: return .not(filter(&dice, depth: depth - 1))
    case 6..<8: return .and(filter(&dice, depth: depth - 1), filter(&dice, depth: depth - 1))
    default: return .or(filter(&dice, depth: depth - 1), filter(&dice, depth: depth - 1))
    }
  }

  private func test(_ dice: inout Dice) -> ModelFilter {
    let name = dice.pick(attributes)
    func value(_ dice: inout Dice) -> ModelValue { self.value(of: name, &dice) }
    let isStatus =
      name == "ExecutionStatus"
      || [.bool, .text, .keywordList].contains(own[name] ?? .unspecified)
    switch dice.int(0...9) {
    case 0..<4: return .compare(name, "=", value(&dice))
    case 4: return .compare(name, "!=", value(&dice))
    case 5: return .among(name, (1...dice.int(1...3)).map { _ in value(&dice) })
    case 6 where !isStatus: return .between(name, value(&dice), value(&dice))
    case 7
    where ["WorkflowId", "RunId", "WorkflowType", "TaskQueue"].contains(name)
      || own[name] == .keyword:
      guard case .bytes(let bytes) = value(&dice) else { preconditionFailure("\(name) is a text") }
      let prefix = String(decoding: bytes, as: UTF8.self).unicodeScalars.prefix(dice.int(0...3))
      return .compare(name, "STARTS_WITH", .text(String(prefix)))
    case 8: return .null(name)
    default:
      return .compare(
        name, dice.pick(isStatus ? ["=", "!="] : ["<", "<=", ">", ">="]), value(&dice))
    }
  }

  private func value(of name: String, _ dice: inout Dice) -> ModelValue {
    if let type = own[name] { return ownValue(type, &dice) }
    switch name {
    case "WorkflowId": return .text(dice.pick(ids))
    case "RunId": return .text(dice.pick(runIDs))
    case "WorkflowType": return .text(dice.pick(types))
    case "TaskQueue": return .text(dice.pick(queues))
    case "ExecutionStatus": return .text(dice.pick(SelectionDraw.statuses))
    case "HistoryLength": return .number(dice.int64(1...8))
    case "ExecutionDuration": return .length(dice.pick([0, 1, 1_000, 60_000, 125_250]))
    default:
      let time = dice.pick(times) + dice.pick([-1, 0, 0, 1])
      return .time(
        min(max(time, ModelFilter.times.lowerBound), ModelFilter.times.upperBound))
    }
  }

  /// What an attribute of the type is compared with.
  private func ownValue(_ type: SearchAttributeType, _ dice: inout Dice) -> ModelValue {
    switch type {
    case .keywordList: return .text(dice.pick(["new", "old", "none"]))
    case .text: return .words(dice.pick([["green"], ["apples"], ["green", "pears"], ["red"]]))
    default:
      while true {
        let attribute = DetailsDraw.attribute("", type, &dice)
        if attribute.modelType != nil { return ModelValue(attribute) }
      }
    }
  }

  func order(_ dice: inout Dice) -> [(name: String, isDescending: Bool)] {
    var names: [String] = []
    for _ in 0..<dice.int(1...3) {
      let name = dice.pick(attributes)
      let sorts = ![.text, .keywordList].contains(own[name] ?? .unspecified)
      if sorts && !names.contains(name) { names.append(name) }
    }
    return names.map { ($0, dice.percent(50)) }
  }

  func groups(_ dice: inout Dice) -> [String] {
    let grouped = own.keys.filter { [.keyword, .int, .bool].contains(own[$0]) }.sorted()
    if !grouped.isEmpty, dice.percent(40) { return [dice.pick(grouped)] }
    return dice.pick([
      ["ExecutionStatus"], ["WorkflowType"], ["TaskQueue", "ExecutionStatus"],
      ["ExecutionStatus", "WorkflowType", "TaskQueue"],
    ])
  }
}
