import Basics
import Messages

extension Comparison {
  init?(sign: String) {
    switch sign {
    case "=": self = .equal
    case "!=": self = .notEqual
    case "<": self = .less
    case "<=": self = .lessOrEqual
    case ">": self = .greater
    case ">=": self = .greaterOrEqual
    default: return nil
    }
  }
}

extension AttributeValue {
  /// What a query says an attribute of that kind is compared with.
  init?(_ token: FilterToken.Kind, _ kind: ListAttribute.Kind) {
    switch (kind, token) {
    case (.text, .text(let text)): self = .text(text)
    case (.keyword, .text(let text)), (.keywordList, .text(let text)): self = .keyword(text)
    case (.status, .text(let text)):
      guard let status = WorkflowStatus(inQuery: text) else { return nil }
      self = .keyword(status.name)
    case (.int, .number(let number)):
      guard let int = Int64(number) else { return nil }
      self = .int(int)
    case (.double, .number(let number)):
      guard let double = Double(number), double.isFinite else { return nil }
      self = .double(double)
    case (.bool, .word(let word)):
      switch word.uppercased() {
      case "TRUE": self = .bool(true)
      case "FALSE": self = .bool(false)
      default: return nil
      }
    case (.instant, .text(let text)):
      guard let instant = Instant(iso8601: text) else { return nil }
      self = .instant(instant)
    case (.duration, .text(let text)):
      guard let span = Span(written: text) else { return nil }
      self = .duration(span)
    default: return nil
    }
  }
}

extension WorkflowStatus {
  /// As people write it: Running, TimedOut, CONTINUED_AS_NEW.
  fileprivate init?(inQuery text: String) {
    let plain = text.uppercased().filter { $0 != "_" }
    let named = WorkflowStatus.names.dropFirst().first { $0.name.filter { $0 != "_" } == plain }
    guard let named else { return nil }
    self.init(rawValue: named.number)
  }
}

extension ListAttribute.Kind {
  /// What an attribute of that kind is compared with, for people.
  var value: String {
    switch self {
    case .text, .keyword, .keywordList: "a text in quotes"
    case .int: "a whole number"
    case .double: "a number"
    case .bool: "true or false"
    case .instant: "a time like '2026-01-31T12:00:00Z'"
    case .duration: "a duration like '1h30m' or '250ms'"
    case .status:
      "one of " + WorkflowStatus.names.dropFirst().map { "'\($0.name)'" }.joined(separator: ", ")
    }
  }
}
