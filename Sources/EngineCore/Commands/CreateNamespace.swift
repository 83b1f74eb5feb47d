import Basics
import Messages

extension Engine {
  /// CreateNamespace: a walled-off set of workflows and task queues, empty.
  mutating func createNamespace(_ id: RequestID, _ request: CreateNamespaceRequest) {
    if let status = first(
      Engine.namespaceNameFault(request.namespace), retentionFault(request.retentionMs),
      descriptionFault(request.description), idFault(request.requestID, "request_id"),
      idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    if let known = namespaces[request.namespace] {
      if let status = fault(in: request, known) { return refuse(id, status) }
      return reply(id, .namespace(.create(CreateNamespaceResponse())), .engine)
    }
    guard namespaces.count < limits.namespacesMax else {
      return refuse(
        id,
        .refusal(
          .resourceExhausted, .limitReached,
          "there are \(limits.namespacesMax) namespaces; no more are allowed"))
    }
    var definition = NamespaceDefinition()
    definition.retentionMs = request.retentionMs
    definition.description = request.description
    definition.createdTimeMs = now
    definition.requestID = request.requestID
    definition.requestHash = request.requestHash
    definition.firstRun = nextRun.value
    let namespace = Namespace(
      StoredNamespace(name: request.namespace, definition: definition), RunCounts())
    namespaces.insert(namespace)
    put(namespace)
    var response = CreateNamespaceResponse()
    response.created = true
    reply(id, .namespace(.create(response)), .engine)
  }

  /// Why the namespace that is there is not the one that the request makes.
  private func fault(in request: CreateNamespaceRequest, _ known: Namespace) -> Status? {
    if known.isLeaving {
      return .refusal(
        .unavailable, .namespaceBeingRemoved,
        "what the deleted namespace '\(known.name)' held is still being removed",
        field: "namespace", retryAfter: times.retentionPause)
    }
    let definition = known.definition
    if !request.requestID.isEmpty, request.requestID == definition.requestID {
      return request.requestHash == definition.requestHash
        ? nil : .requestIDReused(request.requestID, "request_id", .none)
    }
    let isSame =
      request.retentionMs == definition.retentionMs
      && request.description == definition.description
    return isSame
      ? nil
      : .refusal(
        .alreadyExists, .namespaceAlreadyExists,
        "namespace '\(known.name)' is there already; update it, or choose another name",
        field: "namespace")
  }

  private static func namespaceNameFault(_ name: String) -> Status? {
    if name.isEmpty { return .missing("namespace") }
    func isPlain(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    let others = "_-.".utf8
    let isName =
      name.utf8.count <= namespaceNameBytesMax && isPlain(name.utf8[name.utf8.startIndex])
      && name.utf8.allSatisfy { isPlain($0) || others.contains($0) }
    return isName
      ? nil
      : .invalid(
        "namespace",
        "1 to \(namespaceNameBytesMax) letters, digits and '_-.', a letter or a digit first,"
          + " not '\(name.cut(to: namespaceNameBytesMax))'")
  }

  /// As those of search attributes.
  private static let namespaceNameBytesMax = 100
}

extension CreateNamespaceRequest: Identified {}
