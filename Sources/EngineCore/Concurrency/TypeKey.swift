/// A workflow type within its namespace.
struct TypeKey: Hashable, Comparable, Sendable {
  let namespace: String
  let workflowType: String
  private let exact: [UInt8]

  init(_ namespace: String, _ workflowType: String) {
    self.namespace = namespace
    self.workflowType = workflowType
    exact = workflowType.exactBytes
  }

  static func < (a: TypeKey, b: TypeKey) -> Bool {
    if a.namespace != b.namespace { return a.namespace < b.namespace }
    if a.workflowType != b.workflowType { return a.workflowType < b.workflowType }
    return a.exact.lexicographicallyPrecedes(b.exact)
  }
}

extension Run {
  var typeKey: TypeKey { TypeKey(key.namespace, workflowType) }
}
