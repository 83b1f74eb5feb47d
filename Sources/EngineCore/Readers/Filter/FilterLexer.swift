/// A word, a value or a sign of a query, and where it begins.
struct FilterToken {
  enum Kind {
    /// Letters, digits and underscores: a keyword or a name.
    case word(String)
    /// In backticks: a name, whatever it looks like.
    case name(String)
    /// In quotes, which stand doubled within it.
    case text(String)
    case number(String)
    /// `= != < <= > >= ( ) ,` or a character that has no place in a query.
    case sign(String)
    case end
  }

  let kind: Kind
  /// From 1.
  let position: Int

  /// For people, not longer than a line.
  var description: String {
    switch kind {
    case .word(let word): "'\(FilterToken.cut(word))'"
    case .name(let name): "`\(FilterToken.cut(name))`"
    case .text(let text): "the text '\(FilterToken.cut(text))'"
    case .number(let number): "the number \(FilterToken.cut(number))"
    case .sign(let sign): "'\(sign)'"
    case .end: "the end"
    }
  }

  private static func cut(_ text: String) -> String {
    let short = text.cut(to: 40)
    return short.utf8.count == text.utf8.count ? text : short + "…"
  }
}

/// Cuts a query into tokens.
struct FilterLexer {
  private let scalars: [Unicode.Scalar]
  private var place = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func next() throws(FilterError) -> FilterToken {
    while let scalar = peek(), scalar.properties.isWhitespace { place += 1 }
    let position = place + 1
    return FilterToken(kind: try kind(), position: position)
  }

  private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
    place + distance < scalars.count ? scalars[place + distance] : nil
  }

  private mutating func kind() throws(FilterError) -> FilterToken.Kind {
    guard let first = peek() else { return .end }
    switch first {
    case "'", "\"": return .text(try quoted(first))
    case "`": return .name(try quoted(first))
    case _ where first.isWordPart && !first.isDigit: return .word(take { $0.isWordPart })
    case _ where beginsNumber: return .number(number())
    default: return .sign(sign())
    }
  }

  /// What stands between two such quotes.
  private mutating func quoted(_ quote: Unicode.Scalar) throws(FilterError) -> String {
    let start = place + 1
    var text = String.UnicodeScalarView()
    place += 1
    while let scalar = peek() {
      place += 1
      if scalar == quote {
        guard peek() == quote else { return String(text) }
        place += 1
      }
      text.append(scalar)
    }
    throw FilterError(
      position: place + 1, expected: "the \(quote) that ends what begins at character \(start)",
      found: "the end")
  }

  private var beginsNumber: Bool {
    guard let first = peek() else { return false }
    return first.isDigit || ((first == "-" || first == "+") && peek(1)?.isDigit == true)
  }

  private mutating func number() -> String {
    let start = place
    place += 1
    _ = take { $0.isDigit }
    if peek() == ".", peek(1)?.isDigit == true {
      place += 1
      _ = take { $0.isDigit }
    }
    if peek() == "e" || peek() == "E" {
      let sign = peek(1) == "-" || peek(1) == "+" ? 2 : 1
      if peek(sign)?.isDigit == true {
        place += sign
        _ = take { $0.isDigit }
      }
    }
    return text(from: start)
  }

  private mutating func sign() -> String {
    let start = place
    let first = peek()
    place += 1
    if peek() == "=", first == "!" || first == "<" || first == ">" { place += 1 }
    return text(from: start)
  }

  private mutating func take(_ belongs: (Unicode.Scalar) -> Bool) -> String {
    let start = place
    while let scalar = peek(), belongs(scalar) { place += 1 }
    return text(from: start)
  }

  private func text(from start: Int) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<place])
    return String(text)
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }

  fileprivate var isWordPart: Bool {
    isDigit || self == "_" || ("a"..."z").contains(self) || ("A"..."Z").contains(self)
  }
}
