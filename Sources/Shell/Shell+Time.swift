import Basics
import EngineCore
import Messages
import Wire

/// Time that is skipped, for tests (`--time-skipping`): from event to event, while some connection
/// lets it and none holds it, and while nothing is under way.
extension Shell {
  var skipsTime: Bool { configuration.engine.skipsTime }

  /// The last moment to which time goes: the end of the year 9999.
  private static let lastTime = Instant(ms: 253_402_300_799_999)

  // MARK: - Requests

  mutating func take(
    _ wanted: TimeRequest, _ connection: Connection, _ stream: UInt64, _ method: Method,
    _ open: Open
  ) {
    guard skipsTime else {
      return end(
        connection, stream,
        .of(
          .failedPrecondition, .timeNotSkipped,
          "this engine's time is the machine's; for tests, start one with"
            + " `holdfast serve --time-skipping`"))
    }
    switch wanted {
    case .lock:
      connection.timeWill.locks += 1
      answer(connection, stream, LockTimeResponse())
    case .unlock(let request):
      if request.whileWaiting {
        connection.timeWill.skipsWhileWaiting = true
      } else {
        connection.timeWill.locks -= 1
      }
      answer(connection, stream, UnlockTimeResponse())
    case .get: wait(.zero, .get, .nothing, connection, stream, method, open)
    case .sleep(let request):
      wait(
        request.durationMs, .sleep, request.unlock ? .time : .nothing, connection, stream, method,
        open)
    case .advance(let request):
      wait(request.durationMs, .advance, .nothing, connection, stream, method, open)
    }
  }

  private mutating func wait(
    _ span: Span, _ kind: Sleepers.Kind, _ awaited: Connection.Awaited, _ connection: Connection,
    _ stream: UInt64, _ method: Method, _ open: Open
  ) {
    let time = clock.now + span
    guard span >= .zero, time <= Shell.lastTime else {
      return end(
        connection, stream,
        .of(
          .invalidArgument, .fieldInvalid,
          "duration_ms must not be negative, and end before the year 10000", "duration_ms"))
    }
    guard
      admit(connection, stream, .unary, method, open.message.count, awaited: awaited)
    else { return }
    let request = RequestID(connection: connection.id.value, stream: stream)
    setDeadline(of: request, open)
    sleepers.add(request, kind, until: time)
    if case .advance = kind { skip(to: time) }
  }

  // MARK: - Skipping

  /// Ends a turn: answers those whose time has come, and then, since there may be no further turn,
  /// skips to what happens next.
  mutating func passTime() {
    guard skipsTime else { return }
    wakeSleepers()
    if gate.isIdle, !engine.isBehind(at: clock.now), !engine.isBusy,
      let next = [engine.nextEvent, sleepers.next].compactMap({ $0 }).min(),
      next > clock.now, next <= Shell.lastTime, isTimeUnlocked
    {
      skip(to: next)
    }
  }

  /// Connections that hold time, and those that let it skip.
  private var timeWills: (holding: Int, letting: Int) {
    var (holding, letting) = (0, 0)
    for connection in connections.values {
      if connection.timeWill.holdsTime { holding += 1 }
      if connection.timeWill.letsTimeSkip { letting += 1 }
    }
    return (holding, letting)
  }

  private var isTimeUnlocked: Bool {
    let (holding, letting) = timeWills
    return holding == 0 && letting > 0
  }

  private mutating func skip(to time: Instant) {
    clock.skip(to: time)
    skippedIn = step(.timeSkipped(clock.skipped))
    engineDue()
  }

  /// Nobody is told of a time that a crash could take back, nor before what is due by then is done.
  private mutating func wakeSleepers() {
    guard gate.durable >= skippedIn, !engine.isBehind(at: clock.now) else { return }
    while let (request, kind) = sleepers.popDue(clock.now) {
      guard let connection = connections[ConnectionID(request.connection)] else { continue }
      switch kind {
      case .get: finish(connection, request, currentTime)
      case .sleep:
        var response = SleepResponse()
        response.currentTimeMs = clock.now
        finish(connection, request, response)
      case .advance:
        var response = AdvanceTimeResponse()
        response.currentTimeMs = clock.now
        finish(connection, request, response)
      }
    }
  }

  private mutating func finish(
    _ connection: Connection, _ request: RequestID, _ response: some Message
  ) {
    guard endStream(connection, request.stream) else { return }
    answer(connection, request.stream, response)
  }

  private var currentTime: GetTimeResponse {
    var response = GetTimeResponse()
    response.currentTimeMs = clock.now
    response.skippedMs = clock.skipped
    response.busyWorkflows = Int64(engine.busyRuns)
    let (holding, letting) = timeWills
    response.lockingConnections = Int64(holding)
    response.lettingConnections = Int64(letting)
    return response
  }
}

extension Method {
  /// Its answer waits for what a workflow does, or an activity without one.
  var awaitsWorkflow: Bool {
    switch self {
    case .workflowGetWorkflowResult, .workflowUpdateWorkflow, .workflowUpdateWithStartWorkflow,
      .workflowPollUpdate, .activityGetActivityResult:
      true
    default: false
    }
  }
}
