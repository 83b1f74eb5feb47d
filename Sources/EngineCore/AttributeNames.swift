import Basics
import Messages

/// The names of search attributes, each with its type: one per namespace.
struct AttributeNames {
  private var types: [String: [String: SearchAttributeType]] = [:]

  init(_ stored: [StoredAttributeName]) {
    for name in stored { types[name.namespace, default: [:]][name.name] = name.type }
  }

  func type(of name: String, in namespace: String) -> SearchAttributeType? {
    types[namespace]?[name]
  }

  /// By name.
  func all(in namespace: String) -> [(name: String, type: SearchAttributeType)] {
    (types[namespace] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  func count(in namespace: String) -> Int { types[namespace]?.count ?? 0 }

  mutating func add(_ name: String, _ type: SearchAttributeType, in namespace: String) {
    types[namespace, default: [:]][name] = type
  }

  mutating func remove(_ name: String, from namespace: String) {
    types[namespace]?.removeValue(forKey: name)
  }

  /// Why nothing may have the name; nil when something may.
  static func fault(of name: String, _ limits: EngineLimits) -> String? {
    if ListAttribute.all.contains(where: { $0.name == name }) {
      return "'\(name)' is the engine's own name: choose another one"
    }
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard isPlain, (1...limits.attributeNameBytesMax).contains(name.utf8.count) else {
      return "a name has 1 to \(limits.attributeNameBytesMax) letters, digits and '_-.',"
        + " not '\(name.cut(to: limits.attributeNameBytesMax))'"
    }
    return nil
  }

  /// Why the attributes cannot be given; nil when they can. `declared`: names of the same request.
  func fault(
    of attributes: SearchAttributes?, in namespace: String, _ limits: EngineLimits,
    declared: [String: SearchAttributeType] = [:]
  ) -> String? {
    var new = declared.count
    for field in attributes?.fields ?? [] {
      guard let type = field.type else { continue }
      guard let known = self.type(of: field.name, in: namespace) ?? declared[field.name] else {
        new += 1
        continue
      }
      #if MUTANTS
        if Mutant.isOn(.typesAreNotCompared) { continue }
      #endif
      if known != type {
        return "'\(field.name)' is of type \(known.label), not \(type.label)"
      }
    }
    return count(in: namespace) + new > limits.attributeNamesMax
      ? "there are \(count(in: namespace)) names; \(limits.attributeNamesMax) are allowed" : nil
  }
}

extension SearchAttributeType {
  /// As people write it.
  package var label: String {
    switch self {
    case .text: "Text"
    case .keyword: "Keyword"
    case .int: "Int"
    case .double: "Double"
    case .bool: "Bool"
    case .datetime: "Datetime"
    case .keywordList: "KeywordList"
    case .unspecified, .unrecognized: name
    }
  }
}

extension Engine {
  /// Names that nobody has used get their types.
  mutating func declare(_ attributes: SearchAttributes?, in namespace: String) {
    for field in attributes?.fields ?? [] {
      guard let type = field.type,
        attributeNames.type(of: field.name, in: namespace) == nil
      else { continue }
      attributeNames.add(field.name, type, in: namespace)
      #if MUTANTS
        if Mutant.isOn(.namesAreNotWritten) { continue }
      #endif
      out.writes.append(.putAttributeName(namespace: namespace, name: field.name, type: type))
    }
  }

  /// What the values are compared with, which an input must not pass that names them.
  func typeFault(_ attributes: SearchAttributes?, in namespace: String) -> Status? {
    attributeNames.fault(of: attributes, in: namespace, limits).map {
      .invalid("search_attributes", $0)
    }
  }

  /// What queries of the namespace may name.
  func listAttributes(in namespace: String, _ kind: RunKind = .workflow) -> [ListAttribute] {
    (kind == .workflow ? ListAttribute.all : ListAttribute.ofActivities)
      + attributeNames.all(in: namespace).compactMap { name, type in
        ListAttribute.Kind(type).map { ListAttribute(name: name, kind: $0, source: .own(type)) }
      }
  }

  // MARK: - Requests

  mutating func handle(_ id: RequestID, _ request: AttributeRequest) {
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    let namespace = request.namespace.orDefault
    switch request {
    case .add(let r): addSearchAttribute(id, r, namespace)
    case .list: listSearchAttributes(id, namespace)
    case .remove(let r): removeSearchAttribute(id, r, namespace)
    }
  }
}
