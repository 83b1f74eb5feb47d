import Basics
import Messages

extension Engine {
  /// UpdateNamespace: another retention, which holds for runs that have closed too, or description.
  mutating func updateNamespace(_ id: RequestID, _ request: UpdateNamespaceRequest) {
    let mask = request.updateMask
    if let unknown = mask.first(where: { $0 != "retention_ms" && $0 != "description" }) {
      return refuse(
        id, .invalid("update_mask", "'\(unknown.cut(to: 200))' is no field that can be changed"))
    }
    if let status = first(
      retentionFault(request.retentionMs), descriptionFault(request.description))
    {
      return refuse(id, status)
    }
    guard let namespace = namespace(id, request.namespace, request.identity) else { return }
    var definition = namespace.definition
    if mask.isEmpty ? request.retentionMs != .zero : mask.contains("retention_ms") {
      definition.retentionMs = request.retentionMs
    }
    if mask.isEmpty ? !request.description.isEmpty : mask.contains("description") {
      definition.description = request.description
    }
    if definition != namespace.definition {
      let retention = retention(of: namespace)
      namespace.definition = definition
      put(namespace)
      if self.retention(of: namespace) != retention { retentionChanged(of: namespace) }
    }
    var response = UpdateNamespaceResponse()
    response.info = info(of: namespace)
    reply(id, .namespace(.update(response)), .engine)
  }
}
