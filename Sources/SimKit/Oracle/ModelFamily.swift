import Basics
import EngineCore
import Messages

/// A child of a run, until its end.
struct ModelChild {
  /// That started it.
  let event: Int64
  let initiated: StartChildWorkflowExecutionInitiated
  /// It was cancelled no earlier than its start was on its way.
  var isSent = false
  var isCancelRequested = false
  /// The parent waits no more.
  var isLeft = false
  /// 0: it does not run yet.
  var startedEvent: Int64 = 0
  /// Of its first run.
  var runID = RunID.none
  /// The run that started it, if that was reset since.
  var base = RunID.none

  init(event: Int64, initiated: StartChildWorkflowExecutionInitiated) {
    self.event = event
    self.initiated = initiated
  }

  var pending: PendingChild {
    var pending = PendingChild()
    pending.seq = initiated.seq
    pending.execution = .of(initiated.workflowID, runID)
    pending.workflowType = initiated.workflowType
    pending.initiatedEventID = event
    pending.parentClosePolicy = initiated.parentClosePolicy
    pending.cancelRequested = isCancelRequested
    return pending
  }
}

/// A signal or a cancel request to another workflow that has no answer.
struct ModelSent {
  let event: Int64
  /// 0: it cancels a child.
  let seq: UInt32
  let child: Int64
  var base = RunID.none
}

/// What one run has for another.
struct ModelLetter {
  let from: WorkflowExecution
  var to: WorkflowExecution
  /// Only for a child of the sender: for any, with 0, or for the one that this event started.
  let toChild: Int64?
  /// Of the sender, or, in an answer, of the receiver.
  let event: Int64
  let content: HistoryEvent.Attributes
  let root: WorkflowExecution
  let metadata: UserMetadata?
  /// The run that started the child, or asked, where that was reset since.
  var base = RunID.none
  /// The child is to say what has become of it; `content` is of no meaning.
  var asks = false

  func isSame(as letter: ModelLetter) -> Bool {
    letter.from.runID == from.runID && letter.to == to && letter.event == event
      && letter.toChild == toChild && letter.base == base && letter.asks == asks
      && letter.content.isWord == content.isWord
  }

  func isSame(as letter: Letter) -> Bool {
    letter.from?.runID == from.runID && letter.to?.workflowID == to.workflowID
      && letter.event?.eventID == event && letter.toChild == (toChild != nil)
      && letter.baseRunID == base && letter.asks == asks
      && letter.event?.attributes?.isWord == content.isWord
  }
}

/// What waits for the end of a redo.
enum Parked {
  case request(RequestID, Request)
  case letter(ModelLetter)

  func isRequest(_ id: RequestID) -> Bool {
    if case .request(let parked, _) = self { return parked == id }
    return false
  }
}

extension HistoryEvent.Attributes {
  /// The first word to or from a child, not its last.
  fileprivate var isWord: Bool {
    switch self {
    case .startChildWorkflowExecutionInitiated, .childWorkflowExecutionStarted,
      .startChildWorkflowExecutionFailed:
      true
    default: false
    }
  }
}

extension ModelRun {
  /// What an event about another run is to the code.
  func familyJob(_ event: HistoryEvent) -> Job.Kind? {
    switch event.attributes {
    case .childWorkflowExecutionStarted(let m):
      var job = ResolveChildStart()
      job.seq = m.seq
      job.result = .started(m.execution ?? WorkflowExecution())
      return .resolveChildStart(job)
    case .startChildWorkflowExecutionFailed(let m):
      var job = ResolveChildStart()
      job.seq = m.seq
      let child = wrap(.of(m.workflowID), m.workflowType, m.initiatedEventID)
      if m.cause == .canceled {
        job.result = .canceled(
          child.failure(
            "was canceled", "it was cancelled before it was started", .canceled(CanceledFailure())))
      } else {
        var application = ApplicationFailure()
        application.type =
          m.cause == .outcomeUnknown ? "OutcomeUnknown" : "WorkflowAlreadyStarted"
        application.nonRetryable = true
        job.result = .failed(
          child.failure("was not started", m.message, .application(application)))
      }
      return .resolveChildStart(job)
    case .signalExternalWorkflowExecutionFailed(let m):
      var job = ResolveSignalExternal()
      job.seq = m.seq
      job.failure = unreachable("signal", m.execution, m.cause)
      return .resolveSignalExternal(job)
    case .externalWorkflowExecutionSignaled(let m):
      var job = ResolveSignalExternal()
      job.seq = m.seq
      return .resolveSignalExternal(job)
    case .requestCancelExternalWorkflowExecutionFailed(let m):
      var job = ResolveCancelExternal()
      job.seq = m.seq
      job.failure = unreachable("cancel", m.execution, m.cause)
      return .resolveCancelExternal(job)
    case .externalWorkflowExecutionCancelRequested(let m):
      var job = ResolveCancelExternal()
      job.seq = m.seq
      return .resolveCancelExternal(job)
    default:
      guard let (seq, result) = childEnd(event) else { return nil }
      var job = ResolveChild()
      job.seq = seq
      job.result = result
      return .resolveChild(job)
    }
  }

