import Basics
import Messages

extension Engine {
  /// DescribeActivity: how an activity without a workflow is doing, and what keeps it back.
  mutating func describeActivity(_ id: RequestID, _ request: DescribeActivityRequest) {
    guard
      let run = activityRun(
        id, request.namespace, request.activityID, request.runID, .describe(request))
    else { return }
    var response = DescribeActivityResponse()
    response.activity = StandaloneActivity(info(of: run))
    response.pending = run.fold.activities.first.map { pending($0, of: run) }
    response.lastAttempt = run.fold.lastAttempt.map { FailedAttempt($0.value, of: run) }
    reply(id, .activityRun(.describe(response)), .run(run))
  }
}

extension FailedAttempt {
  fileprivate init(_ started: ActivityTaskStarted, of run: Run) {
    self.init()
    attempt = started.attempt
    attemptsBefore = started.attemptsBefore
    startedTimeMs = started.startedTimeMs
    endedTimeMs = run.fold.closeTime ?? .epoch
    identity = started.identity
    failure = run.fold.closing?.attemptFailure
  }
}

extension HistoryEvent {
  /// Of the attempt that has ended the activity, without the activity's own around it.
  fileprivate var attemptFailure: Failure? {
    let whole: Failure? =
      switch attributes {
      case .activityTaskFailed(let event): event.failure
      case .activityTaskTimedOut(let event): event.failure
      default: nil
      }
    guard let info = whole?.causes.first else { return nil }
    var failure = Failure()
    failure.info = info
    failure.causes = Array(whole?.causes.dropFirst() ?? [])
    return failure
  }
}

extension StandaloneActivity {
  /// What lists and descriptions know of a run, as of an activity.
  init(_ info: WorkflowInfo) {
    self.init()
    activityID = info.execution?.workflowID ?? ""
    runID = info.execution?.runID ?? .none
    activityType = info.workflowType
    taskQueue = info.taskQueue
    status = info.status
    startTimeMs = info.startTimeMs
    closeTimeMs = info.closeTimeMs
    userMetadata = info.userMetadata
    problems = info.problems
    memo = info.memo
    searchAttributes = info.searchAttributes
  }
}
