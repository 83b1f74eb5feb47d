import Basics
import EngineCore
import Messages

/// Memo, search attributes and current details.
extension ModelRun {
  /// What the events so far make of them; where nothing is left there is nothing.
  var details: RunDetails {
    var memo: [String: Payload] = [:]
    var attributes: [String: SearchAttribute] = [:]
    var details = RunDetails()
    for event in events {
      switch event.attributes {
      case .workflowExecutionStarted(let m):
        memo.change(m.memo)
        attributes.change(m.searchAttributes)
      case .workflowPropertiesModified(let m): memo.change(m.upsertedMemo)
      case .upsertWorkflowSearchAttributes(let m): attributes.change(m.searchAttributes)
      case .workflowTaskCompleted(let m):
        details.currentDetails = m.currentDetails?.text ?? details.currentDetails
      default: break
      }
    }
    details.memo = memo.message
    details.searchAttributes = attributes.message
    return details
  }
}

extension [String: Payload] {
  /// An empty value takes its key away.
  mutating func change(_ changes: Memo?) {
    for field in changes?.fields ?? [] {
      let isNothing = field.value?.encoding == "binary/null" || field.value?.data.isEmpty != false
      self[field.key] = isNothing ? nil : field.value
    }
  }

  var message: Memo? {
    var memo = Memo()
    for key in keys.sorted() {
      var field = PayloadEntry()
      field.key = key
      field.value = self[key]
      memo.fields.append(field)
    }
    return isEmpty ? nil : memo
  }
}

extension [String: SearchAttribute] {
  mutating func change(_ changes: SearchAttributes?) {
    for field in changes?.fields ?? [] {
      self[field.name] = field.modelType == nil ? nil : field
    }
  }

  var message: SearchAttributes? {
    var attributes = SearchAttributes()
    attributes.fields = keys.sorted().compactMap { self[$0] }
    return isEmpty ? nil : attributes
  }
}

extension SearchAttribute {
  /// nil: it holds nothing.
  var modelType: SearchAttributeType? {
    switch content {
    case nil: nil
    case .text: .text
    case .keyword: .keyword
    case .keywordList(let list): list.keywords.isEmpty ? nil : .keywordList
    case .intValue: .int
    case .doubleValue: .double
    case .boolValue: .bool
    case .instantTimeMs: .datetime
    }
  }
}

extension Memo {
  var settledByModel: Memo? {
    var fields: [String: Payload] = [:]
    fields.change(self)
    return fields.message
  }
}

extension SearchAttributes {
  var settledByModel: SearchAttributes? {
    var fields: [String: SearchAttribute] = [:]
    fields.change(self)
    return fields.message
  }
}

/// Names and their types.
extension Model {
  private static let ownNames = [
    "WorkflowId", "RunId", "WorkflowType", "ExecutionStatus", "TaskQueue", "StartTime", "CloseTime",
    "ExecutionDuration", "HistoryLength", "HistorySizeBytes", "WaitingSince",
  ]

  /// Of what is given, by itself.
  func isBad(_ memo: Memo?) -> Bool {
    let keys = memo?.fields.map(\.key) ?? []
    return keys != Set(keys).sorted() || keys.contains("")
      || memo?.fields.contains { ($0.value?.data.count ?? 0) > limits.payloadBytesMax } ?? false
  }

  func isBad(_ attributes: SearchAttributes?) -> Bool {
    let names = attributes?.fields.map(\.name) ?? []
    return names != Set(names).sorted() || names.contains(where: isBad)
  }

  private func isBad(_ name: String) -> Bool {
    name.isEmpty || name.contains(" ") || Model.ownNames.contains(name)
  }

  /// A name has one type.
  func contradicts(_ attributes: SearchAttributes?) -> Bool {
    (attributes?.fields ?? []).contains { field in
      guard let type = field.modelType, let known = names[field.name] else { return false }
      return known != type
    }
  }

  func contradiction(_ attributes: SearchAttributes?, _ path: String = "") -> Response? {
    contradicts(attributes) ? .failure(invalid(path + "search_attributes")) : nil
  }

