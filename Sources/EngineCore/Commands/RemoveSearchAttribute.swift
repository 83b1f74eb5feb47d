import Messages

extension Engine {
  /// RemoveSearchAttribute: lists do not know the name any more.
  mutating func removeSearchAttribute(
    _ id: RequestID, _ request: RemoveSearchAttributeRequest, _ namespace: String
  ) {
    guard attributeNames.type(of: request.name, in: namespace) != nil else {
      return refuse(
        id,
        request.name.isEmpty
          ? .missing("name") : .invalid("name", "no search attribute is called '\(request.name)'"))
    }
    attributeNames.remove(request.name, from: namespace)
    out.writes.append(.deleteAttributeName(namespace: namespace, name: request.name))
    reply(id, .attribute(.remove(RemoveSearchAttributeResponse())), .engine)
  }
}
