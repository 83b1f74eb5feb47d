import Basics
internal import Messages

/// A namespace, as its engine tells of it.
public struct NamespaceDescription: Sendable {
  public let name: String
  public let description: String
  /// How long its closed workflows are kept; nil: for ever.
  public let retention: Duration?
  /// That is its own, not the engine's.
  public let hasOwnRetention: Bool
  /// nil: it was there from the start.
  public let created: Moment?
  public let openWorkflows: Int
  public let closedWorkflows: Int
  public let schedules: Int
  public let runningBatches: Int

  init(_ info: NamespaceInfo) {
    name = info.namespace
    description = info.description
    let kept = info.effectiveRetentionMs
    retention = kept == .zero ? nil : .milliseconds(kept.ms)
    hasOwnRetention = info.retentionMs != .zero
    created = info.createdTimeMs == .epoch ? nil : Moment(milliseconds: info.createdTimeMs.ms)
    openWorkflows = Int(info.openWorkflows)
    closedWorkflows = Int(info.closedWorkflows)
    schedules = Int(info.schedules)
    runningBatches = Int(info.runningBatches)
  }
}

/// Namespaces of the engine, whichever this client works in.
extension Client {
  /// Creates a namespace; without a retention, closed workflows are kept as long as the engine
  /// says. False: it is there already, as it was wanted. Another one of that name throws
  /// `HoldfastError` with the reason NAMESPACE_ALREADY_EXISTS.
  @discardableResult
  public func createNamespace(
    _ name: String, retention: Duration? = nil, description: String = ""
  ) async throws -> Bool {
    var request = CreateNamespaceRequest()
    request.namespace = name
    request.retentionMs = retention?.span ?? .zero
    request.description = description
    return try await call(
      .operatorCreateNamespace, request, as: CreateNamespaceResponse.self
    ).created
  }

  public func describeNamespace(_ name: String) async throws -> NamespaceDescription {
    var request = DescribeNamespaceRequest()
    request.namespace = name
    let response = try await call(
      .operatorDescribeNamespace, request, as: DescribeNamespaceResponse.self)
    return NamespaceDescription(response.info ?? NamespaceInfo())
  }

  /// By name.
  public func listNamespaces() async throws -> [NamespaceDescription] {
    let response = try await call(
      .operatorListNamespaces, ListNamespacesRequest(), as: ListNamespacesResponse.self)
    return response.namespaces.map { NamespaceDescription($0) }
  }

  /// Keeps closed workflows for another time, those that have closed already too; nil: as long as
  /// the engine says.
  public func setRetention(_ retention: Duration?, ofNamespace name: String) async throws {
    var request = UpdateNamespaceRequest()
    request.namespace = name
    request.retentionMs = retention?.span ?? .zero
    request.updateMask = ["retention_ms"]
    _ = try await call(.operatorUpdateNamespace, request, as: UpdateNamespaceResponse.self)
  }

  public func setDescription(_ description: String, ofNamespace name: String) async throws {
    var request = UpdateNamespaceRequest()
    request.namespace = name
    request.description = description
    request.updateMask = ["description"]
    _ = try await call(.operatorUpdateNamespace, request, as: UpdateNamespaceResponse.self)
  }

  /// Deletes a namespace with all that is kept in it. While it holds open workflows, schedules or
  /// running batches, this throws `HoldfastError` with the reason NAMESPACE_IN_USE.
  public func deleteNamespace(_ name: String) async throws {
    var request = DeleteNamespaceRequest()
    request.namespace = name
    _ = try await call(.operatorDeleteNamespace, request, as: DeleteNamespaceResponse.self)
  }
}
