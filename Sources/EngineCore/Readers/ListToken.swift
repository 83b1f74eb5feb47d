import Basics

/// Where a page of a list has ended: the next one begins behind that row, whatever has been written
/// meanwhile.
struct ListToken {
  /// Of namespace and query: a token is good for these.
  let query: Fingerprint
  /// Rows that a limit leaves for the pages to come; 0: there is no limit.
  let left: Int64
  /// The last row that was shown, by its number and by what the list is ordered by.
  let run: RunNumber
  let values: [AttributeValue]

  private static let kind: UInt8 = 3

  init(query: Fingerprint, left: Int64, run: RunNumber, values: [AttributeValue]) {
    self.query = query
    self.left = left
    self.run = run
    self.values = values
  }

  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    guard rest.popFirst() == ListToken.kind, let high = rest.popWord(), let low = rest.popWord(),
      let left = rest.popWord(), let run = rest.popWord()
    else { return nil }
    query = Fingerprint(high: high, low: low)
    self.left = Int64(bitPattern: left)
    self.run = RunNumber(Int64(bitPattern: run))
    var values: [AttributeValue] = []
    while !rest.isEmpty {
      guard let value = AttributeValue(from: &rest) else { return nil }
      values.append(value)
    }
    self.values = values
    if self.left < 0 { return nil }
  }

  var bytes: [UInt8] {
    var bytes = [ListToken.kind]
    for word in [
      query.high, query.low, UInt64(bitPattern: left), UInt64(bitPattern: run.value),
    ] { bytes.append(word: word) }
    for value in values { value.append(to: &bytes) }
    return bytes
  }
}

/// Only what ORDER BY takes can stand in a token.
extension AttributeValue {
  fileprivate func append(to bytes: inout [UInt8]) {
    switch self {
    case .absent: bytes.append(0)
    case .keyword(let text):
      bytes.append(1)
      bytes.append(word: UInt64(text.utf8.count))
      bytes += text.utf8
    case .int(let int): bytes.append(2, UInt64(bitPattern: int))
    case .double(let double): bytes.append(3, double.bitPattern)
    case .bool(let bool): bytes.append(4, bool ? 1 : 0)
    case .instant(let instant): bytes.append(5, UInt64(bitPattern: instant.ms))
    case .duration(let span): bytes.append(6, UInt64(bitPattern: span.ms))
    case .text, .keywords: preconditionFailure("nothing is ordered by \(self)")
    }
  }

  fileprivate init?(from bytes: inout ArraySlice<UInt8>) {
    guard let kind = bytes.popFirst() else { return nil }
    if kind == 0 {
      self = .absent
      return
    }
    guard let word = bytes.popWord() else { return nil }
    switch kind {
    case 1:
      guard word <= UInt64(bytes.count),
        let text = String(validating: bytes.prefix(Int(word)), as: UTF8.self)
      else { return nil }
      bytes.removeFirst(Int(word))
      self = .keyword(text)
    case 2: self = .int(Int64(bitPattern: word))
    case 3: self = .double(Double(bitPattern: word))
    case 4: self = .bool(word != 0)
    case 5: self = .instant(Instant(ms: Int64(bitPattern: word)))
    case 6: self = .duration(Span(ms: Int64(bitPattern: word)))
    default: return nil
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(word: UInt64) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func append(_ kind: UInt8, _ word: UInt64) {
    append(kind)
    append(word: word)
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func popWord() -> UInt64? {
    guard count >= 8 else { return nil }
    let word = prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    removeFirst(8)
    return word
  }
}
