import Basics
import Messages
import Testing

@testable import SimKit
@testable import TemporalShape

/// Our histories in Temporal's shape, and the rules of that shape.
@Suite("Temporal's shape") struct ShapeTests {
  private static func history(_ attributes: [HistoryEvent.Attributes]) -> [HistoryEvent] {
    attributes.enumerated().map { index, attributes in
      var event = HistoryEvent()
      event.eventID = Int64(index) + 1
      event.attributes = attributes
      return event
    }
  }

  private static func turn(_ through: Int64, _ commands: Int32) -> HistoryEvent.Attributes {
    var completed = WorkflowTaskCompletedEvent()
    completed.throughEventID = through
    completed.commands = commands
    return .workflowTaskCompleted(completed)
  }

  private static func signal(_ name: String) -> HistoryEvent.Attributes {
    var signal = WorkflowExecutionSignaled()
    signal.signalName = name
    return .workflowExecutionSignaled(signal)
  }

  private static func timer(_ seq: UInt32) -> HistoryEvent.Attributes {
    var timer = TimerStarted()
    timer.seq = seq
    timer.timerID = "\(seq)"
    return .timerStarted(timer)
  }

  private static func fired(_ seq: UInt32, of started: Int64) -> HistoryEvent.Attributes {
    var fired = TimerFired()
    fired.seq = seq
    fired.timerID = "\(seq)"
    fired.startedEventID = started
    return .timerFired(fired)
  }

  private static func canceled(_ seq: UInt32, of started: Int64) -> HistoryEvent.Attributes {
    var canceled = TimerCanceled()
    canceled.seq = seq
    canceled.startedEventID = started
    return .timerCanceled(canceled)
  }

  private static let started = HistoryEvent.Attributes.workflowExecutionStarted(
    WorkflowExecutionStarted())
  private static let done = HistoryEvent.Attributes.workflowExecutionCompleted(
    WorkflowExecutionCompleted())

  /// `kind source`, in order.
  private static func short(_ events: [ShapedEvent]) -> [String] {
    events.map { "\($0.kind.rawValue) \($0.source)" }
  }

