import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// CRD of proto/README.md.
@Suite("Credit") struct CreditTests {
  /// How often the store has been asked.
  private final class Store {
    var slices: Int
    private(set) var asked = 0
    private var next: Int64 = 1_000_000

    init(slices: Int) { self.slices = slices }

    /// Full slices of rows, and in the end an empty one.
    func rows(_ countMax: Int) -> [RunRow] {
      asked += 1
      guard asked <= slices else { return [] }
      return (0..<countMax).map { _ in
        next -= 1
        return RunRow(
          number: RunNumber(next), namespace: "default", workflowID: "w\(next)",
          runID: RunID(high: 1, low: UInt64(next)), workflowType: "order", taskQueue: "q",
          status: .completed, startTime: .epoch, closeTime: .epoch, historyLength: 3,
          historySizeBytes: 100, deadline: nil, summary: "")
      }
    }

    /// One event at a time.
    func history(from: Int64) -> ([StoredBatch], more: Bool) {
      asked += 1
      var event = HistoryEvent()
      event.eventID = from
      var batch = HistoryBatch()
      batch.events = [event]
      return (
        [StoredBatch(first: from, last: from, bytes: batch.serialized())], from < Int64(slices)
      )
    }

    func answer(_ load: Load) -> Loaded.Content {
      switch load.subject {
      case .rows(_, _, _, let countMax): return .rows(rows(countMax))
      case .history(_, let from, _):
        let (batches, more) = history(from: from)
        return .history(batches, more: more)
      default: return .run(nil, request: nil)
      }
    }
  }

  enum Reading: String, CaseIterable {
    case list, history
  }

  /// A streamed answer of `slices` messages, begun on stream 2 with a credit of 2.
  private func begin(_ reading: Reading, slices: Int) -> (Peers, ConnectionID, Store) {
    var peers = Peers { $0.limits.initialCredit = 2 }
    let store = Store(slices: slices)
    peers.loader = { store.answer($0) }
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    _ = peers.take(id)
    switch reading {
    case .list: peers.call(id, 2, .workflowListWorkflows, ListWorkflowsRequest())
    case .history:
      var request = GetHistoryRequest()
      request.execution = .named("a")
      peers.call(id, 2, .workflowGetHistory, request)
    }
    return (peers, id, store)
  }

  private let one = "Message 2"

  @Test(arguments: Reading.allCases)
  func noMoreIsSentThanTheCreditAllows(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 10)
    #expect(peers.takeShort(id) == [one, one])
    #expect(store.asked == 2, "nothing is read ahead")
    peers.credit(id, 2, 3)
    #expect(peers.takeShort(id) == [one, one, one])
    peers.credit(id, 2, 1)
    #expect(peers.takeShort(id) == [one])
    peers.credit(id, 2, 100)
    #expect(peers.takeShort(id) == [one, one, one, one, "End 2 OK"])
  }

  @Test(arguments: Reading.allCases)
  func creditThatIsNotUsedAddsUp(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 10)
    _ = peers.take(id)
    peers.loader = nil
    for _ in 0..<3 { peers.credit(id, 2, 1) }
    #expect(peers.takeShort(id) == [], "the store is reading")
    peers.answerLoads { store.answer($0) }
    #expect(peers.takeShort(id) == [one, one, one])
  }

  @Test(arguments: Reading.allCases)
  func aCreditOfNothingAllowsNothingAndStopsNothing(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 10)
    _ = peers.take(id)
    peers.credit(id, 2, 0)
    #expect(peers.takeShort(id) == [])
    #expect(store.asked == 2)
    peers.credit(id, 2, 1)
    #expect(peers.takeShort(id) == [one])
  }

  @Test(arguments: Reading.allCases)
  func creditBeyondTheRangeIsTheMost(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 4)
    _ = peers.take(id)
    peers.loader = nil
    peers.credit(id, 2, .max)
    peers.credit(id, 2, .max)
    #expect(peers.takeShort(id) == [])
    peers.answerLoads { store.answer($0) }
    #expect(peers.takeShort(id) == [one, one, "End 2 OK"])
  }

  @Test(arguments: Reading.allCases)
  func theEndNeedsNoCredit(_ reading: Reading) {
    var (peers, id, _) = begin(reading, slices: 2)
    // A list learns from an empty slice that it is at its end: that takes a look more.
    if reading == .list { peers.credit(id, 2, 1) }
    #expect(peers.takeShort(id) == [one, one, "End 2 OK"])
  }

  @Test(arguments: Reading.allCases)
  func aReaderWithoutCreditCanBeCancelled(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 10)
    _ = peers.take(id)
    peers.send(id, stream: 2, .cancel(Cancel()))
    peers.credit(id, 2, 5)
    #expect(peers.takeShort(id) == ["End 2 CANCELLED UNSPECIFIED"])
    #expect(store.asked == 2)
  }

  @Test(arguments: Reading.allCases)
  func aReaderWhoseConnectionIsGoneReadsNoMore(_ reading: Reading) {
    var (peers, id, store) = begin(reading, slices: 10)
    peers.disconnect(id)
    peers.advance(60_000)
    #expect(store.asked == 2)
  }

  @Test func creditForAUnaryStreamMeansNothing() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.start(id, 1, "a")
    peers.awaitResult(id, 2, "a")
    peers.credit(id, 2, 5)
    peers.terminate(id, 3, "a")
    #expect(Set(peers.takeShort(id)) == ["End 1 OK", "End 2 OK", "End 3 OK"])
  }
}
