import Basics
import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// Whatever a peer sends, the engine goes on, and what it sends is whole.
@Suite("Hostile peers") struct HostilePeerTests {
  /// Keeps what a history and a list are read from.
  private final class Store {
    private var rows: [RunRow] = []
    private var history: [RunNumber: [StoredBatch]] = [:]

    func apply(_ writes: [Write]) {
      for write in writes {
        switch write {
        case .createRun(let row): rows.append(row)
        case .appendHistory(let run, let first, let last, let bytes):
          history[run, default: []].append(StoredBatch(first: first, last: last, bytes: bytes))
        default: break
        }
      }
    }

    func answer(_ load: Load) -> Loaded.Content {
      switch load.subject {
      case .rows(_, _, let before, let countMax):
        let older = rows.reversed().filter { $0.number < before ?? RunNumber(.max) }
        return .rows(Array(older.prefix(countMax)))
      case .history(let run, let from, _):
        return .history((history[run] ?? []).filter { $0.last >= from }, more: false)
      case .deadlines: return .deadlines([])
      case .lifetimes: return .lifetimes([])
      default: return .run(nil, request: nil)
      }
    }
  }

  /// Frames that are right, or nearly so.
  private struct Writer {
    var random: SeededRandom

    mutating func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

    mutating func text() -> String { ["", "a", "b", "q", "order", "é"][Int(below(6))] }

    mutating func request() -> (Messages.Method, [UInt8]) {
      switch below(8) {
      case 0, 1:
        var request = StartWorkflowRequest()
        request.workflowID = text()
        request.workflowType = "order"
        request.taskQueue = "q"
        request.requestID = text()
        return (.workflowStartWorkflow, request.serialized())
      case 2:
        var request = SignalWorkflowRequest()
        request.execution = .named(text())
        request.signalName = text()
        return (.workflowSignalWorkflow, request.serialized())
      case 3:
        var request = GetHistoryRequest()
        request.execution = .named(text())
        request.follow = below(2) == 0
        return (.workflowGetHistory, request.serialized())
      case 4:
        var request = QueryWorkflowRequest()
        request.execution = .named(text())
        request.queryType = text()
        return (.workflowQueryWorkflow, request.serialized())
      case 5: return (.workerWork, work())
      case 6:
        var request = GetWorkflowResultRequest()
        request.execution = .named(text())
        return (.workflowGetWorkflowResult, request.serialized())
      default:
        // Any other one, but the end of the engine.
        let methods = Messages.Method.allCases.filter { $0 != .operatorDrain }
        return (methods[Int(below(UInt64(methods.count)))], [])
      }
    }

    mutating func work() -> [UInt8] {
      var request = WorkRequest()
      for _ in 0..<below(4) {
        var message = WorkerMessage()
        switch below(4) {
        case 0:
          var attach = Attach()
          attach.taskQueue = "q"
          attach.workflowTypes = ["order"]
          message.kind = .attach(attach)
        case 1:
          var grant = Grant()
          grant.workflowSlots = UInt32(truncatingIfNeeded: below(1 << 33))
          message.kind = .grant(grant)
        case 2:
          var completed = WorkflowTaskCompleted()
          completed.token = (0..<below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
          message.kind = .workflowTaskCompleted(completed)
        default: break
        }
        request.messages.append(message)
      }
      return request.serialized()
    }

    mutating func kind() -> Frame.Kind? {
      switch below(12) {
      case 0, 1, 2, 3, 4:
        let (method, message) = request()
        var open = Open()
        open.method = method.rawValue
        open.message = message
        open.end = below(8) != 0
        open.timeoutMs = Span(ms: Int64(below(40)) - 1)
        return .open(open)
      case 5:
        var message = StreamMessage()
        message.body = work()
        message.end = below(4) == 0
        return .message(message)
      case 6: return .cancel(Cancel())
      case 7:
        var credit = Credit()
        credit.messages = UInt32(truncatingIfNeeded: below(3) &* below(1 << 33))
        return .credit(credit)
      case 8: return .ping(Ping())
      case 9: return .pong(Pong())
      case 10: return below(20) == 0 ? .hello(Hello()) : .goAway(GoAway())
      default: return nil
      }
    }

    /// A frame; one of twenty with a byte changed, lost or added.
    mutating func bytes(_ stream: UInt64) -> [UInt8] {
      var frame = Frame()
      frame.stream = stream
      frame.kind = kind()
      var encoder = FrameEncoder()
      var bytes: [UInt8] = []
      encoder.append(frame, to: &bytes)
      guard below(20) == 0 else { return bytes }
      let place = Int(below(UInt64(bytes.count)))
      switch below(3) {
      case 0: bytes[place] ^= 1 << UInt8(below(8))
      case 1: bytes.remove(at: place)
      default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
      }
      return bytes
    }
  }

  /// Streams mostly grow; sometimes an old one is meant.
  private func stream(_ writer: inout Writer, _ last: inout UInt64) -> UInt64 {
    if writer.below(3) == 0 { return writer.below(last + 1) }
    last += 1
    return last
  }

  private func run(seed: UInt64, steps: Int) {
    var writer = Writer(random: SeededRandom(seed: seed))
    let store = Store()
    var peers = Peers { $0.limits.initialCredit = 1 }
    peers.loader = { store.answer($0) }
    peers.onCommit = { store.apply($0) }
    var number: UInt64 = 1
    var last: UInt64 = 0
    var id = peers.greeted(number)
    for step in 0..<steps {
      peers.send(id, writer.bytes(stream(&writer, &last)))
      if writer.below(50) == 0 { peers.advance(Int64(writer.below(30))) }
      if writer.below(100) == 0 { peers.disconnect(id) }
      if !peers.isConnected(id) {
        // A fault ends its connection only: another one is served.
        number += 1
        last = 0
        id = peers.greeted(number)
        peers.open(id, 1, Messages.Method.operatorHealth.rawValue)
        last = 1
        if peers.takeShort(id) != ["End 1 OK"] {
          Issue.record("seed \(seed), step \(step): the engine does not answer")
          return
        }
      }
      if peers.brokenBytes > 0 {
        Issue.record("seed \(seed), step \(step): the engine sent what is no frame")
        return
      }
    }
    #expect(number > 5, "some connections were at fault")
  }

  @Test func theEngineGoesOnWhateverAPeerSends() {
    let first = UInt64.random(in: 0...UInt64.max)
    print("HostilePeerTests: seeds \(first) and the 3 after it")
    for seed in 0..<4 as Range<UInt64> { run(seed: first &+ seed, steps: 5_000) }
  }
}
