import Basics
internal import Messages

/// A point of a workflow's history at which its code can go on otherwise.
public enum WorkflowMoment: Sendable {
  /// Undoes what the code did with its first workflow task, and everything after it.
  case firstWorkflowTask
  /// … with its last one.
  case lastWorkflowTask
  /// … with the one that this event of the history, a WorkflowTaskCompleted, tells of.
  case event(Int64)
  /// … with the one that first scheduled an activity of this type.
  case beforeActivity(String)

  fileprivate var point: WorkflowPoint {
    var point = WorkflowPoint()
    switch self {
    case .firstWorkflowTask: point.kind = .firstWorkflowTask
    case .lastWorkflowTask: point.kind = .lastWorkflowTask
    case .event(let id):
      point.kind = .event
      point.eventID = id
    case .beforeActivity(let type):
      point.kind = .beforeActivity
      point.activityType = type
    }
    return point
  }
}

/// What came after the point and can be left out of the new run; else it comes again.
public enum LeftOut: Sendable {
  case signals, updates

  fileprivate var exclude: ReapplyExclude {
    switch self {
    case .signals: .signals
    case .updates: .updates
    }
  }
}

extension ResetWorkflowRequest {
  init(to moment: WorkflowMoment, leavingOut left: [LeftOut]) {
    self.init()
    point = moment.point
    reapplyExclude = left.map(\.exclude)
  }
}

extension WorkflowHandle {
  /// Lets the workflow go on anew from an earlier point of its history; an open run ends. The
  /// handle is of the new run.
  ///
  ///     let again = try await handle.reset(to: .beforeActivity("charge"), reason: "a wrong price")
  @discardableResult
  public func reset(
    to moment: WorkflowMoment, reason: String = "", leavingOut left: [LeftOut] = [],
    requestID: String? = nil
  ) async throws -> WorkflowHandle {
    var request = ResetWorkflowRequest(to: moment, leavingOut: left)
    request.execution = ownExecution
    request.reason = reason
    request.requestID = requestID ?? ""
    let response = try await client.call(
      .workflowResetWorkflow, request, as: ResetWorkflowResponse.self)
    return WorkflowHandle(
      client: client, workflowID: workflowID, runID: response.runID.description)
  }

  /// Begins another workflow, of the given id, from a point of this one's history; this one goes on
  /// as it is.
  public func fork(
    to moment: WorkflowMoment, id: String, reason: String = "", leavingOut left: [LeftOut] = [],
    reuse: StartOptions.Reuse = .allowDuplicate, conflict: StartOptions.Conflict = .fail,
    requestID: String? = nil
  ) async throws -> WorkflowHandle {
    var request = ForkWorkflowRequest()
    request.execution = ownExecution
    request.workflowID = id
    request.point = moment.point
    request.reason = reason
    request.reapplyExclude = left.map(\.exclude)
    request.idReusePolicy = reuse.policy
    request.idConflictPolicy = conflict.policy
    request.requestID = requestID ?? ""
    let response = try await client.call(
      .workflowForkWorkflow, request, as: ForkWorkflowResponse.self)
    return WorkflowHandle(client: client, workflowID: id, runID: response.runID.description)
  }
}
