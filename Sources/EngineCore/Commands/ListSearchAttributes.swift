import Messages

extension Engine {
  /// ListSearchAttributes: the names that workflows may have values under, with their types.
  mutating func listSearchAttributes(_ id: RequestID, _ namespace: String) {
    var response = ListSearchAttributesResponse()
    response.attributes = attributeNames.all(in: namespace).map { name, type in
      var attribute = SearchAttributeName()
      attribute.name = name
      attribute.type = type
      return attribute
    }
    reply(id, .attribute(.list(response)), .engine)
  }
}