  @Test func whatCameWhileATaskWasOutStandsBehindItsCommands() {
    // The signal b came after the task had begun, and before its end.
    let history = Self.history([
      Self.started, Self.signal("a"), Self.signal("b"), Self.turn(2, 1), Self.timer(1),
      Self.turn(3, 1), Self.done,
    ])
    let events = Projection(history).events
    #expect(
      Self.short(events) == [
        "1 1", "26 2", "5 4", "6 4", "7 4", "17 5", "26 3", "5 6", "6 6", "7 6", "2 7",
      ])
    #expect(events.map(\.id) == Array(1...11))
    #expect(events[5].workflowTaskCompletedEventID == 5)
    #expect(events[10].workflowTaskCompletedEventID == 10)
    #expect(events[9].scheduledEventID == 8 && events[9].startedEventID == 9)
    #expect(ShapeRules.faults(in: events) == [])
  }

  @Test func aFiringThatTheCodeDidNotSeeBeforeItCancelledIsNone() {
    let history = Self.history([
      Self.started, Self.turn(1, 2), Self.timer(1), Self.timer(2), Self.signal("a"),
      Self.fired(1, of: 3), Self.turn(5, 1), Self.canceled(1, of: 3), Self.fired(2, of: 4),
      Self.turn(9, 0),
    ])
    let events = Projection(history).events
    #expect(
      Self.short(events) == [
        "1 1", "5 2", "6 2", "7 2", "17 3", "17 4", "26 5", "5 7", "6 7", "7 7", "19 8", "18 9",
        "5 10", "6 10", "7 10",
      ])
    #expect(events[10].startedEventID == 5 && events[11].startedEventID == 6)
    #expect(ShapeRules.faults(in: events) == [])
  }

  @Test func aCancelOfNothingHasNoPlace() {
    var request = ActivityTaskCancelRequested()
    request.seq = 7
    let history = Self.history([
      Self.started, Self.turn(1, 3), Self.canceled(1, of: 0), .activityTaskCancelRequested(request),
      Self.timer(1),
    ])
    let events = Projection(history).events
    #expect(Self.short(events) == ["1 1", "5 2", "6 2", "7 2", "17 5"])
    #expect(ShapeRules.faults(in: events) == [])
  }

  @Test func eachProjectionIsTheBeginningOfTheNext() {
    var failed = WorkflowTaskFailed()
    failed.cause = .workerFailure
    let history = Self.history([
      Self.started, .workflowTaskFailed(failed), Self.signal("a"), Self.turn(3, 1), Self.timer(1),
      Self.fired(1, of: 5), Self.signal("b"), .workflowTaskTimedOut(WorkflowTaskTimedOut()),
      Self.turn(6, 0), .workflowExecutionTerminated(WorkflowExecutionTerminated()),
    ])
    var before: [ShapedEvent] = []
    for length in 1...history.count {
      let events = Projection(history.prefix(length)).events
      #expect(events.starts(with: before), "up to event \(length)")
      #expect(ShapeRules.faults(in: events) == [])
      before = events
    }
    #expect(
      Self.short(before) == [
        "1 1", "5 2", "6 2", "9 2", "26 3", "5 4", "6 4", "7 4", "17 5", "5 8", "6 8", "8 8",
        "18 6", "5 9", "6 9", "7 9", "26 7", "27 10",
      ])
  }

  @Test func eachRuleSeesWhatBreaksIt() {
    let good = Projection(
      Self.history([
        Self.started, Self.turn(1, 1), Self.timer(1), Self.fired(1, of: 3), Self.turn(4, 1),
        Self.done,
      ])
    ).events
    #expect(ShapeRules.faults(in: good) == [])
    // Started, task (2, 3, 4), TimerStarted 5, TimerFired 6, task (7, 8, 9), Completed 10.
    for place in good.indices.dropLast() {
      var events = good
      events.remove(at: place)
      let renumbered = ShapeTests.renumbered(events)
      #expect(ShapeRules.faults(in: events) != [], "without event \(place + 1)")
      #expect(ShapeRules.faults(in: renumbered) != [], "without event \(place + 1), renumbered")
    }
    for place in good.indices.dropFirst() {
      var events = good
      events.swapAt(place - 1, place)
      let renumbered = ShapeTests.renumbered(events)
      #expect(ShapeRules.faults(in: renumbered) != [], "events \(place) and \(place + 1) swapped")
    }
    let twice = good + [good[9].renumbered(11)]
    #expect(
      ShapeRules.faults(in: twice) == [
        "event 11, workflowExecutionCompleted of 6, stands behind the end, event 10"
      ])
    var again = good[..<6] + [good[5].renumbered(7)]
    #expect(
      ShapeRules.faults(in: Array(again)) == [
        "event 7, timerFired of 4, ends nothing that waits, event 5"
      ])
    again[5].startedEventID = 4
    #expect(ShapeRules.faults(in: Array(again[..<6])).count == 1)
  }

  private static func renumbered(_ events: [ShapedEvent]) -> [ShapedEvent] {
    events.enumerated().map { index, event in event.renumbered(Int64(index) + 1) }
  }

  @Test func aHistoryWithoutTheShapeIsSeen() {
    let bench = CheckerBench(HistoriesProject())
    bench.make(1)
    #expect(bench.found == [])
    bench.add(1, .signal("r1"))
    bench.add(1, Self.turn(2, 1), Self.timer(1))
    #expect(bench.found == [])
    bench.add(1, Self.turn(4, 1), Self.fired(7, of: 6))
    #expect(bench.found.count == 1)
  }
}

extension ShapedEvent {
  fileprivate func renumbered(_ id: Int64) -> ShapedEvent {
    var event = ShapedEvent(id: id, kind: kind, source: source)
    event.scheduledEventID = scheduledEventID
    event.startedEventID = startedEventID
    event.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    event.initiatedEventID = initiatedEventID
    return event
  }
}
