import Basics

/// The engine's bounds, each with its reason.
public struct EngineLimits: Sendable {
  /// One id or name: what a key of the store stays cheap with.
  public var idBytesMax = 1_000
  /// A text for people: a reason, a summary.
  public var textBytesMax = 64 << 10
  /// One payload: what fits a frame beside its request.
  public var payloadBytesMax = 2 << 20
  /// All payloads of one request: a frame less 1 MiB for the engine's own fields.
  public var requestPayloadBytesMax = 3 << 20
  /// Runs that are not in memory here and that one worker still has, at about 100 bytes each.
  public var cachedDormantMax = 10_000
  /// Details of a heartbeat or of a failure, so that what is made of them fits a frame too.
  public var detailBytesMax = 512 << 10
  /// One activation or one part of a replay.
  public var activationBytesMax = 1 << 20
  /// Tasks that a session is sent before it has read the earlier ones, about.
  public var unreadTaskBytesMax = 2 << 20
  /// One message of a streamed answer, unless it holds one event or row only.
  public var partBytesMax = 1 << 20
  /// What DescribeWorkflow shows of pending work; the rest of the answer needs room in its frame.
  public var pendingBytesMax = 2 << 20
  /// What DescribeTaskQueue shows of workers.
  public var describedBytesMax = 1 << 20
  /// Problems of a run that are told in words.
  public var problemsMax = 20
  /// Pending activities of a run.
  public var pendingActivitiesMax = 2_000
  /// Children of a run that have not come to their end.
  public var pendingChildrenMax = 2_000
  /// Signals of a run to others that have not been answered, and its cancel requests.
  public var sentRequestsMax = 2_000
  /// Letters taken in by one step, so that a large family does not hold the loop.
  public var lettersPerStepMax = 500
  /// Letters in memory that wait for the load of their run; further ones wait in the store.
  public var lettersWaitingMax = 1_000
  /// Timers of a run that have not fired.
  public var pendingTimersMax = 10_000
  /// Signals that one run accepts in its life.
  public var signalsPerRunMax: Int64 = 10_000
  /// Updates of a run that have no outcome, and those that it accepts in its life.
  public var updatesInFlightMax = 10
  public var updatesPerRunMax: Int64 = 2_000
  /// Queries of one run that wait for a worker.
  public var queriesWaitingMax = 1_000
  /// Inputs that wait for the load of one workflow id.
  public var parkedInputsMax = 1_000
  public var parkedBytesMax = 4 << 20
  /// Events and bytes of one history; then the run is terminated.
  public var historyEventsMax: Int64 = 51_200
  public var historyBytesMax: Int64 = 50 << 20
  /// From here on the code is advised to continue as new.
  public var historyEventsSuggested: Int64 = 4_096
  public var historyBytesSuggested: Int64 = 4 << 20
  /// What the parts of one answer of a worker may come to, commands or a replay's heads.
  public var partsBytesMax = 64 << 20
  /// Commands of one workflow task.
  public var commandsMax = 10_000
  /// Markers of one workflow task: what travels beside the jobs of a past activation.
  public var markerBytesMax = 256 << 10
  /// What one command holds beside its payloads: header, texts, location.
  public var commandBytesMax = 256 << 10
  /// Failed attempts kept of one activity: the first and the last ones, each cut to
  /// `keptFailureBytesMax`.
  public var firstAttemptsKept = 5
  public var lastAttemptsKept = 20
  public var keptFailureBytesMax = 4 << 10
  /// Deadlines handled in one step, so that a herd of timers does not hold the loop.
  public var deadlinesPerStepMax = 500
  /// Loads under way because of deadlines.
  public var deadlineLoadsMax = 64
  /// Loads under way because workers have room for runs that wait outside.
  public var turnLoadsMax = 64
  /// Memory for runs; over it, the ones that have rested longest become dormant at once. Those that
  /// wait in queues leave from half of it on.
  public var residentBytesMax = 256 << 20
  /// Dormant deadlines kept in memory, refilled from the store.
  public var deadlineWindow = 100_000
  /// Replays under way in one session.
  public var replaysPerSessionMax = 2
  /// A history that a client sends to be replayed: one part of it, one event as it is sent, and the
  /// whole, more than a run that is as large as may be takes in JSON.
  public var historyPartBytesMax = 128 << 10
  public var sentEventBytesMax = 16 << 20
  public var sentHistoryBytesMax = 256 << 20
  /// Events of it that its code has not been shown: what a run may have pending, and more.
  public var sentUnshownEventsMax = 40_000
  /// Such replays of one connection, and the memory for all of them.
  public var sentReplaysMax = 8
  public var sentReplayBytesMax = 64 << 20
  /// Past activations in one of their parts, so that it does not hold the loop.
  public var sentActivationsMax = 200
  /// Removal of closed runs in one batch, so that its commit stays short: so many, or twice as many
  /// as have closed meanwhile, so that it keeps up, but never more than in a burst.
  public var removedRunsMax = 20
  public var removedRunsBurst = 200
  public var removedBytesMax: Int64 = 1 << 20
  /// Rows read for one slice of a look for runs to remove.
  public var lifetimeSliceRows = 500
  /// What lists and descriptions show of one text.
  public var shownTextBytesMax = 1 << 10
  /// Reads for streamed answers that are with the store at a time.
  public var readsMax = 16
  /// Batch jobs that are kept, and those that may run.
  public var batchJobsMax = 1_000
  public var batchJobsRunningMax = 10
  /// Operations of a batch job in a second.
  public var batchRateMin = 0.001
  public var batchRateMax = 10_000.0
  /// Rows that a batch job reads at a time.
  public var batchSliceRows = 64
  public var batchFailuresMax = 100
  /// All of them stay in memory.
  public var schedulesMax = 10_000
  public var scheduleBytesMax = 64 << 20
  /// Times of a schedule that one step looks at, so that what was missed does not hold the loop.
  public var scheduleLooksMax = 200
  /// Actions of a schedule that wait for its open workflows, and those workflows.
  public var waitingActionsMax = 1_000
  public var scheduledWorkflowsMax = 1_000
  /// Backfills of a schedule that are not done.
  public var backfillsMax = 10
  /// Request ids that a schedule remembers.
  public var scheduleRequestsKept = 50
  /// Schedules in one answer, and times in one.
  public var listedSchedulesMax: Int64 = 1_000
  public var listedTimesMax = 1_000
  /// What a run notes of itself for people.
  public var memoBytesMax = 2 << 20
  /// Search attributes of a run: how many, the bytes of one, and of all; lists hold them in memory.
  public var attributesMax = 100
  public var attributeValueBytesMax = 2 << 10
  public var attributesBytesMax = 40 << 10
  /// Namespaces: all of them stay in memory, and are listed in one answer.
  public var namespacesMax = 1_000
  public var descriptionBytesMax = 1_000
  /// What one step removes of a deleted namespace beside its runs.
  public var removedRestMax = 100
  /// Names of search attributes, which errors of queries show, and the bytes of one.
  public var attributeNamesMax = 200
  public var attributeNameBytesMax = 100
  /// Rows read for one slice of a list.
  public var listSliceRows = 256
  /// A query of a list: its bytes, how deep NOT and parentheses stand in each other, and the values
  /// in it, each of which is looked at for each run.
  public var queryBytesMax = 64 << 10
  public var queryDepthMax = 50
  public var queryValuesMax = 1_000
  /// Rows of one page, or of a list with ORDER BY, which are gathered before the first is shown.
  public var pageRowsMax = 1_000
  /// Groups of a count.
  public var groupsMax = 1_000
  /// Memory for all rows and groups that are gathered.
  public var gatheredBytesMax = 32 << 20

