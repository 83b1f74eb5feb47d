import Messages

extension Engine {
  mutating func describeNamespace(_ id: RequestID, _ request: DescribeNamespaceRequest) {
    guard let namespace = namespace(id, request.namespace, "") else { return }
    var response = DescribeNamespaceResponse()
    response.info = info(of: namespace)
    reply(id, .namespace(.describe(response)), .engine)
  }
}
