import Basics
import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// TIM of proto/README.md.
@Suite("Time that is skipped") struct TimeSkippingTests {
  private let day = TimePeers.day

  @Test func withoutTheModeEveryRequestSaysHowToGetIt() {
    var time = TimePeers(skipsTime: false)
    let statuses = [
      time.status(time.a, .operatorGetTime, GetTimeRequest()),
      time.status(time.a, .operatorLockTime, LockTimeRequest()),
      time.status(time.a, .operatorUnlockTime, UnlockTimeRequest()),
      time.status(time.a, .operatorSleep, SleepRequest()),
      time.status(time.a, .operatorAdvanceTime, AdvanceTimeRequest()),
    ]
    for status in statuses {
      #expect(status?.code == .failedPrecondition && status?.reason == .timeNotSkipped)
      #expect(status?.message.contains("--time-skipping") ?? false)
    }
  }

  @Test func nothingSkipsUntilSomebodyUnlocks() {
    var time = TimePeers()
    time.start("w", delayMs: 30 * day)
    #expect(time.skippedMs() == 0)
    time.unlock(time.a)
    #expect(time.skippedMs() == 30 * day)
  }

  @Test func aLockHoldsTimeForAllAndGoesWithItsConnection() {
    var time = TimePeers()
    time.start("w", delayMs: day)
    time.lock(time.b)
    time.unlock(time.a)
    #expect(time.skippedMs() == 0)
    #expect(time.look()?.lockingConnections == 1 && time.look()?.lettingConnections == 1)
    time.peers.disconnect(time.b)
    #expect(time.skippedMs() == day)
  }

  /// Who only looks at the time does not keep it from being skipped.
  @Test func aLookInTheSameTurnHoldsNothing() {
    var time = TimePeers()
    time.start("w", delayMs: day)
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    for (stream, method) in [(500, Method.operatorUnlockTime), (501, .operatorGetTime)] {
      var open = Open()
      open.method = method.rawValue
      open.end = true
      var frame = Frame()
      frame.stream = UInt64(stream)
      frame.kind = .open(open)
      encoder.append(frame, to: &bytes)
    }
    time.peers.send(time.a, bytes)
    #expect(time.skippedMs() == day)
  }

  @Test func locksAreCounted() {
    var time = TimePeers()
    time.start("w", delayMs: day)
    time.lock(time.b)
    time.lock(time.b)
    time.unlock(time.a)
    time.unlock(time.b)
    #expect(time.skippedMs() == 0, "one of two is left")
    time.unlock(time.b)
    #expect(time.skippedMs() == day)
  }

  @Test func anUnlockGoesWithItsConnectionToo() {
    var time = TimePeers()
    time.unlock(time.a)
    time.peers.disconnect(time.a)
    time.start("w", delayMs: day)
    #expect(time.skippedMs() == 0)
  }

  @Test func waitingForAWorkflowLetsTimeSkipForWhomItIsSaid() {
    var time = TimePeers()
    time.start("w", delayMs: day)
    time.unlock(time.a, whileWaiting: true)
    #expect(time.skippedMs() == 0, "nothing is waited for")
    time.awaitResult(time.b, "w")
    #expect(time.skippedMs() == 0, "another one waits")
    time.awaitResult(time.a, "w")
    #expect(time.skippedMs() == day)
  }

  @Test func waitingForAnActivityDoesSo() {
    var time = TimePeers()
    time.unlock(time.a, whileWaiting: true)
    time.startActivity("a", delayMs: day)
    #expect(time.skippedMs() == 0, "nothing is waited for")
    time.awaitActivityResult(time.a, "a")
    #expect(time.skippedMs() == day)
  }

  @Test func whenTheAnswerLeavesTimeStandsAgain() {
    var time = TimePeers()
    time.unlock(time.a, whileWaiting: true)
    time.start("first", delayMs: day)
    time.start("second", delayMs: 2 * day)
    time.attach()
    time.awaitResult(time.a, "first")
    let activation = time.activation()
    #expect(time.skippedMs() == day)
    time.answer(activation!, .completeWorkflow(CompleteWorkflow()))
    #expect(time.skippedMs() == day, "the second one has not begun")
  }

