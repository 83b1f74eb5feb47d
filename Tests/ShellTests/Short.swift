import Basics
import EngineCore
import Messages

@testable import Shell

extension Frame {
  /// The frame in a few words: `End 3 NOT_FOUND WORKFLOW_NOT_FOUND`.
  var short: String {
    switch kind {
    case .welcome: "Welcome"
    case .goAway(let goAway):
      goAway.code == .ok
        ? "GoAway OK last \(goAway.lastStream)"
        // The text begins with the reason's name.
        : "GoAway \(goAway.code.name) \(goAway.message.prefix { $0 != ":" })"
    case .message: "Message \(stream)"
    case .end(let end):
      end.status.map { "End \(stream) \($0.code.name) \($0.reason.name)" } ?? "End \(stream) OK"
    case .ping(let ping): "Ping \(ping.id)"
    case .pong(let pong): "Pong \(pong.id)"
    case .hello, .open, .cancel, .credit, nil: "a frame that only clients send"
    }
  }

  var status: Status? {
    if case .end(let end) = kind { end.status } else { nil }
  }
}

extension Peers {
  /// What the connection was sent since it was last asked, in a few words each.
  mutating func takeShort(_ id: ConnectionID) -> [String] { take(id).map(\.short) }

  /// A connection that has been welcomed.
  mutating func greeted(_ number: UInt64, uid: UInt32 = 0) -> ConnectionID {
    let id = connect(number, uid: uid)
    greet(id)
    _ = take(id)
    return id
  }

  mutating func open(
    _ id: ConnectionID, _ stream: UInt64, _ method: String, _ message: [UInt8] = [],
    end: Bool = true, timeoutMs: Int64 = 0
  ) {
    var open = Open()
    open.method = method
    open.message = message
    open.end = end
    open.timeoutMs = Span(ms: timeoutMs)
    send(id, stream: stream, .open(open))
  }

  mutating func credit(_ id: ConnectionID, _ stream: UInt64, _ messages: UInt32) {
    var credit = Credit()
    credit.messages = messages
    send(id, stream: stream, .credit(credit))
  }

  mutating func ping(_ id: ConnectionID, _ number: UInt64) {
    var ping = Ping()
    ping.id = number
    send(id, .ping(ping))
  }

  /// Waits for the end of a workflow that runs on.
  mutating func awaitResult(
    _ id: ConnectionID, _ stream: UInt64, _ workflowID: String, timeoutMs: Int64 = 0
  ) {
    var request = GetWorkflowResultRequest()
    request.execution = WorkflowExecution.named(workflowID)
    call(id, stream, .workflowGetWorkflowResult, request, timeoutMs: timeoutMs)
  }

  mutating func terminate(_ id: ConnectionID, _ stream: UInt64, _ workflowID: String) {
    var request = TerminateWorkflowRequest()
    request.execution = WorkflowExecution.named(workflowID)
    call(id, stream, .workflowTerminateWorkflow, request)
  }
}

extension WorkflowExecution {
  static func named(_ workflowID: String) -> WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    return execution
  }
}
