import Foundation
import Harness
import Messages
import Testing

/// A few requests, one after the other, each of which is a commit: what faults are put under, one
/// write or sync after the other.
struct DiskScript {
  /// Part of every id, so that one store takes many scripts.
  let name: String

  enum Step: CaseIterable {
    case startLarge, signal, startSmall, signalWithLargeArgument, terminate
  }

  /// The events that the first workflow has when so many steps are done.
  static let lengths = [0, 1, 2, 2, 3, 4]

  private func request(_ step: Step) -> (Messages.Method, [UInt8]) {
    switch step {
    case .startLarge: return (.workflowStartWorkflow, start("a", bytes: 150_000))
    case .startSmall: return (.workflowStartWorkflow, start("b", bytes: 10))
    case .signal: return (.workflowSignalWorkflow, signal(bytes: 10, "s1"))
    case .signalWithLargeArgument: return (.workflowSignalWorkflow, signal(bytes: 15_000, "s2"))
    case .terminate:
      var request = TerminateWorkflowRequest()
      request.execution = execution
      request.requestID = "\(name)-t"
      return (.workflowTerminateWorkflow, request.serialized())
    }
  }

  private var execution: WorkflowExecution {
    var execution = WorkflowExecution()
    execution.workflowID = "\(name)-a"
    return execution
  }

  private func payload(_ bytes: Int) -> Payload {
    var payload = Payload()
    payload.encoding = "binary/plain"
    payload.data = [UInt8](repeating: 1, count: bytes)
    return payload
  }

  private func start(_ id: String, bytes: Int) -> [UInt8] {
    var request = StartWorkflowRequest()
    request.workflowID = "\(name)-\(id)"
    request.workflowType = "T"
    request.taskQueue = "nobodys"
    request.requestID = "\(name)-\(id)"
    request.input = [payload(bytes)]
    return request.serialized()
  }

  private func signal(bytes: Int, _ requestID: String) -> [UInt8] {
    var request = SignalWorkflowRequest()
    request.execution = execution
    request.signalName = "s"
    request.requestID = "\(name)-\(requestID)"
    request.input = [payload(bytes)]
    return request.serialized()
  }

  /// The steps up to the first one that gets no answer; how many were acknowledged. Where the disk
  /// is full a start is refused: it is sent again until it is taken.
  func run(_ engine: EngineProcess) async throws -> Int {
    // An answer that waits for space waits for the test too, which may get few turns.
    let peer = try await RawPeer(engine.socket, patience: 60)
    try peer.hello()
    var done = 0
    for step in Step.allCases {
      let (method, message) = request(step)
      while true {
        guard let end = try? peer.call(method.rawValue, message) else { return done }
        if end.status?.reason == .diskFull { continue }
        #expect(end.status == nil, "\(name), \(step): \(end.status?.message ?? "")")
        break
      }
      done += 1
    }
    return done
  }

  /// What the store knows of the first workflow: gap-free, and as long as it should be.
  func length(_ engine: EngineProcess) throws -> Int {
    let events = try #require(EngineFigures(engine.socket)).history("\(name)-a") ?? []
    #expect(events.map(\.eventID) == (0..<Int64(events.count)).map { $0 + 1 }, "\(name)")
    return events.count
  }
}