  @Test func aTaskHoldsTimeWithAndWithoutAWorker() {
    var time = TimePeers()
    time.unlock(time.a)
    time.start("w")
    time.start("later", delayMs: day)
    #expect(time.skippedMs() == 0, "a task waits that nobody serves")
    #expect(time.look()?.busyWorkflows == 1)
    time.attach()
    let activation = time.activation()
    #expect(time.skippedMs() == 0, "the task is out")
    time.answer(activation!, TimePeers.timer(1, days: 10))
    #expect(time.skippedMs() == day, "the other one begins, and its task is out")
    time.answer(time.activation()!, .completeWorkflow(CompleteWorkflow()))
    #expect(time.skippedMs() == 10 * day)
    #expect(time.look()?.busyWorkflows == 1, "the timer's task")
  }

  @Test func aFailingTaskIsTriedAgainInRealTime() {
    var time = TimePeers()
    time.unlock(time.a)
    time.start("w")
    time.attach()
    // A command without its type breaks a rule: the task fails.
    time.answer(time.activation()!, .scheduleActivity(ScheduleActivity()))
    #expect(time.skippedMs() == 0)
    time.peers.advance(1_000)
    #expect(time.activation() != nil)
    #expect(time.skippedMs() == 0)
  }

  @Test func anActivityHoldsTimeAndItsBackOffDoesNot() {
    var time = TimePeers()
    time.unlock(time.a)
    time.start("w")
    time.attach()
    time.answer(time.activation()!, TimePeers.charge(1, retryAfterMs: day))
    let first = time.activity()
    #expect(first?.attempt == 1)
    #expect(time.skippedMs() == 0)
    time.fail(first!)
    #expect(time.activity()?.attempt == 2)
    #expect(time.skippedMs() == day)
  }

  @Test func aWorkerThatOnlyReconnectsHoldsTime() {
    var time = TimePeers()
    time.unlock(time.a)
    time.start("w")
    time.attach()
    time.answer(time.activation()!, TimePeers.charge(1))
    #expect(time.activity()?.attempt == 1)
    time.peers.disconnect(time.worker)
    time.peers.advance(9_999)
    #expect(time.skippedMs() == 0)
    time.attach(connection: 4)
    #expect(time.activity()?.attempt == 1, "it did not name the lease: it never had the task")
    #expect(time.skippedMs() == 0)
  }

  @Test func whatIsOwedToPeersKeepsRealTime() {
    var time = TimePeers()
    let silent = time.peers.connect(50)
    time.start("w", delayMs: 30 * day)
    let waits = time.awaitResult(time.a, "w", timeoutMs: 1_000)
    time.attach()
    _ = time.peers.take(time.a)
    time.unlock(time.a)
    #expect(time.skippedMs() == 30 * day)
    #expect(time.peers.takeShort(time.a).count == 1, "the unlock; the request has its time")
    #expect(time.peers.isConnected(silent), "there is time for its Hello")
    let sent = time.peers.takeShort(time.worker)
    #expect(!sent.isEmpty && !sent.contains { $0.hasPrefix("Ping") })
    time.peers.advance(1_000)
    #expect(time.peers.takeShort(time.a) == ["End \(waits) DEADLINE_EXCEEDED TIMED_OUT"])
    time.peers.advance(4_000)
    #expect(!time.peers.isConnected(silent))
  }

  @Test func nothingSkipsWhileTheStoreHasWork() {
    var time = TimePeers()
    time.peers.isStoreBusy = true
    time.start("w", delayMs: day)
    time.unlock(time.a)
    time.call(time.a, .operatorGetTime, GetTimeRequest())
    func skipped(_ frames: [Frame]) -> Int64? {
      guard case .end(let end) = frames.last?.kind else { return nil }
      return (try? GetTimeResponse(bytes: end.message))?.skippedMs.ms
    }
    #expect(skipped(time.peers.take(time.a)) == 0)
    time.peers.persist()
    #expect(time.skippedMs() == day)
  }

