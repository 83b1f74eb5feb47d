import Foundation
import Holdfast

/// Work for an engine that is killed under it: workflows with activities on a worker process, and
/// workflows that wait for signals and for a completion by token, both from here. Everything that
/// it lists was acknowledged.
final class KillLoad: Sendable {
  struct Done {
    var marks: [String] = []
    var relays: [String] = []
  }

  /// Signals that each relay is sent, numbered.
  static let signals = 3
  let stop = Flag()
  /// Workflows whose result has come.
  let acknowledged = Count()
  /// Their ids.
  let names = Names()
  private let client: Client
  private let worker: RunningWorker
  private let tokens = Tokens()

  init(_ socket: String) throws {
    client = try Client(socket: socket)
    var worker = Worker(taskQueue: "driver", socket: socket)
    let tokens = tokens
    worker.register(Relay.self)
    worker.activity("give-away") { (context, _: Nothing) -> String in
      tokens.put(context.token, of: context.workflowID)
      throw CompletesElsewhere()
    }
    self.worker = RunningWorker(worker)
  }

  func end() { worker.stop() }

  func run() async throws -> Done {
    try await withThrowingTaskGroup(of: Done.self) { group in
      for lane in 0..<8 {
        group.addTask { [self] in
          var done = Done()
          while !stop.isSet {
            if lane < 5 {
              done.marks.append(try await mark("k-\(lane)-\(done.marks.count)"))
              names.add(done.marks.last ?? "")
            } else {
              done.relays.append(try await relay("r-\(lane)-\(done.relays.count)"))
              names.add(done.relays.last ?? "")
            }
            acknowledged.add()
          }
          return done
        }
      }
      var all = Done()
      for try await done in group {
        all.marks += done.marks
        all.relays += done.relays
      }
      return all
    }
  }

  private func mark(_ id: String) async throws -> String {
    let handle = try await client.start(
      type: "marks", 2, id: id, taskQueue: "q", returning: Int.self)
    let result = try await handle.result()
    guard result == 2 else { throw Wrong(id: id, result: "\(result)") }
    return id
  }

  private func relay(_ id: String) async throws -> String {
    let handle = try await client.start(Relay.self, Nothing(), id: id, taskQueue: "driver")
    for number in 1...KillLoad.signals { try await handle.signal("number", number) }
    try await client.activity(token: await tokens.token(of: id)).complete("by token")
    let result = try await handle.result()
    guard result == "1 2 3 by token" else { throw Wrong(id: id, result: result) }
    return id
  }

  struct Wrong: Error {
    let id: String
    let result: String
  }
}

/// Waits for its signals and for an activity that is completed from elsewhere.
private final class Relay: Workflow, @unchecked Sendable {
  private var numbers: [Int] = []
  init() {}

  static func handlers(_ handlers: inout Handlers<Relay>) {
    handlers.signal("number") { (relay, number: Int) in relay.numbers.append(number) }
  }

  func run(_ context: WorkflowContext, _ input: Nothing) async throws -> String {
    let word: String = try await context.activity(
      "give-away", Nothing(), options: ActivityOptions(startToClose: .seconds(600)))
    try await context.wait { self.numbers.count == KillLoad.signals }
    return (numbers.map(String.init) + [word]).joined(separator: " ")
  }
}

final class Names: @unchecked Sendable {
  private let lock = NSLock()
  private var names: [String] = []
  var all: [String] { lock.withLock { names } }
  func add(_ name: String) { lock.withLock { names.append(name) } }
}

/// The tokens of attempts by workflow, for those who wait for them.
final class Tokens: @unchecked Sendable {
  private let lock = NSLock()
  private var known: [String: [UInt8]] = [:]
  private var waiting: [String: CheckedContinuation<[UInt8], Never>] = [:]

  func put(_ token: [UInt8], of workflowID: String) {
    lock.withLock { () -> CheckedContinuation<[UInt8], Never>? in
      known[workflowID] = token
      return waiting.removeValue(forKey: workflowID)
    }?.resume(returning: token)
  }

  func token(of workflowID: String) async -> [UInt8] {
    await withCheckedContinuation { continuation in
      lock.withLock { () -> [UInt8]? in
        if let token = known[workflowID] { return token }
        waiting[workflowID] = continuation
        return nil
      }.map { continuation.resume(returning: $0) }
    }
  }
}
