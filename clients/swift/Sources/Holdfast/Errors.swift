internal import Messages

/// A failure that the user's code throws on purpose: from an activity it fails the attempt, from a
/// workflow it fails the workflow.
public struct ApplicationError: Error, Sendable, CustomStringConvertible {
  public var message: String
  /// The name of the kind of error; retry policies match it.
  public var type: String
  public var nonRetryable: Bool
  /// Overrides the policy's interval for the next attempt.
  public var nextRetryDelay: Duration?

  public init(
    _ message: String, type: String = "ApplicationError", nonRetryable: Bool = false,
    nextRetryDelay: Duration? = nil
  ) {
    self.message = message
    self.type = type
    self.nonRetryable = nonRetryable
    self.nextRetryDelay = nextRetryDelay
  }

  public var description: String { "\(type): \(message)" }
}

/// Why an activity ended without a result, as the workflow sees it.
public struct ActivityError: Error, Sendable, CustomStringConvertible {
  public let activityType: String
  public let activityID: String
  /// Why there was no further attempt: MAXIMUM_ATTEMPTS_REACHED, NON_RETRYABLE_FAILURE, TIMEOUT, …
  public let retryState: String
  public let attempt: Int
  /// What went wrong, outermost first.
  public let causes: [Cause]
  let failure: Failure

  public struct Cause: Sendable {
    public enum Kind: Sendable, Equatable {
      case application(type: String, nonRetryable: Bool)
      case timeout(String)
      case canceled
      case workerLost
      case other
    }

    public let message: String
    public let kind: Kind
  }

  /// The type of the application error that caused it, if one did.
  public var applicationType: String? {
    for case .application(let type, _) in causes.map(\.kind) { return type }
    return nil
  }

  public var description: String {
    let why = causes.map(\.message).joined(separator: ": ")
    return "activity '\(activityType)' failed (\(retryState)): \(why)"
  }
}

/// How a child ended without a result, as the workflow that awaited it sees it.
public struct ChildWorkflowError: Error, Sendable, CustomStringConvertible {
  public let workflowID: String
  /// Of the last run of its chain; empty if it never began.
  public let runID: String
  public let workflowType: String
  /// Why there was no further attempt; empty when that says nothing.
  public let retryState: String
  /// What went wrong, outermost first.
  public let causes: [ActivityError.Cause]
  let failure: Failure

  /// The type of the application error that caused it, if one did. `WorkflowAlreadyStarted`: a
  /// workflow had its id.
  public var applicationType: String? {
    for case .application(let type, _) in causes.map(\.kind) { return type }
    return nil
  }

  public var description: String {
    let why = causes.map(\.message).joined(separator: ": ")
    return "child workflow '\(workflowID)' (\(workflowType)) failed: \(why)"
  }
}

/// A workflow ended without a result, as its client sees it.
public struct WorkflowFailedError: Error, Sendable, CustomStringConvertible {
  /// FAILED, CANCELED, TERMINATED or TIMED_OUT.
  public let status: String
  public let message: String
  public let causes: [ActivityError.Cause]
  public let runID: String

  public var description: String {
    "workflow \(status): " + ([message] + causes.map(\.message)).joined(separator: ": ")
  }
}

/// The engine, or the way to it, refused a call.
public struct HoldfastError: Error, Sendable, CustomStringConvertible {
  /// The status: a gRPC code, or one of libholdfast's own from 100 on.
  public let code: Int
  /// For programs: WORKFLOW_NOT_FOUND, REQUEST_ID_REUSED, …; empty without one.
  public let reason: String
  public let message: String
  /// The field of the request that is at fault.
  public let field: String

  public var description: String {
    reason.isEmpty ? message : "\(reason): \(message)"
  }
}

/// The run was dropped from this worker's memory: the code ends here and nothing that it does from
/// now on counts. Let it pass; whatever a `catch` or `defer` asks of the context is discarded.
public struct WorkflowEvictedError: Error, Sendable {
  /// The same for all, because a loop is thrown it a thousand times.
  static let one: any Error = WorkflowEvictedError()
}

/// A worker has stopped because too much workflow code went on after its eviction and could not be
/// made to end: it loops in a child task, within a task-local value or a cancellation handler, or
/// asks nothing of the context. Its memory comes back only with a new process. Nothing is lost by a
/// restart; the cure is to let `WorkflowEvictedError` leave `run`.
public struct CodeDoesNotEndError: Error, Sendable, CustomStringConvertible {
  /// Runs whose code was stopped without having ended.
  public let runs: Int
  public let workflowTypes: [String]

  public var description: String {
    "code of \(runs) evicted runs did not end (\(workflowTypes.joined(separator: ", "))): start "
      + "the worker again, and let WorkflowEvictedError leave the workflow's run function"
  }
}

// MARK: - Failures on the wire

extension Failure {
  /// What the error says of itself.
  init(_ error: any Error) {
    self.init()
    if let error = error as? ActivityError {
      self = error.failure
      return
    }
    if let error = error as? ChildWorkflowError {
      self = error.failure
      return
    }
    var info = FailureInfo()
    info.source = "swift"
    if let error = error as? ApplicationError {
      info.message = error.message
      var application = ApplicationFailure()
      application.type = error.type
      application.nonRetryable = error.nonRetryable
      if let delay = error.nextRetryDelay { application.nextRetryDelayMs = delay.span }
      info.kind = .application(application)
    } else if error is CancellationError {
      info.message = "canceled"
      info.kind = .canceled(CanceledFailure())
    } else {
      info.message = String(describing: error)
      var application = ApplicationFailure()
      application.type = String(describing: type(of: error))
      info.kind = .application(application)
    }
    self.info = info
  }

  var layers: [FailureInfo] { (info.map { [$0] } ?? []) + causes }
}

extension ActivityError {
  init(_ failure: Failure) {
    self.failure = failure
    var layers = failure.layers
    if case .activity(let activity) = layers.first?.kind {
      activityType = activity.activityType
      activityID = activity.activityID
      retryState = activity.retryState.name
      attempt = Int(activity.attempt)
      layers.removeFirst()
    } else {
      activityType = ""
      activityID = ""
      retryState = ""
      attempt = 0
    }
    causes = layers.map(Cause.init)
  }
}

extension ChildWorkflowError {
  init(_ failure: Failure) {
    self.failure = failure
    var layers = failure.layers
    var child = ChildWorkflowFailure()
    if case .childWorkflow(let known) = layers.first?.kind {
      child = known
      layers.removeFirst()
    }
    workflowID = child.execution?.workflowID ?? ""
    let run = child.execution?.runID ?? .none
    runID = run == .none ? "" : run.description
    workflowType = child.workflowType
    retryState = child.retryState == .unspecified ? "" : child.retryState.name
    causes = layers.map(ActivityError.Cause.init)
  }
}

extension ActivityError.Cause {
  init(_ info: FailureInfo) {
    message = info.message
    switch info.kind {
    case .application(let application):
      kind = .application(type: application.type, nonRetryable: application.nonRetryable)
    case .timeout(let timeout): kind = .timeout(timeout.timeoutType.name)
    case .canceled: kind = .canceled
    case .workerLost: kind = .workerLost
    default: kind = .other
    }
  }
}