  public init() {}
}

/// Times that the engine waits, each with its reason.
public struct EngineTimes: Sendable {
  public var taskTimeoutDefault = Span(ms: 10_000)
  public var taskTimeoutMax = Span(ms: 120_000)
  /// How long the leases of a lost connection wait for their worker.
  public var resumeWindow = Span(ms: 10_000)
  /// How long a task waits for the session that caches its run when another could take it.
  public var stickyWait = Span(ms: 100)
  /// How long a run without work stays in memory.
  public var residency = Span(ms: 10_000)
  /// Back-off of a failing workflow task.
  public var taskBackoffInitial = Span(ms: 1_000)
  public var taskBackoffMax = Span(ms: 600_000)
  /// From the beginning of a run to that of the next one of its chain, so that no chain is a busy
  /// loop.
  public var chainPause = Span(ms: 1_000)
  /// A heartbeat is durable this late at the latest.
  public var heartbeatFlush = Span(ms: 1_000)
  public var retryIntervalDefault = Span(ms: 1_000)
  /// How long a closed run is kept; zero: for ever.
  public var retention = Span(ms: 72 * 3_600_000)
  /// What a namespace may have for its own.
  public var namespaceRetentionMin = Span(ms: 1_000)
  public var namespaceRetentionMax = Span(ms: 36_500 * 24 * 3_600_000)
  /// The shortest time for which a schedule makes up for what it has missed.
  public var catchupWindowMin = Span(ms: 10_000)
  /// Until a schedule tries again what a load did not allow.
  public var scheduleRetryPause = Span(ms: 1_000)
  /// Until a batch job tries again what was refused for now.
  public var batchRetryPause = Span(ms: 1_000)
  /// Between two batches of a removal, so that those who work meanwhile hardly meet one.
  public var removalPause = Span(ms: 10)
  /// Between two looks for closed runs to remove.
  public var retentionPause = Span(ms: 1_000)

  public init() {}
}
