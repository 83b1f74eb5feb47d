import Foundation
import Harness
import Holdfast
import HoldfastTesting
import Testing

private final class Waits: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ days: Int) async throws -> Int64 {
    let began = context.nowMs
    try await context.sleep(for: .seconds(days * 86_400))
    return context.nowMs - began
  }
}

/// Asks for an approval, reminds after three days, and gives up after ten.
private final class Approval: Workflow, @unchecked Sendable {
  private var answer: String?

  init() {}

  static func handlers(_ handlers: inout Handlers<Approval>) {
    handlers.signal("answer") { approval, text in approval.answer = text }
  }

  func run(_ context: WorkflowContext, _ request: String) async throws -> String {
    let days = { (count: Int) in Duration.seconds(count * 86_400) }
    if try await context.wait(timeout: days(3), until: { self.answer != nil }) {
      return answer ?? ""
    }
    let options = ActivityOptions(startToClose: .seconds(10))
    let _: Nothing = try await context.activity("remind", request, options: options)
    guard try await context.wait(timeout: days(7), until: { self.answer != nil }) else {
      return "nobody answered"
    }
    return "late: \(answer ?? "")"
  }
}

/// An entity: one run for each of its days.
private final class Account: Workflow, @unchecked Sendable {
  struct State: Codable, Sendable {
    var day: Int
    var lastDay: Int
  }

  init() {}

  func run(_ context: WorkflowContext, _ state: State) async throws -> Int {
    try await context.sleep(for: .seconds(86_400))
    if state.day == state.lastDay { return state.day }
    try context.continueAsNew(State(day: state.day + 1, lastDay: state.lastDay))
  }
}

/// Charges and ships; what was charged is given back when the parcel cannot be shipped.
private final class Saga: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ order: String) async throws -> String {
    let options = ActivityOptions(
      startToClose: .seconds(10), retry: Retry(initial: .seconds(3_600), attempts: 3))
    let _: String = try await context.activity("charge", order, options: options)
    do {
      return try await context.activity("ship", order, options: options)
    } catch {
      return try await context.shielded {
        try await context.activity("refund", order, options: options)
      }
    }
  }
}

private final class Daily: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> Nothing {
    let _: Nothing = try await context.activity(
      "note", Nothing(), options: ActivityOptions(startToClose: .seconds(10)))
    return Nothing()
  }
}

/// What activities leave behind.
private final class Notes: @unchecked Sendable {
  // Touched only while `lock` is held.
  private let lock = NSLock()
  private var texts: [String] = []

  var all: [String] { lock.withLock { texts } }

  /// How many there are now of this one.
  @discardableResult
  func add(_ text: String) -> Int {
    lock.withLock {
      texts.append(text)
      return texts.lazy.filter { $0 == text }.count
    }
  }
}

/// Test environments of the Swift SDK, over real engines that skip time.
@Suite(.serialized) struct TimeSkippingTests {
  private static let day: Int64 = 86_400_000
  private let options = TestEnvironment.Options(executable: EngineProcess.bin + "/holdfast")

  /// So many days, and the moments from the code's time to the timer's start.
  private static func isAbout(_ days: Int64, _ ms: Int64) -> Bool {
    ms >= days * day && ms < days * day + 60_000
  }

  private func worker(_ env: TestEnvironment, _ notes: Notes = Notes()) -> Worker {
    var worker = env.worker(taskQueue: "q")
    worker.register(Waits.self)
    worker.register(Approval.self)
    worker.register(Account.self)
    worker.register(Saga.self)
    worker.activity("remind") { (_, text: String) in
      notes.add("remind \(text)")
      return Nothing()
    }
    return worker
  }

  /// The workflow `w` has come to its sleep.
  private func timerRuns(_ env: TestEnvironment) async throws {
    let figures = try #require(EngineFigures(env.socket))
    try await until("its timer runs") {
      (figures.history("w") ?? []).contains { event in
        if case .timerStarted = event.attributes { true } else { false }
      }
    }
  }

