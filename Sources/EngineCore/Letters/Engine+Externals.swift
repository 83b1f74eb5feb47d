import Basics
import Messages

/// Signals and cancel requests from one run to another.
extension Engine {
  /// The run that a letter is for, if it is open and, for a letter to a child, the child.
  private func receiver(of letter: Letter, _ run: Run?) -> Result<Run, Unreachable> {
    guard let run, isReceiver(run, of: letter) else { return .failure(.init(cause: .notFound)) }
    return run.fold.isOpen ? .success(run) : .failure(.init(cause: .closed))
  }

  struct Unreachable: Error {
    let cause: ExternalFailedCause
  }

  private func isReceiver(_ run: Run, of letter: Letter) -> Bool {
    guard letter.toChild else { return true }
    #if MUTANTS
      if Mutant.isOn(.wordsReachAnybody) { return true }
    #endif
    let started = run.fold.started
    let event = letter.toChildInitiatedEventID
    let parent = letter.baseRunID == .none ? letter.from?.runID : letter.baseRunID
    return started.parent?.runID == parent
      && (event == 0 || event == started.parentInitiatedEventID)
  }

  /// The run, if it is open and the one that the letter is for.
  func openReceiver(of letter: Letter, _ run: Run?) -> Run? {
    try? receiver(of: letter, run).get()
  }

  mutating func takeSignal(
    _ e: SignalExternalWorkflowExecutionInitiated, _ letter: Letter, _ run: Run?
  ) {
    let cause: ExternalFailedCause
    switch receiver(of: letter, run) {
    case .success(let run) where signalFault(run) == nil:
      var event = WorkflowExecutionSignaled()
      event.signalName = e.signalName
      event.input = e.input
      event.header = e.header
      event.externalExecution = letter.from
      record(run, .workflowExecutionSignaled(event))
      afterInbound(run)
      var arrived = ExternalWorkflowExecutionSignaled()
      arrived.execution = run.execution
      return reply(to: letter, .externalWorkflowExecutionSignaled(arrived))
    case .success: cause = .limitReached
    case .failure(let unreachable): cause = unreachable.cause
    }
    var failed = SignalExternalWorkflowExecutionFailed()
    failed.execution = e.execution
    failed.cause = cause
    reply(to: letter, .signalExternalWorkflowExecutionFailed(failed))
  }

  mutating func takeCancel(
    _ e: RequestCancelExternalWorkflowExecutionInitiated, _ letter: Letter, _ run: Run?
  ) {
    switch receiver(of: letter, run) {
    case .success(let run):
      var event = WorkflowExecutionCancelRequested()
      event.reason = e.reason
      event.externalExecution = letter.from
      cancel(run, event)
      var arrived = ExternalWorkflowExecutionCancelRequested()
      arrived.execution = run.execution
      reply(to: letter, .externalWorkflowExecutionCancelRequested(arrived))
    case .failure(let unreachable):
      var failed = RequestCancelExternalWorkflowExecutionFailed()
      failed.execution = e.execution
      failed.cause = unreachable.cause
      reply(to: letter, .requestCancelExternalWorkflowExecutionFailed(failed))
    }
  }

  /// Cancel is state: a repetition has no effect.
  mutating func cancel(_ run: Run, _ event: WorkflowExecutionCancelRequested) {
    guard !run.fold.cancelRequested else { return }
    record(run, .workflowExecutionCancelRequested(event))
    afterInbound(run)
  }
}

extension Run {
  var execution: WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = key.workflowID
    execution.runID = runID
    return execution
  }
}
