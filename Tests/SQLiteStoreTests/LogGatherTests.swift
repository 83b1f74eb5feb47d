import CSimDisk
import EngineCore
import Testing

@testable import SQLiteStore

@Suite struct LogGatherTests {
  /// A store on a simulated disk.
  private final class Machine {
    let disk: OpaquePointer
    private(set) var store: Store!

    init() throws {
      disk = try #require(sim_disk_new())
      try open()
    }

    deinit {
      store = nil
      sim_disk_free(disk)
    }

    private func open() throws {
      var options = StoreOptions()
      options.vfs = String(cString: sim_disk_name(disk))
      store = try Store.open(path: "log.db", options: options).0
    }

    func losePower() throws {
      sim_disk_stop(disk)
      store = nil
      sim_disk_lose_power(disk, 1)
      sim_disk_restart(disk)
      try open()
    }

    /// Writes and syncs that the commit has cost.
    func commit(_ writes: [Write]) throws -> Int64 {
      let before = sim_disk_operations(disk)
      try store.commit(writes)
      return sim_disk_operations(disk) - before
    }
  }

  private func start(_ number: Int64, bytes: Int = 10) -> [Write] {
    [
      .createRun(row(number, "w-\(number)")),
      append(number, 1, 1, String(repeating: "e", count: bytes)),
    ]
  }

  @Test func aCommitIsOneWriteAndOneSync() throws {
    let machine = try Machine()
    // The first one of a log also writes its header, and syncs that.
    _ = try machine.commit(start(1))
    for number in 2...5 as ClosedRange<Int64> {
      #expect(try machine.commit(start(number)) == 2)
    }
    try machine.losePower()
    for number in 1...5 as ClosedRange<Int64> { #expect(try run(machine.store, number) != nil) }
  }

  @Test func aLargeBatchTakesFewWrites() throws {
    let machine = try Machine()
    _ = try machine.commit(start(1))
    // 2.4 MB, of which 15 pages go at a time.
    let operations = try machine.commit((2...301).flatMap { start($0, bytes: 8_000) })
    #expect(operations > 600 / 15 && operations < 80, "\(operations)")
    try machine.losePower()
    #expect(try run(machine.store, 301) != nil)
    #expect(try machine.store.integrityFaults() == [])
  }

  /// Over the size of its cache SQLite writes pages before the commit, and reads them back.
  @Test func whatIsNotWrittenYetIsRead() throws {
    let machine = try Machine()
    var writes: [Write] = []
    for number in 1...1_500 as ClosedRange<Int64> { writes += start(number, bytes: 8_000) }
    for number in 1...1_500 as ClosedRange<Int64> where number % 7 != 0 {
      writes.append(.deleteRun(run: RunNumber(number)))
    }
    _ = try machine.commit(writes)
    try machine.losePower()
    #expect(try machine.store.integrityFaults() == [])
    for number in 1...1_500 as ClosedRange<Int64> {
      #expect(try (run(machine.store, number) != nil) == (number % 7 == 0))
    }
  }

  @Test func aFullDiskLeavesNothingBehind() throws {
    let machine = try Machine()
    _ = try machine.commit(start(1))
    sim_disk_set_full(machine.disk, 1)
    #expect {
      try machine.store.commit(start(2))
    } throws: { error in
      if case StoreError.full = error { true } else { false }
    }
    sim_disk_set_full(machine.disk, 0)
    #expect(try run(machine.store, 2) == nil)
    _ = try machine.commit(start(3))
    try machine.losePower()
    #expect(try run(machine.store, 2) == nil)
    #expect(try run(machine.store, 3) != nil)
    #expect(try machine.store.integrityFaults() == [])
  }

  @Test func aWriteThatFailsIsTold() throws {
    let machine = try Machine()
    _ = try machine.commit(start(1))
    sim_disk_fail_write(machine.disk, 0)
    #expect {
      try machine.store.commit(start(2))
    } throws: { error in
      if case StoreError.unknownOutcome = error { true } else { false }
    }
  }
}