  @Test func aTimerOfThirtyDaysTakesNoTime() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let before = try await env.nowMs
    try await env.run(worker(env)) {
      let handle = try await env.client.start(Waits.self, 30, id: "w", taskQueue: "q")
      let clock = ContinuousClock.now
      #expect(Self.isAbout(30, try await handle.result()))
      print("30 days took \(ContinuousClock.now - clock)")
      // A run of ten days of it alone would be a test that hangs.
      #expect(ContinuousClock.now - clock < .seconds(10))
    }
    let passed = try await env.nowMs - before
    #expect(passed >= 30 * Self.day && passed < 31 * Self.day)
  }

  @Test func anApprovalIsEscalatedAndThenGiven() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let notes = Notes()
    try await env.run(worker(env, notes)) {
      let late = try await env.client.start(Approval.self, "holiday", id: "a-1", taskQueue: "q")
      try await env.sleep(for: .seconds(2 * 86_400))
      #expect(notes.all == [])
      try await env.sleep(for: .seconds(2 * 86_400))
      #expect(notes.all == ["remind holiday"])
      try await late.signal("answer", "yes")
      #expect(try await late.result() == "late: yes")
      let never = try await env.client.start(Approval.self, "car", id: "a-2", taskQueue: "q")
      #expect(try await never.result() == "nobody answered")
      let early = try await env.client.start(Approval.self, "desk", id: "a-3", taskQueue: "q")
      try await early.signal("answer", "no")
      #expect(try await early.result() == "no")
    }
    #expect(notes.all == ["remind holiday", "remind car"])
  }

  @Test func anEntityLivesOverMoreThanFiftyRuns() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let before = try await env.nowMs
    try await env.run(worker(env)) {
      let handle = try await env.client.start(
        Account.self, Account.State(day: 1, lastDay: 60), id: "e", taskQueue: "q")
      #expect(try await handle.result() == 60)
    }
    let days = (try await env.nowMs - before) / Self.day
    #expect(days == 60)
    #expect(try await env.client.countWorkflows("WorkflowId = 'e'").count == 60)
  }

  @Test func aCompensationThatFailsTwiceIsTriedAgainHoursLater() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let notes = Notes()
    var worker = worker(env, notes)
    worker.activity("charge") { (_, order: String) in
      notes.add("charge")
      return order
    }
    worker.activity("ship") { (_, _: String) -> String in
      notes.add("ship")
      throw ApplicationError("no parcel fits", type: "TooLarge", nonRetryable: true)
    }
    worker.activity("refund") { (_, order: String) -> String in
      guard notes.add("refund") == 3 else { throw ApplicationError("the bank is closed") }
      return "refunded \(order)"
    }
    let before = try await env.nowMs
    try await env.run(worker) {
      let handle = try await env.client.start(Saga.self, "o-1", id: "s", taskQueue: "q")
      #expect(try await handle.result() == "refunded o-1")
    }
    #expect(notes.all == ["charge", "ship", "refund", "refund", "refund"])
    let hours = (try await env.nowMs - before) / 3_600_000
    #expect(hours == 3, "one hour, then two")
  }

  /// In the night in which the clocks of a zone pass over 2:15, it comes when they go on (SCD-002).
  @Test(arguments: [
    ("Europe/Berlin", "3:0"), ("America/New_York", "3:0"), ("Australia/Lord_Howe", "2:30"),
  ])
  func aYearOfADailyScheduleKeepsItsLocalTime(_ zone: String, _ late: String) async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let notes = Notes()
    var worker = worker(env)
    worker.register(Daily.self)
    worker.activity("note") { (context, _: Nothing) in
      notes.add(context.idempotencyKey)
      return Nothing()
    }
    let first = try #require(Moment("2027-01-01T00:00:00Z"))
    try await env.sleep(for: .milliseconds(first.milliseconds - env.nowMs))
    let clock = ContinuousClock.now
    let began = try await env.run(worker) {
      _ = try await env.client.createSchedule(
        "s", WorkflowSchedule(crons: ["15 2 * * *"], timeZone: zone), starting: "Daily", Nothing(),
        taskQueue: "q")
      try await env.sleep(for: .seconds(366 * 86_400))
      var began: [Int64] = []
      for try await run in env.client.listWorkflows() { began.append(run.startTimeMs) }
      return began
    }
    print("\(zone): \(began.count) days took \(ContinuousClock.now - clock)")
    #expect(began.count == 366 && Set(notes.all).count == 366)
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: zone))
    var days: Set<DateComponents> = []
    var times: [String: Int] = [:]
    for ms in began {
      let date = Date(timeIntervalSince1970: Double(ms) / 1_000)
      let time = calendar.dateComponents([.hour, .minute], from: date)
      days.insert(calendar.dateComponents([.year, .month, .day], from: date))
      times["\(time.hour ?? 0):\(time.minute ?? 0)", default: 0] += 1
    }
    #expect(days.count == 366 && times == ["2:15": 365, late: 1], "\(times)")
  }

  @Test func lockedTimeDoesNotMoveForAnyClient() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    try await env.run(worker(env)) {
      let handle = try await env.client.start(Waits.self, 1, id: "w", taskQueue: "q")
      let before = try await env.nowMs
      let result = try await env.withAutoTimeSkippingDisabled {
        // It waits, and would let time skip.
        async let result = handle.result()
        try await timerRuns(env)
        let passed = try await env.nowMs - before
        #expect(passed < Self.day)
        try await env.sleep(for: .seconds(86_400))
        return try await result
      }
      #expect(Self.isAbout(1, result))
    }
  }

  @Test func ofTwoClientsOneLockHoldsBoth() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    let engine = ["--socket", env.socket]
    try await env.run(worker(env)) {
      let before = try await env.nowMs
      let other = try Client(socket: env.socket)
      let handle = try await env.client.start(Waits.self, 1, id: "w", taskQueue: "q")
      // Another client's waiting does not let time skip.
      async let elsewhere = other.handle("w", returning: Int64.self).result()
      try await timerRuns(env)
      let shown = try await holdfast(["time", "show"] + engine)
      #expect(shown.lines.contains { $0.hasPrefix("unlocked by") && $0.contains(" 0 ") })
      #expect(try await env.nowMs - before < Self.day)
      #expect(Self.isAbout(1, try await handle.result()))
      #expect(Self.isAbout(1, try await elsewhere))
    }
    let slept = try await holdfast(["time", "sleep", "--for", "2d"] + engine)
    #expect(slept.code == 0, "\(slept.errors)")
    let advanced = try await holdfast(["time", "advance", "--by", "1d", "-o", "json"] + engine)
    #expect(try advanced.documents().first?["currentTimeMs"] != nil, "\(advanced.errors)")
  }

  @Test func aSlowActivityHoldsTime() async throws {
    let env = try await TestEnvironment.startTimeSkipping(options)
    var worker = worker(env)
    worker.activity("charge") { (context, order: String) in
      try await Task.sleep(for: .milliseconds(300))
      return order
    }
    worker.activity("ship") { (_, order: String) in "shipped \(order)" }
    let before = try await env.nowMs
    try await env.run(worker) {
      // Its activities would time out after ten seconds.
      let handle = try await env.client.start(Saga.self, "o-1", id: "s", taskQueue: "q")
      #expect(try await handle.result() == "shipped o-1")
    }
    let passed = try await env.nowMs - before
    #expect(passed >= 300 && passed < 3_600_000, "neither skipped nor tried again")
  }

  @Test func timeGoesOnWhereItWasAfterAStartOfTheEngine() async throws {
    try await Scratch.directory { directory in
      var options = options
      options.database = directory + "/t.db"
      var now: Int64 = 0
      do {
        let env = try await TestEnvironment.startTimeSkipping(options)
        try await env.sleep(for: .seconds(30 * 86_400))
        now = try await env.nowMs
      }
      let env = try await TestEnvironment.startTimeSkipping(options)
      #expect(try await env.nowMs >= now)
    }
  }

  @Test func aLocalEnvironmentHasTheTimeOfTheMachine() async throws {
    let env = try await TestEnvironment.startLocal(options)
    let began = try await env.nowMs
    try await env.sleep(for: .milliseconds(20))
    #expect(try await env.nowMs >= began + 20)
    #expect(try await env.withAutoTimeSkippingDisabled { 7 } == 7)
    await #expect(throws: HoldfastError.self) { try await env.advanceTime(by: .seconds(1)) }
    let shown = try await holdfast(["time", "show", "--socket", env.socket])
    #expect(shown.code == 7 && shown.errors.contains("--time-skipping"))
  }

  @Test func anEnvironmentThatCannotStartSaysWhy() async throws {
    var wrong = options
    wrong.arguments = ["--no-such-option"]
    let options = wrong
    await #expect {
      _ = try await TestEnvironment.startTimeSkipping(options)
    } throws: { error in
      "\(error)".contains("--no-such-option")
    }
  }

  // MARK: - Serve

  @Test func theModeIsRefusedWhereItWouldDoHarm() async throws {
    let bare = try await holdfast(["serve", "--time-skipping"])
    #expect(bare.code == 64 && bare.errors.contains("--in-memory"))
    let service = try await holdfast(
      ["serve", "--time-skipping", "--in-memory"], environment: ["NOTIFY_SOCKET": "/run/none"])
    #expect(service.code == 78 && service.errors.contains("no service"))
    try await Scratch.directory { directory in
      let file = directory + "/config.toml"
      try "time_skipping = true\n".write(toFile: file, atomically: true, encoding: .utf8)
      let home = try await holdfast(
        ["serve", "--config", file], environment: ["XDG_STATE_HOME": directory])
      #expect(home.code == 78 && home.errors.contains("--db"))
    }
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    _ = try await client.start(Waits.self, 1, id: "w", taskQueue: "q")
    engine.kill()
    let real = try await holdfast([
      "serve", "--time-skipping", "--db", engine.database, "--socket", engine.socket,
    ])
    #expect(real.code == 78 && real.errors.contains("does not skip time"))
  }
}
