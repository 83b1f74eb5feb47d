import Basics
import EngineCore
import Messages

/// How a selection is written: the same one in many ways.
extension ModelSelection {
  func text(_ dice: inout Dice) -> String {
    var parts: [String] = []
    if case .everything = filter {} else { parts.append(filter.text(&dice)) }
    if !order.isEmpty {
      let keys = order.map { name, isDescending in
        ModelFilter.name(name, &dice) + (isDescending ? " DESC" : dice.pick(["", " asc"]))
      }
      parts.append("ORDER BY " + keys.joined(separator: dice.pick([", ", ","])))
    }
    if let limit { parts.append("\(dice.pick(["LIMIT", "limit"])) \(limit)") }
    if !groups.isEmpty { parts.append("group by " + groups.joined(separator: ", ")) }
    return parts.joined(separator: dice.pick([" ", "\n "]))
  }
}

extension ModelFilter {
  /// How tightly it holds together: where a tighter one is asked for it needs parentheses.
  private var tightness: Int {
    switch self {
    case .or: 1
    case .and: 2
    case .not: 3
    case .everything, .compare, .among, .between, .null: 4
    }
  }

  fileprivate func text(_ dice: inout Dice, within tightness: Int = 0) -> String {
    let text = bareText(&dice)
    let isLoose = self.tightness < tightness
    return isLoose || dice.percent(10) ? "(\(text))" : text
  }

  private func bareText(_ dice: inout Dice) -> String {
    switch self {
    case .everything: preconditionFailure("there is no text for it within a filter")
    case .not(let filter): return notText(filter, &dice)
    case .and(let a, let b):
      let word = dice.pick(["AND", "And"])
      return "\(a.text(&dice, within: 2)) \(word) \(b.text(&dice, within: 2))"
    case .or(let a, let b):
      let word = dice.pick(["OR", "or"])
      return "\(a.text(&dice, within: 1)) \(word) \(b.text(&dice, within: 1))"
    default: return testText("", &dice)
    }
  }

  /// `NOT x IN …` or `x NOT IN …`.
  private func notText(_ filter: ModelFilter, _ dice: inout Dice) -> String {
    switch filter {
    case .among, .between, .compare(_, "STARTS_WITH", _):
      if dice.percent(50) { return filter.testText("NOT ", &dice) }
    case .null(let name):
      if dice.percent(50) { return "\(ModelFilter.name(name, &dice)) IS NOT NULL" }
    default: break
    }
    return "\(dice.pick(["NOT", "not"])) \(filter.text(&dice, within: 3))"
  }

  private func testText(_ not: String, _ dice: inout Dice) -> String {
    switch self {
    case .compare(let name, let comparison, let value):
      let space = comparison == "STARTS_WITH" ? " " : dice.pick([" ", ""])
      return ModelFilter.name(name, &dice) + (not.isEmpty ? space : " \(not)") + comparison
        + space + ModelFilter.text(value, &dice)
    case .among(let name, let values):
      let texts = values.map { ModelFilter.text($0, &dice) }.joined(separator: ", ")
      return "\(ModelFilter.name(name, &dice)) \(not)IN (\(texts))"
    case .between(let name, let low, let high):
      return "\(ModelFilter.name(name, &dice)) \(not)BETWEEN \(ModelFilter.text(low, &dice)) AND "
        + ModelFilter.text(high, &dice)
    case .null(let name): return "\(ModelFilter.name(name, &dice)) is null"
    case .everything, .not, .and, .or: preconditionFailure("no test")
    }
  }

  fileprivate static func name(_ name: String, _ dice: inout Dice) -> String {
    dice.percent(20) ? "`\(name)`" : name
  }

  private static func text(_ value: ModelValue, _ dice: inout Dice) -> String {
    switch value {
    case .bytes(let bytes):
      let quote: Unicode.Scalar = dice.pick(["'", "\""])
      let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map {
        $0 == quote ? "\(quote)\(quote)" : "\($0)"
      }
      return "\(quote)\(text.joined())\(quote)"
    case .number(let number): return "\(number)"
    case .real(let number): return "\(number)"
    case .truth(let truth): return dice.pick(["\(truth)", "\(truth)".uppercased()])
    case .words(let words): return "'\(words.joined(separator: dice.pick([" ", ", "])))'"
    case .members: preconditionFailure("nothing is compared with a list")
    case .length(let ms): return "'\(ms / 60_000)m\(ms / 1_000 % 60)s\(ms % 1_000)ms'"
    case .time(let ms): return "'\(time(ms, ahead: dice.pick([0, 0, 2])))'"
    }
  }

  /// The first day of every walk and every world.
  private static let firstDay: Int64 = 1_699_920_000_000
  /// Days that are written as days of its month.
  static let times = firstDay...(firstDay + 16 * 86_400_000)

  /// As clocks show it that are so many hours ahead of UTC.
  private static func time(_ ms: Int64, ahead hours: Int64) -> String {
    let local = ms - firstDay + hours * 3_600_000
    func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = [local / 3_600_000 % 24, local / 60_000 % 60, local / 1_000 % 60].map(digits)
    let fraction = String(local % 1_000 + 1_000).dropFirst()
    return "2023-11-\(digits(14 + local / 86_400_000))T\(clock.joined(separator: ":"))"
      + ".\(fraction)\(hours == 0 ? "Z" : "+\(digits(hours)):00")"
  }
}
