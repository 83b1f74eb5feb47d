import Basics
import Messages

/// Requests about namespaces, and what is left to do when one was deleted.
extension Engine {
  mutating func handle(_ id: RequestID, _ request: NamespaceRequest) {
    switch request {
    case .create(let r): createNamespace(id, r)
    case .describe(let r): describeNamespace(id, r)
    case .list: listNamespaces(id)
    case .update(let r): updateNamespace(id, r)
    case .delete(let r): deleteNamespace(id, r)
    }
  }

  /// The namespace that a request is about; nil: it has been refused.
  mutating func namespace(_ id: RequestID, _ name: String, _ identity: String) -> Namespace? {
    if let status = first(namespaceFault(name), idFault(identity, "identity")) {
      refuse(id, status)
      return nil
    }
    return namespaces[name.orDefault]
  }

  mutating func put(_ namespace: Namespace) {
    #if MUTANTS
      if Mutant.isOn(.namespaceIsNotWritten), !namespace.isLeaving { return }
    #endif
    out.writes.append(
      .putNamespace(name: namespace.name, namespace.definition.serialized()))
  }

  /// How long its closed runs are kept; zero: for ever.
  func retention(of namespace: Namespace) -> Span {
    let own = namespace.definition.retentionMs
    #if MUTANTS
      if Mutant.isOn(.retentionIsTheEngines) { return times.retention }
    #endif
    return own == .zero ? times.retention : own
  }

  func info(of namespace: Namespace) -> NamespaceInfo {
    var info = NamespaceInfo()
    info.namespace = namespace.name
    info.retentionMs = namespace.definition.retentionMs
    info.description = namespace.definition.description
    info.createdTimeMs = namespace.definition.createdTimeMs
    info.effectiveRetentionMs = retention(of: namespace)
    info.openWorkflows = namespace.runs.open
    info.closedWorkflows = namespace.runs.closed
    info.schedules = Int64(schedules.count(in: namespace.name))
    info.runningBatches = Int64(batchJobs.runningCount(in: namespace.name))
    return info
  }

  // MARK: - Faults

  func retentionFault(_ retention: Span) -> Status? {
    let allowed = times.namespaceRetentionMin...times.namespaceRetentionMax
    return retention == .zero || allowed.contains(retention)
      ? nil
      : .invalid(
        "retention_ms",
        "\(retention.ms); \(allowed.lowerBound.ms) to \(allowed.upperBound.ms) are allowed,"
          + " or 0 for the engine's own")
  }

  func descriptionFault(_ text: String) -> Status? {
    let bytes = text.utf8.count
    return bytes <= limits.descriptionBytesMax
      ? nil
      : .invalid(
        "description", "\(bytes) bytes; \(limits.descriptionBytesMax) are allowed")
  }

  // MARK: - After a deletion

  /// Whatever is under way in the namespace ends.
  mutating func endAll(in namespace: Namespace) {
    let gone = Status.noNamespace(namespace.name)
    for id in waiting.keys.sorted() where place(ofWaiting: id) == namespace.name {
      end(id, gone)
    }
    // Those that wait for a further run are taken up again, and do not find the namespace.
    for id in copies.keys.sorted() where copies[id]?.base.key.namespace == namespace.name {
      endCopy(id)
    }
    for type in counts.keys.sorted() where type.namespace == namespace.name {
      failCount(type, gone)
    }
    for id in sessions.keys.sorted() where sessions[id]?.queue.namespace == namespace.name {
      endSession(id, gone)
    }
  }

  /// The namespace that a request which waits is about.
  private func place(ofWaiting id: RequestID) -> String? {
    switch waiting[id] {
    case .result(let end): runs[end.run]?.key.namespace
    case .query(let run): runs[run]?.key.namespace
    case .update(let awaited, _): runs[awaited.run]?.key.namespace
    case .reading: readers[id]?.namespace
    case .copying: copies[id]?.base.key.namespace
    case .replaying: sentReplays[id]?.asked?.queue.namespace
    case nil: nil
    }
  }

  private mutating func end(_ id: RequestID, _ status: Status) {
    switch waiting[id] {
    case .reading:
      guard let reader = readers[id] else { return }
      if case .list(let list) = reader.source { return fail(id, list, status) }
      endReader(id, status, .engine)
    case .replaying: endReplay(id, status)
    case .result, .query, .update, .copying:
      abandon(id)
      refuse(id, status)
    case nil: break
    }
  }

  /// Some of what is kept of it beside its runs goes; true when nothing is left of either.
  mutating func removeRest(of namespace: Namespace) -> Bool {
    var left = limits.removedRestMax
    for job in batchJobs.ended(in: namespace.name).prefix(left) {
      batchJobs.remove(job)
      left -= 1
    }
    for name in attributeNames.all(in: namespace.name).prefix(left) {
      attributeNames.remove(name.name, from: namespace.name)
      out.writes.append(.deleteAttributeName(namespace: namespace.name, name: name.name))
      left -= 1
    }
    let limited = queueLimits.keys.filter { $0.namespace == namespace.name }.sorted()
    for key in limited.prefix(left) {
      queueLimits.removeValue(forKey: key)
      out.writes.append(
        .putQueueLimits(namespace: key.namespace, taskQueue: key.name, nil))
      left -= 1
    }
    let types = concurrency.keys.filter { $0.namespace == namespace.name }.sorted()
    for type in types.prefix(left) {
      concurrency.removeValue(forKey: type)
      out.writes.append(
        .putWorkflowTypeLimits(
          namespace: type.namespace, workflowType: type.workflowType, nil))
      left -= 1
    }
    guard left > 0, namespace.runs == RunCounts() else { return false }
    out.writes.append(.deleteNamespace(name: namespace.name))
    namespaces.remove(namespace)
    return true
  }
}

extension Status {
  static func noNamespace(_ name: String) -> Status {
    refusal(.notFound, .namespaceNotFound, "no namespace '\(name)'", field: "namespace")
  }
}
