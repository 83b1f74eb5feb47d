import Messages

/// What the code is told of its children, and of what it asked of other workflows.
extension Job.Kind {
  init?(outside event: HistoryEvent) {
    switch event.attributes {
    case .signalExternalWorkflowExecutionFailed(let e):
      self = .resolveSignalExternal(.init(e.seq, .unreachable("signal", e.execution, e.cause)))
    case .externalWorkflowExecutionSignaled(let e): self = .resolveSignalExternal(.init(e.seq, nil))
    case .requestCancelExternalWorkflowExecutionFailed(let e):
      self = .resolveCancelExternal(.init(e.seq, .unreachable("cancel", e.execution, e.cause)))
    case .externalWorkflowExecutionCancelRequested(let e):
      self = .resolveCancelExternal(.init(e.seq, nil))
    default:
      guard let kind = Job.Kind(ofChild: event) else { return nil }
      self = kind
    }
  }

  private init?(ofChild event: HistoryEvent) {
    switch event.attributes {
    case .startChildWorkflowExecutionFailed(let e):
      self = .resolveChildStart(ResolveChildStart(e))
    case .childWorkflowExecutionStarted(let e):
      var start = ResolveChildStart()
      start.seq = e.seq
      start.result = .started(e.execution ?? WorkflowExecution())
      self = .resolveChildStart(start)
    case .childWorkflowExecutionCompleted(let e):
      var list = PayloadList()
      list.payloads = e.result
      self = .resolveChild(ResolveChild(e.seq, .completed(list)))
    case .childWorkflowExecutionFailed(let e):
      let wrap = ChildWorkflowFailure(
        e.execution, e.workflowType, e.initiatedEventID, e.retryState)
      self = .resolveChild(
        ResolveChild(e.seq, .failed(.ofChild("failed", wrap, e.failure?.layers ?? []))))
    case .childWorkflowExecutionTimedOut(let e):
      let wrap = ChildWorkflowFailure(
        e.execution, e.workflowType, e.initiatedEventID, e.retryState)
      var timeout = TimeoutFailure()
      timeout.timeoutType = .startToClose
      self = .resolveChild(
        ResolveChild(
          e.seq,
          .failed(
            .ofChild(
              "timed out", wrap, Failure.engine("the workflow timed out", .timeout(timeout)).layers)
          )))
    case .childWorkflowExecutionTerminated(let e):
      let wrap = ChildWorkflowFailure(e.execution, e.workflowType, e.initiatedEventID, .unspecified)
      let cause = Failure.engine("the workflow was terminated", .terminated(TerminatedFailure()))
      self = .resolveChild(
        ResolveChild(e.seq, .failed(.ofChild("was terminated", wrap, cause.layers))))
    case .childWorkflowExecutionCanceled(let e):
      var canceled = CanceledFailure()
      canceled.details = e.details
      let wrap = ChildWorkflowFailure(e.execution, e.workflowType, e.initiatedEventID, .unspecified)
      let cause = Failure.engine("the workflow was canceled", .canceled(canceled))
      self = .resolveChild(
        ResolveChild(e.seq, .canceled(.ofChild("was canceled", wrap, cause.layers))))
    default: return nil
    }
  }
}

extension ResolveChildStart {
  fileprivate init(_ e: StartChildWorkflowExecutionFailed) {
    self.init()
    seq = e.seq
    var execution = WorkflowExecution()
    execution.workflowID = e.workflowID
    let wrap = ChildWorkflowFailure(execution, e.workflowType, e.initiatedEventID, .unspecified)
    if e.cause == .canceled {
      let cause = Failure.engine(
        "it was cancelled before it was started", .canceled(CanceledFailure()))
      result = .canceled(.ofChild("was canceled", wrap, cause.layers))
    } else {
      var application = ApplicationFailure()
      application.type =
        e.cause == .outcomeUnknown ? "OutcomeUnknown" : "WorkflowAlreadyStarted"
      application.nonRetryable = true
      result = .failed(
        .ofChild(
          "was not started", wrap, Failure.engine(e.message, .application(application)).layers))
    }
  }
}

extension ResolveChild {
  fileprivate init(_ seq: UInt32, _ result: ResolveChild.Result) {
    self.init()
    self.seq = seq
    self.result = result
  }
}

extension ResolveSignalExternal {
  fileprivate init(_ seq: UInt32, _ failure: Failure?) {
    self.init()
    self.seq = seq
    self.failure = failure
  }
}

extension ResolveCancelExternal {
  fileprivate init(_ seq: UInt32, _ failure: Failure?) {
    self.init()
    self.seq = seq
    self.failure = failure
  }
}

extension ChildWorkflowFailure {
  fileprivate init(
    _ execution: WorkflowExecution?, _ type: String, _ initiatedEvent: Int64, _ state: RetryState
  ) {
    self.init()
    self.execution = execution
    workflowType = type
    initiatedEventID = initiatedEvent
    retryState = state
  }
}

extension Failure {
  fileprivate static func ofChild(
    _ what: String, _ child: ChildWorkflowFailure, _ causes: [FailureInfo]
  ) -> Failure {
    .engine(
      "child workflow '\(child.execution?.workflowID ?? "")' \(what)", .childWorkflow(child),
      causes: causes)
  }

  /// A request that did not reach the workflow.
  fileprivate static func unreachable(
    _ what: String, _ execution: WorkflowExecution?, _ cause: ExternalFailedCause
  ) -> Failure {
    let id = execution?.workflowID ?? ""
    var application = ApplicationFailure()
    application.nonRetryable = true
    let why: String
    switch cause {
    case .closed: (application.type, why) = ("WorkflowClosed", "it has closed")
    case .limitReached: (application.type, why) = ("LimitReached", "it takes no more signals")
    case .outcomeUnknown:
      let known = "the run that asked closed before it was answered, and was reset"
      application.type = "OutcomeUnknown"
      return .engine(
        "nobody knows whether the \(what) reached workflow '\(id)': \(known)",
        .application(application))
    case .notFound, .unspecified, .unrecognized:
      (application.type, why) = ("WorkflowNotFound", "there is none, or no such child of this one")
    }
    return .engine(
      "the \(what) did not reach workflow '\(id)': \(why)", .application(application))
  }
}