  @Test func nobodyIsToldOfATimeThatIsNotDurable() {
    var time = TimePeers()
    time.peers.isStoreBusy = true
    var request = AdvanceTimeRequest()
    request.durationMs = Span(ms: day)
    let stream = time.call(time.a, .operatorAdvanceTime, request)
    _ = time.peers.take(time.b)
    time.call(time.b, .operatorGetTime, GetTimeRequest())
    #expect(time.peers.take(time.b).isEmpty)
    #expect(!time.peers.takeShort(time.a).contains("End \(stream) OK"))
    time.peers.persist()
    #expect(time.peers.takeShort(time.a) == ["End \(stream) OK"])
    #expect(time.peers.take(time.b).count == 1)
  }

  /// Random beginnings and timers, and locks in between: each comes at its time to the millisecond,
  /// and none while time is held.
  @Test(arguments: 1...20)
  func whatIsSkippedToHappensAtItsTime(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var time = TimePeers()
    time.attach()
    let began = time.look()!.currentTimeMs.ms
    var due: [String: Int64] = [:]
    var seqs: [String: UInt32] = [:]
    for number in 0..<12 {
      let delay = Int64(random.next() % 40 + 1) * day
      due["w-\(number)"] = began + delay
      time.start("w-\(number)", delayMs: delay)
    }
    time.unlock(time.a)
    var last = began
    var turns = 0
    while case let out = time.activations(), !out.isEmpty {
      turns += 1
      let now = time.look()!.currentTimeMs.ms
      #expect(now == due.values.min() && now >= last, "seed \(seed), turn \(turns)")
      last = now
      let isLocked = random.next() % 4 == 0
      if isLocked { time.lock(time.b) }
      for activation in out {
        #expect(due[activation.workflowID] == activation.activationTimeMs.ms, "seed \(seed)")
        let days = Int64(random.next() % 30)
        due[activation.workflowID] = days == 0 ? nil : now + days * day
        guard days > 0 else {
          time.answer(activation, .completeWorkflow(CompleteWorkflow()))
          continue
        }
        seqs[activation.workflowID, default: 0] += 1
        time.answer(activation, TimePeers.timer(seqs[activation.workflowID]!, days: days))
      }
      guard isLocked else { continue }
      #expect(time.look()?.currentTimeMs.ms == now, "seed \(seed): locked")
      time.unlock(time.b)
    }
    #expect(due.isEmpty && turns > 12, "seed \(seed): \(due.count) are left")
  }

  // MARK: - Sleep

  @Test func aSleepEndsWhenItsTimeHasCome() {
    var time = TimePeers()
    _ = time.peers.take(time.a)
    let stream = time.sleep(time.a, 1_000, unlock: false)
    time.peers.advance(999)
    #expect(time.peers.take(time.a).isEmpty)
    time.peers.advance(1)
    time.peers.advance(0)
    #expect(time.peers.takeShort(time.a) == ["End \(stream) OK"])
    #expect(time.skippedMs() == 0)
  }

  @Test func aSleepThatUnlocksGoesOverItsOwnLocksAndStopsAtWhatHappens() {
    var time = TimePeers()
    time.start("w", delayMs: day)
    time.lock(time.a)
    _ = time.peers.take(time.a)
    let stream = time.sleep(time.a, 2 * day, unlock: true)
    #expect(time.skippedMs() == day)
    #expect(time.peers.take(time.a).isEmpty, "the workflow's task holds time")
    time.attach()
    time.answer(time.activation()!, .completeWorkflow(CompleteWorkflow()))
    #expect(time.peers.takeShort(time.a) == ["End \(stream) OK"])
    #expect(time.skippedMs() == 2 * day)
    time.start("later", delayMs: day)
    #expect(time.skippedMs() == 2 * day, "locked again")
  }