  private func childEnd(_ event: HistoryEvent) -> (UInt32, ResolveChild.Result)? {
    switch event.attributes {
    case .childWorkflowExecutionCompleted(let m):
      var list = PayloadList()
      list.payloads = m.result
      return (m.seq, .completed(list))
    case .childWorkflowExecutionFailed(let m):
      let child = wrap(m.execution, m.workflowType, m.initiatedEventID, m.retryState)
      var failure = child.failure("failed", "", .terminated(TerminatedFailure()))
      failure.causes = (m.failure?.info).map { [$0] } ?? []
      failure.causes += m.failure?.causes ?? []
      return (m.seq, .failed(failure))
    case .childWorkflowExecutionTimedOut(let m):
      var timeout = TimeoutFailure()
      timeout.timeoutType = .startToClose
      let child = wrap(m.execution, m.workflowType, m.initiatedEventID, m.retryState)
      return (
        m.seq, .failed(child.failure("timed out", "the workflow timed out", .timeout(timeout)))
      )
    case .childWorkflowExecutionTerminated(let m):
      let child = wrap(m.execution, m.workflowType, m.initiatedEventID)
      let kind = FailureInfo.Kind.terminated(TerminatedFailure())
      return (
        m.seq, .failed(child.failure("was terminated", "the workflow was terminated", kind))
      )
    case .childWorkflowExecutionCanceled(let m):
      var canceled = CanceledFailure()
      canceled.details = m.details
      let child = wrap(m.execution, m.workflowType, m.initiatedEventID)
      return (
        m.seq,
        .canceled(child.failure("was canceled", "the workflow was canceled", .canceled(canceled)))
      )
    default: return nil
    }
  }

  private func wrap(
    _ execution: WorkflowExecution?, _ type: String, _ event: Int64,
    _ state: RetryState = .unspecified
  ) -> ChildWorkflowFailure {
    var child = ChildWorkflowFailure()
    child.execution = execution
    child.workflowType = type
    child.initiatedEventID = event
    child.retryState = state
    return child
  }

  private func unreachable(
    _ what: String, _ execution: WorkflowExecution?, _ cause: ExternalFailedCause
  ) -> Failure {
    var application = ApplicationFailure()
    application.nonRetryable = true
    let why: String
    switch cause {
    case .closed: (application.type, why) = ("WorkflowClosed", "it has closed")
    case .limitReached: (application.type, why) = ("LimitReached", "it takes no more signals")
    case .outcomeUnknown:
      application.type = "OutcomeUnknown"
      let asked = "the run that asked closed before it was answered, and was reset"
      return .of(
        "nobody knows whether the \(what) reached workflow '\(execution?.workflowID ?? "")': "
          + asked, .application(application))
    default:
      (application.type, why) = ("WorkflowNotFound", "there is none, or no such child of this one")
    }
    let id = execution?.workflowID ?? ""
    return .of("the \(what) did not reach workflow '\(id)': \(why)", .application(application))
  }
}

extension ChildWorkflowFailure {
  fileprivate func failure(_ what: String, _ why: String, _ cause: FailureInfo.Kind) -> Failure {
    let id = execution?.workflowID ?? ""
    var failure = Failure.of("child workflow '\(id)' \(what)", .childWorkflow(self))
    failure.causes = Failure.of(why, cause).info.map { [$0] } ?? []
    return failure
  }
}
