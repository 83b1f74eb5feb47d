import EngineCore
import Messages

/// What runs are to say of themselves, and the names for it.
extension OracleWalk {
  mutating func drawMemo() -> Memo? {
    guard isWrong() else { return DetailsDraw.memo(&dice) }
    var memo = Memo()
    for key in ["b", "a"] {
      var field = PayloadEntry()
      field.key = key
      field.value = Payload(text: "x")
      memo.fields.append(field)
    }
    return memo
  }

  mutating func drawAttributes() -> SearchAttributes? {
    guard isWrong() else { return DetailsDraw.attributes(&dice) }
    var attributes = SearchAttributes()
    for name in dice.pick([["StartTime"], [""], ["Paid", "Paid"], ["not plain"]]) {
      attributes.fields.append(DetailsDraw.attribute(name, .bool, &dice))
    }
    return attributes
  }

  mutating func drawDetailCommand() -> Command.Kind {
    switch dice.int(0...3) {
    case 0:
      var details = SetCurrentDetails()
      details.text = dice.pick(["", "waits for ann", "done"])
      return .setCurrentDetails(details)
    case 1:
      var upsert = UpsertMemo()
      upsert.memo = drawMemo()
      return .upsertMemo(upsert)
    default:
      var upsert = UpsertSearchAttributes()
      upsert.searchAttributes = drawAttributes()
      return .upsertSearchAttributes(upsert)
    }
  }

  mutating func drawAttributeRequest() -> AttributeRequest {
    let (name, type) = dice.pick(DetailsDraw.types)
    switch dice.int(0...3) {
    case 0: return .list(ListSearchAttributesRequest())
    case 1:
      var remove = RemoveSearchAttributeRequest()
      remove.name = dice.pick([name, "Unknown"])
      return .remove(remove)
    default:
      var add = AddSearchAttributeRequest()
      add.name = isWrong() ? "RunId" : name
      add.type = isWrong() ? .unspecified : type
      return .add(add)
    }
  }

  /// The names in the query have other types by now: what it means then is left open.
  func isOutdated(_ query: String) -> Bool {
    (model.selections[query]?.names ?? [:]).contains { name, type in
      model.names[name].map { $0 != type } ?? false
    }
  }
}

extension ModelSelection {
  func uses(_ name: String) -> Bool {
    filter.uses(name) || order.contains { $0.name == name } || groups.contains(name)
  }
}

extension ModelFilter {
  fileprivate func uses(_ name: String) -> Bool {
    switch self {
    case .everything: false
    case .not(let filter): filter.uses(name)
    case .and(let a, let b), .or(let a, let b): a.uses(name) || b.uses(name)
    case .compare(let own, _, _), .among(let own, _), .between(let own, _, _), .null(let own):
      own == name
    }
  }
}
