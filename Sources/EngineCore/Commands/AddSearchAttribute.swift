import Messages

extension Engine {
  /// AddSearchAttribute: a name gets its type before anybody uses it.
  mutating func addSearchAttribute(
    _ id: RequestID, _ request: AddSearchAttributeRequest, _ namespace: String
  ) {
    if let fault = AttributeNames.fault(of: request.name, limits) {
      return refuse(id, request.name.isEmpty ? .missing("name") : .invalid("name", fault))
    }
    guard ListAttribute.Kind(request.type) != nil else {
      return refuse(id, .invalid("type", "no type has the number \(request.type.rawValue)"))
    }
    if let known = attributeNames.type(of: request.name, in: namespace) {
      guard known == request.type else {
        return refuse(
          id,
          .invalid(
            "type",
            "'\(request.name)' is of type \(known.label), not \(request.type.label)"))
      }
    } else {
      guard attributeNames.count(in: namespace) < limits.attributeNamesMax else {
        return refuse(
          id,
          .refusal(
            .resourceExhausted, .limitReached,
            "there are \(limits.attributeNamesMax) search attributes; no more are allowed"))
      }
      attributeNames.add(request.name, request.type, in: namespace)
      out.writes.append(
        .putAttributeName(namespace: namespace, name: request.name, type: request.type))
    }
    reply(id, .attribute(.add(AddSearchAttributeResponse())), .engine)
  }
}
