import Basics

/// What a run has for an attribute, and what a query compares it with.
enum AttributeValue: Sendable {
  /// The run has none.
  case absent
  /// Words for people; compared word by word.
  case text(String)
  /// Compared byte by byte.
  case keyword(String)
  /// Equal to each of its members.
  case keywords([String])
  case int(Int64)
  case double(Double)
  case bool(Bool)
  case instant(Instant)
  case duration(Span)

  var isAbsent: Bool { if case .absent = self { true } else { false } }
}

/// Of a comparison with what a run does not have, nobody knows whether it holds: as in SQL.
enum Truth: Comparable {
  case no, unknown, yes

  init(_ holds: Bool) { self = holds ? .yes : .no }

  static prefix func ! (truth: Truth) -> Truth {
    switch truth {
    case .no: .yes
    case .unknown: .unknown
    case .yes: .no
    }
  }
}

enum Comparison: Sendable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, startsWith
}

extension AttributeValue {
  /// Whether the comparison with a value of the same kind holds.
  func compares(_ comparison: Comparison, _ wanted: AttributeValue) -> Truth {
    guard !isAbsent else {
      #if MUTANTS
        if Mutant.isOn(.absentIsFalse) { return .no }
      #endif
      return .unknown
    }
    switch comparison {
    case .equal: return Truth(matches(wanted))
    case .notEqual: return Truth(!matches(wanted))
    case .less: return Truth(order(wanted) < 0)
    case .lessOrEqual: return Truth(order(wanted) <= 0)
    case .greater: return Truth(order(wanted) > 0)
    case .greaterOrEqual: return Truth(order(wanted) >= 0)
    case .startsWith: return Truth(starts(with: wanted))
    }
  }

  /// `=`: of keywords, one is enough; of a text, all the words that are asked for.
  func matches(_ wanted: AttributeValue) -> Bool {
    switch (self, wanted) {
    case (.keywords(let all), .keyword(let one)): return all.contains { $0.order(one) == 0 }
    case (.text(let text), .text(let asked)):
      let words = text.words
      return asked.words.allSatisfy { word in words.contains { $0.order(word) == 0 } }
    case (.bool(let a), .bool(let b)): return a == b
    default: return order(wanted) == 0
    }
  }

  private func starts(with wanted: AttributeValue) -> Bool {
    guard case .keyword(let text) = self, case .keyword(let prefix) = wanted else { return false }
    return text.utf8.starts(with: prefix.utf8)
  }

  /// Below 0: this one comes first; above 0: the other one. What a run does not have comes last.
  /// Values of two kinds, as only a made-up page token holds, have no order.
  func order(_ other: AttributeValue) -> Int {
    switch (self, other) {
    case (.absent, .absent): 0
    case (.absent, _): 1
    case (_, .absent): -1
    case (.keyword(let a), .keyword(let b)): a.order(b)
    case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.double(let a), .double(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.bool(let a), .bool(let b)): a == b ? 0 : b ? -1 : 1
    case (.instant(let a), .instant(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.duration(let a), .duration(let b)): a < b ? -1 : a > b ? 1 : 0
    default: 0
    }
  }

  /// As the name of a group; what a run does not have is in the one without a name.
  var groupName: String {
    switch self {
    case .keyword(let text): text
    case .int(let int): String(int)
    case .bool(let bool): bool ? "true" : "false"
    default: ""
    }
  }

  /// About how much memory it takes.
  var byteCount: Int {
    switch self {
    case .text(let text), .keyword(let text): 32 + text.utf8.count
    case .keywords(let all): all.reduce(32) { $0 + 32 + $1.utf8.count }
    case .absent, .int, .double, .bool, .instant, .duration: 32
    }
  }
}

extension String {
  /// By bytes: `==` and `<` of Swift take different spellings of a character for the same one.
  func order(_ other: String) -> Int {
    if utf8.elementsEqual(other.utf8) { return 0 }
    return utf8.lexicographicallyPrecedes(other.utf8) ? -1 : 1
  }

  /// Letters and digits that stand together, in lower case.
  fileprivate var words: [String] {
    lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }
}
