import Glibc
internal import Messages

/// The history of a workflow run, to be replayed: exported, or read from an engine.
///
///     holdfast workflow show --id o-1 -o json > o-1.json
public struct WorkflowHistory: Sendable {
  public let workflowID: String
  public let runID: String
  public let workflowType: String
  /// How many events it holds.
  public let length: Int
  let execution: WorkflowExecution
  /// As GetHistory answers it.
  let stored: [UInt8]

  /// What `holdfast workflow show -o json` prints: one event a line.
  public init(json text: String) throws {
    var events: [HistoryEvent] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy(\.isWhitespace) {
      do throws(JSONError) {
        events.append(try HistoryEvent(json: String(line)))
      } catch {
        throw HistoryFormatError(line: index + 1, column: error.column, message: error.message)
      }
    }
    try self.init(events)
  }

  /// A file of what `holdfast workflow show -o json` prints.
  public init(contentsOf path: String) throws {
    guard let file = fopen(path, "r") else {
      throw HistoryFormatError(
        line: 0, column: 0, message: "\(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 {
      bytes += piece[..<count]
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw HistoryFormatError(line: 0, column: 0, message: "\(path): it is not UTF-8")
    }
    try self.init(json: text)
  }

  init(_ events: [HistoryEvent]) throws {
    guard case .workflowExecutionStarted(let started)? = events.first?.attributes else {
      throw HistoryFormatError(
        line: 1, column: 1, message: "a history begins with WorkflowExecutionStarted")
    }
    var execution = WorkflowExecution()
    execution.workflowID = started.workflowID
    execution.runID = started.runID
    // A reset or a fork begins with the events of its base, and says then what it is itself.
    for case .workflowTaskFailed(let failed) in events.lazy.compactMap(\.attributes) {
      execution = failed.copy?.execution ?? execution
    }
    var batch = HistoryBatch()
    batch.events = events
    stored = batch.serialized()
    length = events.count
    workflowID = execution.workflowID
    runID = execution.runID.description
    workflowType = started.workflowType
    self.execution = execution
  }
}

/// A text that is no exported history, and where.
public struct HistoryFormatError: Error, Sendable, CustomStringConvertible {
  /// From 1; 0 where the text as a whole is meant.
  public let line: Int
  /// In bytes, from 1.
  public let column: Int
  public let message: String

  public var description: String {
    line == 0 ? message : "line \(line), column \(column): \(message)"
  }
}

extension Client {
  /// The history of a run, as far as it has come; nil: of the workflow's newest run.
  public func history(of workflowID: String, runID: String? = nil) async throws -> WorkflowHistory {
    var request = GetHistoryRequest()
    request.execution = handle(workflowID, runID: runID, returning: Nothing.self).ownExecution
    var events: [HistoryEvent] = []
    for part in try await stream(.workflowGetHistory, request) {
      events += try HistoryBatch(bytes: part).events
    }
    return try WorkflowHistory(events)
  }
}
