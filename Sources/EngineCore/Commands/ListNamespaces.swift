import Messages

extension Engine {
  mutating func listNamespaces(_ id: RequestID) {
    var response = ListNamespacesResponse()
    response.namespaces = namespaces.inOrder.filter { !$0.isLeaving }.map(info)
    reply(id, .namespace(.list(response)), .engine)
  }
}