  mutating func declare(_ attributes: SearchAttributes?) {
    for field in attributes?.fields ?? [] where names[field.name] == nil {
      names[field.name] = field.modelType
    }
  }

  mutating func answer(_ r: AttributeRequest) -> Response {
    switch r {
    case .list:
      var response = ListSearchAttributesResponse()
      for name in names.keys.sorted() {
        var attribute = SearchAttributeName()
        attribute.name = name
        attribute.type = names[name] ?? .unspecified
        response.attributes.append(attribute)
      }
      return .names(response)
    case .remove(let m):
      return names.removeValue(forKey: m.name) == nil ? .failure(invalid("name")) : .done
    case .add(let m):
      if isBad(m.name) { return .failure(invalid("name")) }
      if m.type == .unspecified { return .failure(invalid("type")) }
      if let known = names[m.name], known != m.type { return .failure(invalid("type")) }
      names[m.name] = m.type
      return .done
    }
  }

  // MARK: - Commands

  mutating func upsert(
    _ m: UpsertSearchAttributes, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    declare(m.searchAttributes)
    var event = UpsertWorkflowSearchAttributes()
    event.searchAttributes = m.searchAttributes
    event.workflowTaskCompletedEventID = completion
    event.location = command.location
    append(.upsertWorkflowSearchAttributes(event), to: run, metadata: command.userMetadata)
  }

  mutating func upsert(
    _ m: UpsertMemo, _ command: Command, _ run: ModelRun, _ completion: Int64
  ) {
    var event = WorkflowPropertiesModified()
    event.upsertedMemo = m.memo
    event.workflowTaskCompletedEventID = completion
    event.location = command.location
    append(.workflowPropertiesModified(event), to: run, metadata: command.userMetadata)
  }
}

/// Draws them.
struct DetailsDraw {
  /// What names ought to be used for; now and then one is used for something else.
  static let types: [(name: String, type: SearchAttributeType)] = [
    ("Amount", .int), ("Customer", .keyword), ("Due", .datetime), ("Note", .text), ("Paid", .bool),
    ("Score", .double), ("Tags", .keywordList),
  ]

  static func memo(_ dice: inout Dice) -> Memo? {
    guard dice.percent(30) else { return nil }
    var memo = Memo()
    for key in ["color", "owner"] where dice.percent(60) {
      var field = PayloadEntry()
      field.key = key
      if dice.percent(80) {
        field.value = Payload(text: dice.pick(["a", "b"]))
        if dice.percent(10) { field.value?.encoding = "binary/null" }
      }
      memo.fields.append(field)
    }
    return memo
  }

  static func attributes(_ dice: inout Dice) -> SearchAttributes? {
    guard dice.percent(40) else { return nil }
    var attributes = SearchAttributes()
    for (name, type) in types where dice.percent(30) {
      let type = dice.percent(2) ? dice.pick(types).type : type
      attributes.fields.append(attribute(name, type, &dice))
    }
    return attributes
  }

  static func attribute(
    _ name: String, _ type: SearchAttributeType, _ dice: inout Dice
  ) -> SearchAttribute {
    var attribute = SearchAttribute()
    attribute.name = name
    guard dice.percent(85) else { return attribute }
    switch type {
    case .keyword: attribute.content = .keyword(dice.pick(["ann", "bob"]))
    case .text: attribute.content = .text(dice.pick(["Green apples", "two green PEARS", "apples"]))
    case .int: attribute.content = .intValue(dice.pick([-1, 0, 7]))
    case .double: attribute.content = .doubleValue(dice.pick([-0.5, 0, 2.5]))
    case .bool: attribute.content = .boolValue(dice.percent(50))
    case .datetime:
      attribute.content = .instantTimeMs(
        Instant(ms: ModelFilter.times.lowerBound + dice.pick([0, 3_600_000])))
    default:
      var list = KeywordList()
      for word in ["new", "old"] where dice.percent(50) { list.keywords.append(word) }
      attribute.content = .keywordList(list)
    }
    return attribute
  }
}
