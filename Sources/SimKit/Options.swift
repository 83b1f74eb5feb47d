import Basics
import EngineCore
import Shell

/// What a seed's simulation is like. Each seed draws its own, so that some seeds have only one kind
/// of fault and some have all of them.
public struct Options: Sendable {
  public let seed: UInt64
  var clients = 1
  var workers = 1
  /// Requests that the clients make while there are faults.
  public private(set) var operations = 500
  /// Ids that starts choose from: few, so that they meet.
  var workflowIDs = 5
  var thinkMs: Int64 = 40
  var latencyUs: ClosedRange<Int64> = 20...200
  var splitPercent = 0
  var commitUs: ClosedRange<Int64> = 100...400
  var workflowTaskMs: ClosedRange<Int64> = 0...2
  var checkpointBytes = 4 << 20
  // Mean times between faults, in milliseconds; 0: none.
  var crashMs: Int64 = 0
  var powerPercent = 50
  var lossMs: Int64 = 0
  var stallMs: Int64 = 0
  var workerDeathMs: Int64 = 0
  var fullMs: Int64 = 0
  var clockJumpMs: Int64 = 0
  /// The engine is told to drain, and is started again when it has.
  var drainMs: Int64 = 0
  /// It is told to drain, and one with other settings takes its place.
  var upgradeMs: Int64 = 0
  /// A backup begins, unless one is under way.
  var backupMs: Int64 = 0
  /// Of a hundred workflow tasks, how many a worker fails; after how many it drops the run.
  var taskFailurePercent = 0
  var selfEvictionPercent = 0
  /// Of a hundred requests, how many a client gives up.
  var abandonPercent = 0
  /// Of a hundred commits, how many end in the middle, or with an I/O error.
  var tornCommitPercent = 0
  var failedCommitPercent = 0
  /// The kernel tells that a worker's process is gone.
  var hasEvidence = true
  /// Workers that never come back from their death.
  var goneForGood = 0
  var cachedRunsMax: UInt32 = 100
  var slots: UInt32 = 10
  var residencyMs: Int64 = 10_000
  var taskTimeoutMs: Int64 = 10_000
  var deadlineWindow = 100_000
  /// When the workflows' code changes, guarded by patches; 0: before the first start.
  var changeMs: Int64 = 0
  /// How long closed runs are kept; 0: longer than any seed lasts.
  var retentionMs: Int64 = 0
  /// Of a run: small enough to be met by some of a seed's runs.
  var signalsMax: Int64 = 10_000
  var historyEventsMax: Int64 = 51_200
  var pendingActivitiesMax = 2_000
  var payloadBytesMax = 2 << 20
  /// Memory for runs: with a small one they come and go, waiting or not.
  var residentBytesMax = 256 << 20
  /// What a peer may leave unread; with a small one, peers that do not read go on asking.
  var unreadBytesMax = ShellLimits().outgoingBytesMax
  /// Rows of a slice, runs of a removal.
  var sliceRows = 256
  /// Letters that a step takes in, and that wait in memory.
  var lettersMax = 1_000
  /// Of a hundred requests, how many are about schedules.
  var schedulePercent = 0
  /// As many are about namespaces beside `default`.
  var namespacePercent = 0
  /// How many are about activities without a workflow.
  var activityPercent = 0

  /// The file that the engine finds; nil: none.
  public var file: [UInt8]?
  /// What the clients leave is kept, for a later simulation to find.
  var keepsFile = false

  /// Where request ids and results begin to be counted: apart from those in the file.
  var firstName: Int { file == nil ? 0 : 1_000_000 }

  var retention: Span? { retentionMs == 0 ? nil : Span(ms: retentionMs) }

  var limits: EngineLimits {
    var limits = EngineLimits()
    limits.deadlineWindow = deadlineWindow
    limits.signalsPerRunMax = signalsMax
    limits.lettersPerStepMax = lettersMax
    limits.lettersWaitingMax = lettersMax
    limits.historyEventsMax = historyEventsMax
    limits.pendingActivitiesMax = pendingActivitiesMax
    limits.payloadBytesMax = payloadBytesMax
    limits.residentBytesMax = residentBytesMax
    // What is sent at once leaves room for more.
    limits.partBytesMax = min(limits.partBytesMax, unreadBytesMax / 4)
    limits.listSliceRows = sliceRows
    limits.lifetimeSliceRows = sliceRows
    limits.removedRunsMax = sliceRows
    return limits
  }

  var shellLimits: ShellLimits {
    var limits = ShellLimits()
    limits.outgoingBytesMax = unreadBytesMax
    return limits
  }

  var hasFloods: Bool { unreadBytesMax < ShellLimits().outgoingBytesMax }

  /// Breaks the engine or its world on purpose: one of `Mutants.all`.
  public var mutant: String?

  /// One client, one worker, no faults.
  public static func quiet(seed: UInt64) -> Options { Options(seed: seed) }

  private init(seed: UInt64) { self.seed = seed }

  public static func drawn(seed: UInt64) -> Options {
    var options = Options(seed: seed)
    var dice = Dice(seed: seed ^ 0x6F70_7469_6F6E_73)
    options.clients = dice.int(1...5)
    options.workers = dice.int(1...4)
    options.operations = dice.pick([500, 500, 800])
    options.workflowIDs = dice.pick([2, 5, 20])
    options.thinkMs = dice.pick([5, 40, 400])
    options.latencyUs = dice.pick([10...50, 20...2_000, 1_000...50_000])
    options.splitPercent = dice.pick([0, 20, 100])
    options.commitUs = dice.pick([50...300, 100...10_000, 1_000...300_000])
    options.workflowTaskMs = dice.pick([0...1, 0...20, 5...400])
    options.checkpointBytes = dice.pick([1 << 14, 1 << 17, 4 << 20])
    options.drawFaults(&dice)
    options.drawEngine(&dice)
    options.drawLimits(&dice)
    return options
  }

