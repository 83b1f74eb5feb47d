import Basics
import EngineCore
import Glibc
import SQLiteStore
import Testing

@testable import Sidecar

@Suite struct StoreThreadTests {
  /// A store in a directory of its own.
  private final class Place {
    let directory: String
    var path: String { directory + "/holdfast.db" }

    init() {
      var template = Array("/tmp/holdfast-thread-XXXXXX".utf8CString)
      directory = String(cString: mkdtemp(&template))
    }

    deinit {
      for name in ["", "-wal", "-shm", ".lock", ".ballast"] { unlink(path + name) }
      rmdir(directory)
    }

    func open() throws -> (Store, OpenedStore) {
      var options = StoreOptions()
      options.ballastBytes = 4_096
      options.checkpointBytes = 40_000
      return try Store.open(path: path, options: options)
    }
  }

  private func start(_ number: Int64) -> [Write] {
    [
      .createRun(
        RunRow(
          number: RunNumber(number), namespace: "default", workflowID: "w\(number)",
          runID: RunID(high: UInt64(number), low: 7), workflowType: "order", taskQueue: "q",
          status: .running, startTime: Instant(ms: 1_000), closeTime: nil, historyLength: 0,
          historySizeBytes: 0, deadline: nil, summary: String(repeating: "s", count: 2_000)))
    ]
  }

  /// Waits until the store's thread has nothing to do.
  private func commitHere(_ thread: StoreThread, _ writes: [Write]) -> StoreThread.Answer {
    while true {
      if let answer = thread.commitHere(writes) { return answer }
      sched_yield()
    }
  }

  @Test func aCommitInPlaceIsDurable() throws {
    let place = Place()
    do {
      let thread = StoreThread(try place.open().0) {}
      thread.start()
      for number in 1...3 as ClosedRange<Int64> {
        guard case .persisted(_, let counters) = commitHere(thread, start(number)) else {
          Issue.record("not committed")
          continue
        }
        #expect(counters.commits == Int(number))
      }
      #expect(thread.commitsInPlace == 3)
      thread.stop()
    }
    let (store, _) = try place.open()
    for number in 1...3 as ClosedRange<Int64> {
      let load = Load(id: Load.ID(1), subject: .run(RunNumber(number)))
      guard case .run(let run, _) = try store.load(load).content else {
        Issue.record("run \(number) is not there")
        continue
      }
      #expect(run?.row.workflowID == "w\(number)")
    }
  }

  @Test func theThreadBringsALargeLogIntoTheFile() throws {
    let place = Place()
    let (store, _) = try place.open()
    let thread = StoreThread(store) {}
    thread.start()
    var number: Int64 = 0
    while !store.isCheckpointDue, number < 100, store.counters.checkpoints == 0 {
      number += 1
      _ = commitHere(thread, start(number))
      // While it waits, and has nothing to do, the store is nobody's.
      while !thread.orders.pause() { sched_yield() }
      thread.orders.resume()
    }
    #expect(store.counters.checkpoints == 1)
    #expect(!store.isCheckpointDue)
    thread.stop()
    #expect(thread.commitsInPlace == number)
  }

  @Test func whatWasReadIsTakenFirst() throws {
    let place = Place()
    let thread = StoreThread(try place.open().0) {}
    thread.start()
    thread.orders.put(.load(Load(id: Load.ID(1), subject: .letters(after: 0, countMax: 1))))
    while !thread.orders.pause() { sched_yield() }
    thread.orders.resume()
    if thread.commitHere(start(1)) != nil { Issue.record("committed before the load was taken") }
    #expect(thread.answers.takeAll().count == 1)
    guard case .persisted = commitHere(thread, start(1)) else {
      Issue.record("not committed")
      return
    }
    thread.stop()
  }

  @Test func whatIsOrderedComesFirst() throws {
    let thread = StoreThread(try Place().open().0) {}
    thread.orders.put(.commit(start(1)))
    if thread.commitHere(start(2)) != nil { Issue.record("before what was ordered") }
    #expect(thread.commitsInPlace == 0)
  }
}
