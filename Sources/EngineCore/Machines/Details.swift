import Basics
import Messages

/// Memo, search attributes and current details: what a run says of itself.
///
/// A start and a change hold fields; in both a field that says nothing takes its name away.
extension RunDetails {
  mutating func change(_ memo: Memo?) {
    guard let memo else { return }
    self.memo = (self.memo ?? Memo()).changed(by: memo)
  }

  mutating func change(_ attributes: SearchAttributes?) {
    guard let attributes else { return }
    searchAttributes = (searchAttributes ?? SearchAttributes()).changed(by: attributes)
  }

  /// About their size in a message; never less.
  var bytes: Int {
    (memo?.bytes ?? 0) + (searchAttributes?.bytes ?? 0) + currentDetails.utf8.count
  }
}

extension Memo {
  /// nil: nothing is left.
  func changed(by changes: Memo) -> Memo? {
    #if MUTANTS
      if Mutant.isOn(.memoIsReplaced) { return changes.fields.isEmpty ? nil : changes }
    #endif
    var memo = Memo()
    memo.fields = fields.filter { field in !changes.fields.contains { $0.key == field.key } }
    memo.fields += changes.fields.filter { !$0.saysNothing }
    memo.fields.sort { $0.key < $1.key }
    return memo.fields.isEmpty ? nil : memo
  }

  /// What is kept of it where it is given anew.
  var settled: Memo? { Memo().changed(by: self) }

  var payloads: [Payload] { fields.compactMap(\.value) }
  var bytes: Int { payloads.bytes + fields.reduce(0) { $0 + $1.key.utf8.count + 16 } }
}

extension PayloadEntry {
  fileprivate var saysNothing: Bool {
    guard let value else { return true }
    return value.data.isEmpty || value.encoding == "binary/null"
  }
}

extension SearchAttributes {
  /// nil: nothing is left.
  func changed(by changes: SearchAttributes) -> SearchAttributes? {
    var attributes = SearchAttributes()
    attributes.fields = fields.filter { field in
      !changes.fields.contains { $0.name == field.name }
    }
    #if MUTANTS
      if Mutant.isOn(.attributesStay), changes.fields.contains(where: { $0.type == nil }) {
        attributes.fields = fields
      }
    #endif
    attributes.fields += changes.fields.filter { $0.type != nil }
    attributes.fields.sort { $0.name < $1.name }
    return attributes.fields.isEmpty ? nil : attributes
  }

  /// What is kept of them where they are given anew.
  var settled: SearchAttributes? { SearchAttributes().changed(by: self) }

  var bytes: Int { fields.reduce(0) { $0 + $1.name.utf8.count + $1.contentBytes + 16 } }
}

extension SearchAttribute {
  /// nil: it says nothing.
  var type: SearchAttributeType? {
    switch content {
    case .text: .text
    case .keyword: .keyword
    case .keywordList(let list): list.keywords.isEmpty ? nil : .keywordList
    case .intValue: .int
    case .doubleValue: .double
    case .boolValue: .bool
    case .instantTimeMs: .datetime
    case nil: nil
    }
  }

  fileprivate var contentBytes: Int {
    switch content {
    case .text(let text), .keyword(let text): text.utf8.count
    case .keywordList(let list): list.keywords.reduce(0) { $0 + $1.utf8.count + 8 }
    case .intValue, .doubleValue, .boolValue, .instantTimeMs: 8
    case nil: 0
    }
  }
}

/// What is wrong with a field of a request or of a command.
struct DetailFault {
  let field: String
  let message: String
  var isTooLarge = false
}

extension Memo {
  /// Of the memo that a run would have: what is given is checked as all payloads are.
  func fault(_ limits: EngineLimits) -> DetailFault? {
    for field in fields where field.key.isEmpty || field.key.utf8.count > limits.idBytesMax {
      return DetailFault(
        field: "memo", message: "a key has 1 to \(limits.idBytesMax) bytes, not '\(field.key)'")
    }
    guard bytes > limits.memoBytesMax else { return nil }
    return DetailFault(
      field: "memo", message: "it holds \(bytes) bytes; \(limits.memoBytesMax) are allowed",
      isTooLarge: true)
  }
}

extension SearchAttributes {
  /// Of what is given; what a run would have then is checked by `sizeFault`.
  func fault(_ limits: EngineLimits) -> DetailFault? {
    for (a, b) in zip(fields, fields.dropFirst()) where a.name >= b.name {
      return fault("names must be sorted and without duplicates ('\(a.name)', '\(b.name)')")
    }
    for field in fields {
      if let message = AttributeNames.fault(of: field.name, limits) { return fault(message) }
      if field.contentBytes > limits.attributeValueBytesMax {
        return fault(
          "'\(field.name)' holds \(field.contentBytes) bytes;"
            + " \(limits.attributeValueBytesMax) are allowed: a memo may hold more")
      }
      if case .doubleValue(let number) = field.content, !number.isFinite {
        return fault("'\(field.name)' is no finite number")
      }
    }
    return sizeFault(limits)
  }

  func sizeFault(_ limits: EngineLimits) -> DetailFault? {
    if fields.count > limits.attributesMax {
      return fault("\(fields.count) of them; \(limits.attributesMax) are allowed")
    }
    return bytes > limits.attributesBytesMax
      ? fault(
        "they hold \(bytes) bytes; \(limits.attributesBytesMax) are allowed: a memo may hold more")
      : nil
  }

  private func fault(_ message: String) -> DetailFault {
    DetailFault(field: "search_attributes", message: message)
  }
}