  @Test func aSleepDoesNotGoOverTheLocksOfOthers() {
    var time = TimePeers()
    time.lock(time.b)
    time.sleep(time.a, day, unlock: true)
    #expect(time.skippedMs() == 0)
  }

  @Test func aSleepThatIsGivenUpUnlocksNothing() {
    var time = TimePeers()
    time.lock(time.b)
    _ = time.peers.take(time.a)
    let stream = time.sleep(time.a, day, unlock: true, timeoutMs: 1_000)
    time.peers.advance(1_000)
    #expect(time.peers.takeShort(time.a) == ["End \(stream) DEADLINE_EXCEEDED TIMED_OUT"])
    let cancelled = time.sleep(time.a, day, unlock: true)
    time.peers.send(time.a, stream: cancelled, .cancel(Cancel()))
    #expect(time.peers.takeShort(time.a) == ["End \(cancelled) CANCELLED UNSPECIFIED"])
    time.unlock(time.b)
    #expect(time.skippedMs() == 0)
    #expect(time.look()?.lettingConnections == 0)
  }

  @Test(arguments: [-1, Int64.max])
  func aLengthThatMakesNoSenseIsRefused(_ ms: Int64) {
    var time = TimePeers()
    var sleep = SleepRequest()
    sleep.durationMs = Span(ms: ms)
    var advance = AdvanceTimeRequest()
    advance.durationMs = Span(ms: ms)
    for status in [
      time.status(time.a, .operatorSleep, sleep),
      time.status(time.a, .operatorAdvanceTime, advance),
    ] {
      #expect(status?.reason == .fieldInvalid && status?.field == "duration_ms")
    }
    #expect(time.skippedMs() == 0)
  }

  // MARK: - Advance

  @Test func anAdvanceMovesTimeWhateverHoldsIt() {
    var time = TimePeers()
    time.lock(time.b)
    time.start("w")
    time.attach()
    time.answer(time.activation()!, TimePeers.charge(1))
    #expect(time.activity()?.attempt == 1)
    var request = AdvanceTimeRequest()
    request.durationMs = Span(ms: 60_000)
    #expect(time.status(time.a, .operatorAdvanceTime, request) == nil)
    #expect(time.skippedMs() == 60_000)
    #expect(
      time.peers.takeWork(time.worker).contains { kind in
        if case .activityCancel(let cancel) = kind { cancel.reason == .timedOut } else { false }
      }, "its start-to-close timeout has passed")
  }

  // MARK: - Starts of the engine

  @Test func theNextStartDoesNotGoBack() {
    var configuration = ShellConfiguration(
      engine: EngineConfiguration(seed: 7), access: AccessRules(ownUID: 0), serverVersion: "test",
      storePath: ":memory:")
    let reading = ClockReading(wallMs: 1_000_000, bootMs: 0, monotonicUs: 0)
    for skipped in [4_000_000, 0] as [Int64] {
      for skipsTime in [true, false] {
        configuration.engine.skipsTime = skipsTime
        let shell = Shell(
          configuration,
          opened: OpenedStore(
            epoch: 2, nextRun: RunNumber(1), deadlines: [], filter: IDFilter(),
            skipped: Span(ms: skipped)),
          at: reading)
        #expect(shell.clock.now == Instant(ms: 1_000_000 + skipped))
        #expect(shell.clock.skipped == Span(ms: skipped))
        #expect(shell.health.clockAheadMs == Span(ms: skipped))
      }
    }
  }

  @Test func theStoreIsToldOfEachSkip() {
    var time = TimePeers()
    let log = Log()
    time.peers.onCommit = { writes in
      for case .putSkipped(let span) in writes { log.told.append(span.ms) }
    }
    time.start("w", delayMs: day)
    time.unlock(time.a)
    #expect(log.told == [day])
  }

  private final class Log {
    var told: [Int64] = []
  }
}
