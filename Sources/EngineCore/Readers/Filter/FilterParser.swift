import Basics

/// Reads a query by descent, one token ahead.
///
///     list      = [ or ] [ "ORDER" "BY" key { "," key } ] [ "LIMIT" number ]
///     count     = [ or ] [ "GROUP" "BY" name { "," name } ]
///     or        = and { "OR" and }
///     and       = term { "AND" term }
///     term      = "NOT" term | "(" or ")" | name test
///     test      = ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
///               | [ "NOT" ] "IN" "(" value { "," value } ")"
///               | [ "NOT" ] "BETWEEN" value "AND" value
///               | [ "NOT" ] "STARTS_WITH" value
///               | "IS" [ "NOT" ] "NULL"
///     key       = name [ "ASC" | "DESC" ]
struct FilterParser {
  private var lexer: FilterLexer
  /// The next one; nil until it is looked at.
  private var ahead: FilterToken?
  private let attributes: [ListAttribute]
  private let limits: EngineLimits
  private var depth = 0
  private var values = 0

  init(_ query: String, _ attributes: [ListAttribute], _ limits: EngineLimits) {
    lexer = FilterLexer(query)
    self.attributes = attributes
    self.limits = limits
  }

  mutating func selection(_ purpose: ListSelection.Purpose) throws(FilterError) -> ListSelection {
    var filter = ListFilter.all([])
    if !(try isAtEndOfFilter()) { filter = try either() }
    var order: [ListSelection.Key] = []
    var limit: Int64?
    var groups: [ListAttribute] = []
    switch purpose {
    case .list:
      if try skip("ORDER") { order = try orderKeys() }
      if try skip("LIMIT") { limit = try count() }
    case .count:
      if try skip("GROUP") { groups = try groupKeys() }
    case .batch: break
    }
    guard case .end = try token().kind else {
      let rest =
        switch purpose {
        case .list where limit != nil: "the end"
        case .list where !order.isEmpty: "',', LIMIT or the end"
        case .list: "AND, OR, ORDER BY, LIMIT or the end"
        case .count where !groups.isEmpty: "',' or the end"
        case .count: "AND, OR, GROUP BY or the end"
        case .batch: "AND, OR or the end"
        }
      throw try error(rest)
    }
    return ListSelection(filter: filter, order: order, limit: limit, groups: groups)
  }

  // MARK: - Tokens

  mutating func token() throws(FilterError) -> FilterToken {
    if let ahead { return ahead }
    let next = try lexer.next()
    ahead = next
    return next
  }

  mutating func pass() { ahead = nil }

  mutating func error(_ expected: String) throws(FilterError) -> FilterError {
    let token = try token()
    return FilterError(
      position: token.position, expected: expected, found: token.description)
  }

  /// Whether the next token is that keyword, in upper or lower case.
  mutating func sees(_ keyword: String) throws(FilterError) -> Bool {
    guard case .word(let word) = try token().kind else { return false }
    return word.uppercased() == keyword
  }

  mutating func skip(_ keyword: String) throws(FilterError) -> Bool {
    guard try sees(keyword) else { return false }
    pass()
    return true
  }

  private mutating func skip(sign wanted: String) throws(FilterError) -> Bool {
    guard case .sign(let sign) = try token().kind, sign == wanted else { return false }
    pass()
    return true
  }

  private mutating func expect(_ keyword: String) throws(FilterError) {
    guard try skip(keyword) else { throw try error(keyword) }
  }

  private mutating func isAtEndOfFilter() throws(FilterError) -> Bool {
    if case .end = try token().kind { return true }
    for keyword in ["ORDER", "LIMIT", "GROUP"] where try sees(keyword) { return true }
    return false
  }

  // MARK: - The filter

  private mutating func either() throws(FilterError) -> ListFilter {
    var parts = [try both()]
    while try skip(FilterParser.outer) { parts.append(try both()) }
    return parts.count == 1 ? parts[0] : FilterParser.join(parts, FilterParser.outer)
  }

  private mutating func both() throws(FilterError) -> ListFilter {
    var parts = [try term()]
    while try skip(FilterParser.inner) { parts.append(try term()) }
    return parts.count == 1 ? parts[0] : FilterParser.join(parts, FilterParser.inner)
  }

  private static func join(_ parts: [ListFilter], _ keyword: String) -> ListFilter {
    keyword == "AND" ? .all(parts) : .any(parts)
  }

  /// OR joins what AND has joined.
  private static var outer: String { andJoinsFirst ? "OR" : "AND" }
  private static var inner: String { andJoinsFirst ? "AND" : "OR" }
  private static var andJoinsFirst: Bool {
    #if MUTANTS
      return !Mutant.isOn(.orBindsFirst)
    #else
      return true
    #endif
  }

  private mutating func term() throws(FilterError) -> ListFilter {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.queryDepthMax else {
      throw try error("at most \(limits.queryDepthMax) levels of NOT and parentheses")
    }
    if try skip("NOT") { return .not(try term()) }
    guard try skip(sign: "(") else { return try test(of: try attribute()) }
    let filter = try either()
    guard try skip(sign: ")") else { throw try error("AND, OR or ')'") }
    return filter
  }

