import Basics
import Messages

/// Why a history that a client sends is none, and where.
enum SentHistoryFault: Error {
  case broken(String)
  case tooLarge(String)
}

/// A history that comes from a client, part by part: cuts the bytes into events, and lets none pass
/// that cannot stand where it stands.
struct SentHistory {
  private let form: HistoryForm
  private let limits: EngineLimits
  /// Of an event that has not come whole.
  private var rest: [UInt8] = []
  /// In `rest` there is no end of a line before it.
  private var searched = 0
  /// Bytes and lines of the events that came whole.
  private var offset = 0
  private var lines = 0
  private(set) var lastEvent: Int64 = 0
  private(set) var started: WorkflowExecutionStarted?
  private var through: Int64 = 0
  /// The event that closed the run.
  private var closing: Int64 = 0

  var heldBytes: Int { rest.count }

  init(_ form: HistoryForm, _ limits: EngineLimits) {
    self.form = form
    self.limits = limits
  }

  /// The events that the part makes whole.
  mutating func take(_ data: [UInt8], more: Bool) throws(SentHistoryFault) -> [HistoryEvent] {
    rest += data
    guard offset + rest.count <= limits.sentHistoryBytesMax else {
      throw .tooLarge("it has more than \(limits.sentHistoryBytesMax) bytes")
    }
    var events: [HistoryEvent] = []
    var place = 0
    while let event = try next(&place, isLast: !more) {
      try check(event)
      events.append(event)
    }
    rest.removeFirst(place)
    searched -= min(searched, place)
    offset += place
    if !more { try checkEnd() }
    guard rest.count <= limits.sentEventBytesMax else {
      throw .tooLarge("event \(lastEvent + 1) has more than \(limits.sentEventBytesMax) bytes")
    }
    return events
  }

  private mutating func next(_ place: inout Int, isLast: Bool) throws(SentHistoryFault)
    -> HistoryEvent?
  {
    switch form {
    case .json: return try nextLine(&place, isLast: isLast)
    default: return try nextField(&place)
    }
  }

  // MARK: - Stored

  /// A HistoryBatch is its events, each with a tag and a length.
  private func nextField(_ place: inout Int) throws(SentHistoryFault) -> HistoryEvent? {
    guard place < rest.count else { return nil }
    guard rest[place] == 0x0A else {
      throw .broken("no event begins at byte \(offset + place), behind event \(lastEvent)")
    }
    var index = place + 1
    var length = 0
    var shift = 0
    while true {
      guard index < rest.count else { return nil }
      length |= Int(rest[index] & 0x7F) << shift
      shift += 7
      index += 1
      if rest[index - 1] < 0x80 { break }
      guard shift < 35 else { throw .broken("a length without an end at byte \(offset + place)") }
    }
    guard length <= limits.sentEventBytesMax else {
      throw .tooLarge("event \(lastEvent + 1) has \(length) bytes")
    }
    guard rest.count - index >= length else { return nil }
    do {
      let event = try HistoryEvent(bytes: Array(rest[index..<index + length]))
      place = index + length
      return event
    } catch { throw .broken("event \(lastEvent + 1), at byte \(offset + place): \(error)") }
  }

  // MARK: - JSON

  private mutating func nextLine(_ place: inout Int, isLast: Bool) throws(SentHistoryFault)
    -> HistoryEvent?
  {
    while place < rest.count {
      let from = max(place, searched)
      let end = rest[from...].firstIndex(of: UInt8(ascii: "\n"))
      searched = end.map { $0 + 1 } ?? rest.count
      if end == nil && !isLast { return nil }
      let line = rest[place..<(end ?? rest.count)]
      lines += 1
      place = end.map { $0 + 1 } ?? rest.count
      if !line.allSatisfy({ $0 <= 0x20 }) { return try event(of: line) }
    }
    return nil
  }

  private func event(of line: ArraySlice<UInt8>) throws(SentHistoryFault) -> HistoryEvent {
    guard let text = String(validating: line, as: UTF8.self) else {
      throw .broken("line \(lines) is not UTF-8")
    }
    do {
      return try HistoryEvent(json: text)
    } catch { throw .broken("line \(lines), column \(error.column): \(error.message)") }
  }

  // MARK: - What may stand where

  private mutating func check(_ event: HistoryEvent) throws(SentHistoryFault) {
    let id = event.eventID
    guard id == lastEvent + 1 else {
      let line = form == .json ? ", on line \(lines)" : ""
      throw .broken("event \(id) stands in the place of event \(lastEvent + 1)\(line)")
    }
    guard let attributes = event.attributes else {
      throw .broken("event \(id) is of a kind that this engine does not know")
    }
    guard closing == 0 else { throw .broken("event \(id) stands behind the end, event \(closing)") }
    guard id <= limits.historyEventsMax + Int64(limits.commandsMax) else {
      throw .tooLarge("it has more than \(id - 1) events")
    }
    switch attributes {
    case .workflowExecutionStarted(let started):
      guard id == 1 else { throw .broken("event \(id) is a second WorkflowExecutionStarted") }
      guard !started.workflowType.isEmpty else {
        throw .broken("event 1 names no workflow type")
      }
      self.started = started
    case .workflowTaskCompleted(let completed):
      guard through...id - 1 ~= completed.throughEventID, completed.commands >= 0 else {
        throw .broken(
          "event \(id) showed events up to \(completed.throughEventID), the one before it up to"
            + " \(through), and gave \(completed.commands) commands")
      }
      through = completed.throughEventID
    default:
      if event.closes { closing = id }
    }
    guard started != nil else {
      throw .broken("event 1 is not WorkflowExecutionStarted")
    }
    lastEvent = id
  }

  private func checkEnd() throws(SentHistoryFault) {
    guard rest.isEmpty else {
      throw .broken("it is cut off behind event \(lastEvent), within the next one")
    }
    guard lastEvent > 0 else { throw .broken("it holds no event") }
  }
}

extension HistoryEvent {
  /// The run ends with it.
  fileprivate var closes: Bool {
    switch attributes {
    case .workflowExecutionCompleted, .workflowExecutionFailed, .workflowExecutionTimedOut,
      .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionContinuedAsNew:
      true
    default: false
    }
  }
}
