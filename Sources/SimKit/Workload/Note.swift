import Messages

/// What a program says of itself at one of its steps.
struct Note {
  let memo: Memo?
  let attributes: SearchAttributes?
  let details: String?

  init(_ dice: inout Dice) {
    memo = DetailsDraw.memo(&dice)
    var stage = SearchAttributes()
    stage.fields = [DetailsDraw.attribute("Stage", .keyword, &dice)]
    attributes = dice.percent(50) ? stage : nil
    details = dice.percent(50) ? dice.pick(["waits", "goes on", ""]) : nil
  }

  var commands: [Command.Kind] {
    var commands: [Command.Kind] = []
    if let memo {
      var upsert = UpsertMemo()
      upsert.memo = memo
      commands.append(.upsertMemo(upsert))
    }
    if let details {
      var set = SetCurrentDetails()
      set.text = details
      commands.append(.setCurrentDetails(set))
    }
    if let attributes {
      var upsert = UpsertSearchAttributes()
      upsert.searchAttributes = attributes
      commands.append(.upsertSearchAttributes(upsert))
    }
    return commands
  }
}