  private mutating func test(of attribute: ListAttribute) throws(FilterError) -> ListFilter {
    let place = try token()
    if try skip("IS") {
      let isNegated = try skip("NOT")
      guard try skip("NULL") else { throw try error(isNegated ? "NULL" : "NULL or NOT NULL") }
      return isNegated ? .not(.isAbsent(attribute)) : .isAbsent(attribute)
    }
    if try skip("NOT") {
      guard let filter = try wordTest(of: attribute) else {
        throw try error("one of IN BETWEEN STARTS_WITH")
      }
      return .not(filter)
    }
    if let filter = try wordTest(of: attribute) { return filter }
    guard case .sign(let sign) = place.kind, let comparison = Comparison(sign: sign),
      attribute.kind.takes(comparison)
    else { throw try noComparison(of: attribute, place) }
    pass()
    return .compares(attribute, comparison, try value(for: attribute))
  }

  /// The tests that may stand after NOT; nil if none does.
  private mutating func wordTest(of attribute: ListAttribute) throws(FilterError) -> ListFilter? {
    let place = try token()
    if try skip("IN") { return .isAmong(attribute, try list(for: attribute)) }
    if try skip("STARTS_WITH") {
      guard attribute.kind.hasPrefixes else { throw try noComparison(of: attribute, place) }
      return .compares(attribute, .startsWith, try value(for: attribute))
    }
    guard try skip("BETWEEN") else { return nil }
    guard attribute.kind.hasOrder else { throw try noComparison(of: attribute, place) }
    let low = try value(for: attribute)
    try expect("AND")
    let high = try value(for: attribute)
    return .all([
      .compares(attribute, .greaterOrEqual, low), .compares(attribute, .lessOrEqual, high),
    ])
  }

  private func noComparison(of attribute: ListAttribute, _ place: FilterToken)
    throws(FilterError) -> FilterError
  {
    FilterError(
      position: place.position,
      expected: "one of \(attribute.kind.comparisons)"
        + " (\(attribute.name): \(attribute.kind.name))", found: place.description)
  }

  private mutating func list(for attribute: ListAttribute) throws(FilterError)
    -> [AttributeValue]
  {
    guard try skip(sign: "(") else { throw try error("'('") }
    var list = [try value(for: attribute)]
    while try skip(sign: ",") { list.append(try value(for: attribute)) }
    guard try skip(sign: ")") else { throw try error("',' or ')'") }
    return list
  }

  private mutating func value(for attribute: ListAttribute) throws(FilterError) -> AttributeValue {
    values += 1
    guard values <= limits.queryValuesMax else {
      throw try error("at most \(limits.queryValuesMax) values")
    }
    let token = try token()
    guard let value = AttributeValue(token.kind, attribute.kind) else {
      throw try error("\(attribute.kind.value) (\(attribute.name): \(attribute.kind.name))")
    }
    pass()
    return value
  }

  // MARK: - Names

  private static let namesShown = 50

  private static let keywords: Set<String> = [
    "AND", "OR", "NOT", "IN", "BETWEEN", "STARTS_WITH", "IS", "NULL", "TRUE", "FALSE", "ORDER",
    "GROUP", "BY", "ASC", "DESC", "LIMIT",
  ]

  private mutating func attribute(
    where suits: (ListAttribute) -> Bool = { _ in true }
  ) throws(FilterError) -> ListAttribute {
    let known = attributes.filter(suits)
    let name: String? =
      switch try token().kind {
      case .word(let word) where !FilterParser.keywords.contains(word.uppercased()): word
      case .name(let name): name
      default: nil
      }
    guard let name, let found = known.first(where: { $0.name.order(name) == 0 }) else {
      let names = known.prefix(FilterParser.namesShown).map(\.name).joined(separator: ", ")
      let more = known.count > FilterParser.namesShown ? " and others" : ""
      throw try error("one of the attributes " + names + more)
    }
    pass()
    return found
  }

  private mutating func orderKeys() throws(FilterError) -> [ListSelection.Key] {
    try expect("BY")
    var keys: [ListSelection.Key] = []
    repeat {
      let attribute = try attribute { candidate in
        candidate.kind.sorts && !keys.contains { $0.attribute.name == candidate.name }
      }
      let isDescending = try skip("DESC")
      if !isDescending { _ = try skip("ASC") }
      keys.append(ListSelection.Key(attribute: attribute, isDescending: isDescending))
    } while try skip(sign: ",")
    return keys
  }

  private mutating func groupKeys() throws(FilterError) -> [ListAttribute] {
    try expect("BY")
    var keys: [ListAttribute] = []
    repeat {
      keys.append(
        try attribute { candidate in
          candidate.isForGroups && !keys.contains { $0.name == candidate.name }
        })
    } while try skip(sign: ",")
    return keys
  }

  private mutating func count() throws(FilterError) -> Int64 {
    guard case .number(let number) = try token().kind, let count = Int64(number), count > 0 else {
      throw try error("a whole number above 0")
    }
    pass()
    return count
  }
}