  private mutating func drawFaults(_ dice: inout Dice) {
    func mean(_ dice: inout Dice) -> Int64 {
      dice.percent(50) ? dice.pick([400, 2_000, 10_000]) : 0
    }
    crashMs = mean(&dice)
    powerPercent = dice.pick([0, 50, 100])
    lossMs = mean(&dice)
    stallMs = dice.percent(30) ? dice.pick([3_000, 10_000]) : 0
    workerDeathMs = mean(&dice)
    fullMs = dice.percent(30) ? dice.pick([2_000, 10_000]) : 0
    clockJumpMs = dice.percent(30) ? 3_000 : 0
    tornCommitPercent = dice.percent(40) ? dice.pick([1, 5]) : 0
    failedCommitPercent = dice.percent(30) ? dice.pick([1, 4]) : 0
    drainMs = dice.percent(20) ? dice.pick([2_000, 10_000]) : 0
    taskFailurePercent = dice.percent(20) ? dice.pick([1, 10]) : 0
    selfEvictionPercent = dice.percent(30) ? dice.pick([2, 20]) : 0
    abandonPercent = dice.percent(30) ? dice.pick([2, 20]) : 0
    hasEvidence = dice.percent(70)
    goneForGood = workerDeathMs > 0 && workers > 1 && dice.percent(30) ? 1 : 0
  }

  private mutating func drawEngine(_ dice: inout Dice) {
    cachedRunsMax = dice.pick([1, 4, 100])
    slots = dice.pick([1, 3, 10])
    residencyMs = dice.pick([50, 1_000, 10_000])
    taskTimeoutMs = dice.pick([1_000, 10_000])
    deadlineWindow = dice.pick([2, 10, 100_000])
    changeMs = dice.pick([0, 2_000, 10_000])
  }

  private mutating func drawLimits(_ dice: inout Dice) {
    retentionMs = dice.percent(40) ? dice.pick([500, 3_000, 20_000]) : 0
    // More than a program waits for, and fewer than some schedule at once.
    if dice.percent(20) { signalsMax = Int64(Program.signalsMax + 1) }
    if dice.percent(20) { historyEventsMax = dice.pick([15, 40]) }
    if dice.percent(20) { pendingActivitiesMax = Program.activitiesMax - 2 }
    if dice.percent(20) { payloadBytesMax = 4_000 }
    sliceRows = dice.pick([2, 5, 256])
    lettersMax = dice.pick([1, 2, 1_000])
    upgradeMs = dice.percent(20) ? dice.pick([3_000, 20_000]) : 0
    // More than twice the longest answer, a batch of a history, so that everyone who reads has it.
    if dice.percent(20) {
      unreadBytesMax = 64 << 10
      stallMs = dice.pick([1_000, 3_000])
    }
    schedulePercent = dice.percent(40) ? dice.pick([5, 30]) : 0
    if dice.percent(20) { residentBytesMax = 8_000 }
    backupMs = dice.percent(40) ? dice.pick([100, 1_000]) : 0
    namespacePercent = dice.percent(30) ? dice.pick([5, 20]) : 0
    activityPercent = dice.percent(50) ? dice.pick([5, 30]) : 0
  }

  /// What may differ between two versions that have one file after the other.
  mutating func upgrade(_ dice: inout Dice) {
    residencyMs = dice.pick([50, 1_000, 10_000])
    deadlineWindow = dice.pick([2, 10, 100_000])
    checkpointBytes = dice.pick([1 << 14, 1 << 17, 4 << 20])
    sliceRows = dice.pick([2, 5, 256])
    residentBytesMax = dice.pick([256 << 20, 8_000])
  }

  public mutating func limit(operations count: Int) { operations = min(operations, count) }

  public var description: String {
    "clients=\(clients) workers=\(workers) gone=\(goneForGood) operations=\(operations)"
      + " ids=\(workflowIDs) latency=\(latencyUs)us commit=\(commitUs)us crash=\(crashMs)ms"
      + " power=\(powerPercent)% loss=\(lossMs)ms stall=\(stallMs)ms death=\(workerDeathMs)ms"
      + " full=\(fullMs)ms jump=\(clockJumpMs)ms torn=\(tornCommitPercent)%"
      + " failed=\(failedCommitPercent)% drain=\(drainMs)ms upgrade=\(upgradeMs)ms"
      + " task-failure=\(taskFailurePercent)%"
      + " self-eviction=\(selfEvictionPercent)% abandon=\(abandonPercent)%"
      + " evidence=\(hasEvidence) cache=\(cachedRunsMax)"
      + " slots=\(slots) residency=\(residencyMs)ms task=\(taskTimeoutMs)ms"
      + " window=\(deadlineWindow) change=\(changeMs)ms retention=\(retentionMs)ms"
      + " signals=\(signalsMax)"
      + " history=\(historyEventsMax) pending=\(pendingActivitiesMax) payload=\(payloadBytesMax)"
      + " slice=\(sliceRows) letters=\(lettersMax) resident=\(residentBytesMax)"
      + " unread=\(unreadBytesMax) schedules=\(schedulePercent)%"
      + " activities=\(activityPercent)% backup=\(backupMs)ms"
      + " namespaces=\(namespacePercent)%"
      + " mutant=\(mutant ?? "none")"
  }
}
