import Basics
import Messages

extension Engine {
  /// DeleteNamespace: it is gone at once for everybody; what it held is removed bit by bit.
  mutating func deleteNamespace(_ id: RequestID, _ request: DeleteNamespaceRequest) {
    guard let namespace = namespace(id, request.namespace, request.identity) else { return }
    if let status = fault(inDeletionOf: namespace) { return refuse(id, status) }
    namespace.definition.deleted = true
    put(namespace)
    endAll(in: namespace)
    namespace.due = now
    setRetentionDeadline()
    reply(id, .namespace(.delete(DeleteNamespaceResponse())), .engine)
  }

  private func fault(inDeletionOf namespace: Namespace) -> Status? {
    if namespace.isInitial {
      return .invalid("namespace", "'\(namespace.name)' is always there")
    }
    let info = info(of: namespace)
    #if MUTANTS
      if Mutant.isOn(.usedIsDeleted) { return nil }
    #endif
    guard info.openWorkflows == 0, info.schedules == 0, info.runningBatches == 0 else {
      return .refusal(
        .failedPrecondition, .namespaceInUse,
        "namespace '\(namespace.name)' holds \(info.openWorkflows) open workflows,"
          + " \(info.schedules) schedules and \(info.runningBatches) running batches: end them"
          + " first",
        field: "namespace")
    }
    // One may be about a child that is to begin in it.
    guard mail.isQuiet else {
      return .refusal(
        .unavailable, .overloaded, "workflows are being told of each other",
        field: "namespace", retryAfter: Span(ms: 100))
    }
    return nil
  }
}
