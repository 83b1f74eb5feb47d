/// Swift source without comments and texts: a blank for each of their bytes, every line in its
/// place. Code inside `\(…)` stays.
struct SwiftCode {
  private(set) var bytes: [UInt8]
  private var position = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
    code(untilParenthesis: false)
  }

  var lines: [Substring] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
  }

  private func starts(_ text: String, at place: Int) -> Bool {
    place + text.utf8.count <= bytes.count
      && zip(bytes[place...], text.utf8).allSatisfy { $0 == $1 }
  }

  private var next: UInt8 { position + 1 < bytes.count ? bytes[position + 1] : 0 }

  private mutating func blank(_ count: Int) {
    for _ in 0..<count where position < bytes.count {
      if bytes[position] != UInt8(ascii: "\n") { bytes[position] = UInt8(ascii: " ") }
      position += 1
    }
  }

  /// Reads code to the end, or to the parenthesis that closes an interpolation.
  private mutating func code(untilParenthesis: Bool) {
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "/") where next == UInt8(ascii: "/"):
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
      case UInt8(ascii: "/") where next == UInt8(ascii: "*"): blockComment()
      case UInt8(ascii: "\""): text(hashes: 0)
      case UInt8(ascii: "#"): hash()
      case UInt8(ascii: "("):
        depth += 1
        position += 1
      case UInt8(ascii: ")"):
        if untilParenthesis && depth == 0 { return }
        depth -= 1
        position += 1
      default: position += 1
      }
    }
  }

  private mutating func blockComment() {
    var depth = 0
    repeat {
      if starts("/*", at: position) {
        depth += 1
        blank(2)
      } else if starts("*/", at: position) {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && position < bytes.count
  }

  /// `#"…"#`, or a `#` of the code.
  private mutating func hash() {
    var hashes = 0
    while position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "#") {
      hashes += 1
    }
    let isText =
      position + hashes < bytes.count && bytes[position + hashes] == UInt8(ascii: "\"")
    if isText { text(hashes: hashes) } else { position += hashes }
  }

  private mutating func text(hashes: Int) {
    let marks = String(repeating: "#", count: hashes)
    blank(hashes)
    let quotes = starts("\"\"\"", at: position) ? "\"\"\"" : "\""
    blank(quotes.utf8.count)
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        if starts(quotes + marks, at: position) { return blank(quotes.utf8.count + hashes) }
        blank(1)
      case UInt8(ascii: "\\"):
        if starts("\\" + marks + "(", at: position) {
          blank(2 + hashes)
          code(untilParenthesis: true)
          blank(1)
        } else {
          blank(starts("\\" + marks, at: position) ? 2 + hashes : 1)
        }
      default: blank(1)
      }
    }
  }
}

/// A function of Swift source and the lines that it takes.
struct SwiftFunction: Equatable {
  let name: String
  /// The first line counts as 1.
  let line: Int
  let lineCount: Int
}

extension SwiftCode {
  private static let keywords: Set<String> = ["func", "init", "deinit", "subscript"]
  private static let declarations: Set<String> = [
    "func", "init", "deinit", "subscript", "var", "let", "static", "case", "mutating", "struct",
    "enum", "class", "extension", "protocol", "public", "package", "private", "internal",
    "associatedtype", "typealias",
  ]

  /// Every function that has a body.
  var functions: [SwiftFunction] {
    var found: [SwiftFunction] = []
    var line = 1
    var place = 0
    var before = UInt8(ascii: " ")
    while place < bytes.count {
      let start = place
      while place < bytes.count, SwiftCode.isWord(bytes[place]) { place += 1 }
      if place > start {
        let word = String(decoding: bytes[start..<place], as: UTF8.self)
        if SwiftCode.keywords.contains(word), before != UInt8(ascii: "."),
          let end = bodyEnd(from: place)
        {
          let count = bytes[start..<end].reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
          found.append(SwiftFunction(name: name(word, place), line: line, lineCount: count))
        }
        before = bytes[place - 1]
        continue
      }
      if bytes[place] == UInt8(ascii: "\n") { line += 1 }
      before = bytes[place]
      place += 1
    }
    return found
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...255:
      return true
    default: return false
    }
  }

  private func name(_ keyword: String, _ place: Int) -> String {
    guard keyword == "func" else { return keyword }
    return String(
      decoding: bytes[place...].drop { $0 == UInt8(ascii: " ") }.prefix { SwiftCode.isWord($0) },
      as: UTF8.self)
  }

  /// The place after the closing brace of the body that begins after `place`; nil if there is none.
  private func bodyEnd(from place: Int) -> Int? {
    var place = place
    var parentheses = 0
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
      case UInt8(ascii: "{") where parentheses == 0: return braceEnd(from: place)
      case UInt8(ascii: "}") where parentheses == 0: return nil
      case UInt8(ascii: "\n") where parentheses == 0:
        let next = bytes[(place + 1)...].drop { $0 == UInt8(ascii: " ") }
        let word = String(decoding: next.prefix { SwiftCode.isWord($0) }, as: UTF8.self)
        if SwiftCode.declarations.contains(word) || next.first == UInt8(ascii: "@") { return nil }
      default: break
      }
      if parentheses < 0 { return nil }
      place += 1
    }
    return nil
  }

  private func braceEnd(from open: Int) -> Int? {
    var depth = 0
    for place in open..<bytes.count {
      if bytes[place] == UInt8(ascii: "{") { depth += 1 }
      if bytes[place] == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return place + 1 }
      }
    }
    return nil
  }
}
