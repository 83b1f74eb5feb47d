import Basics
import EngineCore
import Messages

/// A namespace; the walk's runs are all in `default`.
struct ModelNamespace {
  var retention = Span.zero
  var description = ""
  var created = Instant.epoch
  var request: CreateNamespaceRequest?
}

/// Namespaces: which there are, and how long their closed runs stay.
extension Model {
  /// How long the walk's closed runs stay.
  var retention: Span { effective(namespaces["default"] ?? ModelNamespace()) }

  private func effective(_ namespace: ModelNamespace) -> Span {
    namespace.retention == .zero ? times.retention : namespace.retention
  }

  private func fault(of request: NamespaceRequest) -> Status? {
    switch request {
    case .create(let r):
      first(
        nameFault(r.namespace), fault(retention: r.retentionMs, r.description),
        long("request_id", r.requestID), long("identity", r.identity))
    case .update(let r):
      first(
        r.updateMask.allSatisfy { ["retention_ms", "description"].contains($0) }
          ? nil : .of(.invalidArgument, .fieldInvalid, field: "update_mask"),
        fault(retention: r.retentionMs, r.description), absence(r.namespace),
        long("identity", r.identity))
    case .describe(let r): absence(r.namespace)
    case .delete(let r):
      first(
        absence(r.namespace), long("identity", r.identity),
        r.namespace == "default" || r.namespace.isEmpty
          ? .of(.invalidArgument, .fieldInvalid, field: "namespace") : nil)
    case .list: nil
    }
  }

  mutating func answer(_ request: NamespaceRequest) -> Response {
    if let fault = fault(of: request) { return .failure(fault) }
    switch request {
    case .create(let r): return create(r)
    case .update(let r):
      let name = r.namespace.isEmpty ? "default" : r.namespace
      func counts(_ field: String, _ isEmpty: Bool) -> Bool {
        r.updateMask.isEmpty ? !isEmpty : r.updateMask.contains(field)
      }
      if counts("retention_ms", r.retentionMs == .zero) {
        namespaces[name]?.retention = r.retentionMs
      }
      if counts("description", r.description.isEmpty) {
        namespaces[name]?.description = r.description
      }
      return .namespaces([info(name)])
    case .describe(let r): return .namespaces([info(r.namespace.isEmpty ? "default" : r.namespace)])
    case .delete(let r):
      namespaces[r.namespace] = nil
      return .done
    case .list: return .namespaces(namespaces.keys.sorted().map(info))
    }
  }

  private mutating func create(_ r: CreateNamespaceRequest) -> Response {
    guard let known = namespaces[r.namespace] else {
      namespaces[r.namespace] = ModelNamespace(
        retention: r.retentionMs, description: r.description, created: now, request: r)
      return .namespaceMade(true)
    }
    if let first = known.request, !r.requestID.isEmpty, first.requestID == r.requestID {
      let isSame = first.retentionMs == r.retentionMs && first.description == r.description
      return isSame
        ? .namespaceMade(false)
        : .failure(.of(.invalidArgument, .requestIDReused, field: "request_id"))
    }
    return known.retention == r.retentionMs && known.description == r.description
      ? .namespaceMade(false)
      : .failure(.of(.alreadyExists, .namespaceAlreadyExists, field: "namespace"))
  }

  private func info(_ name: String) -> NamespaceInfo {
    let namespace = namespaces[name] ?? ModelNamespace()
    var info = NamespaceInfo()
    info.namespace = name
    info.retentionMs = namespace.retention
    info.description = namespace.description
    info.createdTimeMs = namespace.created
    info.effectiveRetentionMs = effective(namespace)
    guard name == "default" else { return info }
    info.openWorkflows = Int64(runs.count { $0.isOpen })
    info.closedWorkflows = Int64(runs.count { !$0.isOpen })
    info.schedules = Int64(schedules.count)
    info.runningBatches = Int64(batches.count { $0.isRunning })
    return info
  }

  /// What the engine has to have removed by now: not while somebody waits for a word of the run.
  mutating func objectToOverdue() {
    let late = Span(ms: 60_000)
    var found: [RunID: Instant] = [:]
    for run in runs
    where !run.isOpen && run.closeTime + retention <= now && run.queries.isEmpty {
      let since = overdue[run.id] ?? now
      found[run.id] = since
      if since + late < now { objections.append("\(run.id) stays \((now - since).ms) ms too long") }
    }
    overdue = found
  }

  // MARK: - Faults

  private func absence(_ name: String) -> Status? {
    namespaces[name.isEmpty ? "default" : name] == nil
      ? .of(.notFound, .namespaceNotFound, field: "namespace") : nil
  }

  private func nameFault(_ name: String) -> Status? {
    if name.isEmpty { return .of(.invalidArgument, .fieldMissing, field: "namespace") }
    let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    let isName =
      letters.contains(name.first!) && name.utf8.count <= 100
      && name.allSatisfy { letters.union("_-.").contains($0) }
    return isName ? nil : .of(.invalidArgument, .fieldInvalid, field: "namespace")
  }

  private func fault(retention: Span, _ description: String) -> Status? {
    let years = Span(ms: 100 * 365 * 86_400_000)
    guard retention == .zero || (retention >= Span(ms: 1_000) && retention <= years) else {
      return .of(.invalidArgument, .fieldInvalid, field: "retention_ms")
    }
    return description.utf8.count > 1_000
      ? .of(.invalidArgument, .fieldInvalid, field: "description") : nil
  }

  private func long(_ field: String, _ text: String) -> Status? {
    text.utf8.count > 1_000 ? .of(.invalidArgument, .fieldInvalid, field: field) : nil
  }
}

extension Response {
  init(_ reply: NamespaceReply) {
    switch reply {
    case .create(let m): self = .namespaceMade(m.created)
    case .describe(let m): self = .namespaces([m.info ?? NamespaceInfo()])
    case .update(let m): self = .namespaces([m.info ?? NamespaceInfo()])
    case .list(let m): self = .namespaces(m.namespaces)
    case .delete: self = .done
    }
  }
}
