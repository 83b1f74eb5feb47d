import Basics
import EngineCore
import Glibc
import Messages
import Testing

@testable import SQLiteStore

/// A run with a history that can be read, of so many bytes.
private func start(_ number: Int64, bytes: Int = 2_000) -> [Write] {
  var started = WorkflowExecutionStarted()
  started.workflowID = "o-\(number)"
  started.identity = String(repeating: "x", count: bytes)
  var event = HistoryEvent()
  event.eventID = 1
  event.eventTimeMs = Instant(ms: 1_700_000_000_000 + number)
  event.attributes = .workflowExecutionStarted(started)
  var batch = HistoryBatch()
  batch.events = [event]
  return [
    .createRun(row(number, "o-\(number)")),
    .appendHistory(run: RunNumber(number), first: 1, last: 1, bytes: batch.serialized()),
  ]
}

private func contents(_ path: String) -> [UInt8] {
  let fd = open(path, O_RDONLY)
  guard fd >= 0 else { return [] }
  defer { close(fd) }
  var bytes = [UInt8](repeating: 0, count: 1 << 22)
  return Array(bytes[..<max(0, read(fd, &bytes, bytes.count))])
}

private func put(_ path: String, _ bytes: [UInt8]) {
  let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  defer { close(fd) }
  #expect(write(fd, bytes, bytes.count) == bytes.count)
}

private func names(in directory: String) -> Set<String> {
  guard let stream = opendir(directory) else { return [] }
  defer { closedir(stream) }
  var found: Set<String> = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    found.insert(name)
  }
  return found.subtracting([".", ".."])
}

/// A store with some runs, and a name for its backup in another directory.
private final class Bench {
  let place = Place()
  let other = Place()
  let store: Store
  var path: String { other.directory + "/b.db" }

  init(runs: Int64 = 40) throws {
    store = try Store.open(path: place.path, options: place.options).0
    if runs > 0 { for number in 1...runs { try store.commit(start(number)) } }
  }

  deinit { for name in names(in: other.directory) { unlink(other.directory + "/" + name) } }

  func file(_ path: String? = nil, overwrite: Bool = false) throws -> BackupFile {
    try BackupFile(path: path ?? self.path, overwrite: overwrite, store: place.path)
  }

  /// A whole backup under its name.
  func backUp(overwrite: Bool = false) throws {
    let file = try file(overwrite: overwrite)
    let backup = try store.backup(into: file.partialPath)
    while try !backup.step() {}
    _ = try file.finish()
  }

  func refusal(_ path: String? = nil, overwrite: Bool = false) -> BackupError? {
    do throws(BackupError) {
      _ = try BackupFile(path: path ?? self.path, overwrite: overwrite, store: place.path)
      return nil
    } catch { return error }
  }

  func isRefused(_ path: String? = nil, overwrite: Bool = false) -> Bool {
    if case .refused = refusal(path, overwrite: overwrite) { true } else { false }
  }
}

@Suite("Backups of a store") struct BackupTests {
  /// Each pause between two commits is long enough for three pages.
  @Test func aCopyIsTheStoreAtItsLastStep() throws {
    let bench = try Bench()
    let file = try bench.file()
    var backup: Backup? = try bench.store.backup(into: file.partialPath)
    var number: Int64 = 40
    while try backup?.step(pages: 3) == false {
      number += 1
      // Old pages change as well as new ones.
      try bench.store.commit(
        start(number) + [.setStatus(run: RunNumber(number % 40 + 1), .paused)])
      if number % 16 == 0 { try bench.store.checkpointIfNeeded(isIdle: true) }
    }
    #expect(number > 50)
    let digest = try bench.store.digest()
    backup = nil
    try bench.store.commit(start(number + 1))
    #expect(try file.finish() > 40 * 2_000)
    let copy = try Store.examine(bench.path, vfs: nil)
    #expect(copy.faults == [])
    #expect(copy.digest == digest)
    #expect(try bench.store.digest() != digest)
    #expect(bench.store.counters.backups == 1)
  }

  @Test func aBackupHasItsNameOnlyAtItsEnd() throws {
    let bench = try Bench()
    let file = try bench.file()
    let backup = try bench.store.backup(into: file.partialPath)
    #expect(try !backup.step(pages: 2))
    #expect(names(in: bench.other.directory) == ["b.db.partial"])
    while try !backup.step() {}
    #expect(names(in: bench.other.directory) == ["b.db.partial"])
    let bytes = try file.finish()
    #expect(names(in: bench.other.directory) == ["b.db"])
    var facts = stat()
    #expect(stat(bench.path, &facts) == 0)
    #expect(facts.st_mode & 0o777 == 0o600)
    #expect(Int64(facts.st_size) == bytes)
  }

  @Test func whatIsGivenUpLeavesNothing() throws {
    let bench = try Bench()
    let file = try bench.file()
    let backup = try bench.store.backup(into: file.partialPath)
    #expect(try !backup.step(pages: 2))
    file.discard()
    #expect(names(in: bench.other.directory) == [])
  }

  @Test func theEnginesOwnFilesAreRefused() throws {
    let bench = try Bench(runs: 1)
    let link = bench.other.directory + "/link"
    #expect(symlink(bench.place.directory, link) == 0)
    for overwrite in [false, true] {
      for suffix in ["", "-wal", "-shm", ".lock", ".ballast"] {
        #expect(bench.isRefused(bench.place.path + suffix, overwrite: overwrite), "\(suffix)")
        #expect(bench.isRefused("\(link)/holdfast.db\(suffix)", overwrite: overwrite))
      }
      let hard = bench.other.directory + "/hard.db"
      unlink(hard)
      #expect(Glibc.link(bench.place.path, hard) == 0)
      #expect(bench.refusal(hard, overwrite: overwrite) != nil)
    }
    #expect(try bench.store.integrityFaults() == [])
  }

  @Test func pathsWhereNothingCanBeAreRefused() throws {
    let bench = try Bench(runs: 1)
    let directory = bench.other.directory
    put(directory + "/file", [1])
    for path in [
      "b.db", "./b.db", "", "/", directory + "/", directory + "/..", directory + "/no/b.db",
      directory + "/file/b.db", directory + "/" + String(repeating: "x", count: 250),
    ] { #expect(bench.isRefused(path), "\(path)") }
    #expect(names(in: directory) == ["file"])
  }

  @Test func onlyABackupIsReplacedAndOnlyWhenAllowed() throws {
    let bench = try Bench()
    let text = Array("not a database".utf8)
    put(bench.path, text)
    guard case .exists = bench.refusal() else { Issue.record("it exists"); return }
    #expect(bench.isRefused(overwrite: true))
    #expect(contents(bench.path) == text)
    unlink(bench.path)
    #expect(symlink("/dev/null", bench.path) == 0)
    #expect(bench.isRefused(overwrite: true))
    unlink(bench.path)

    try bench.backUp()
    try bench.store.commit(start(41))
    try bench.backUp(overwrite: true)
    #expect(try StoreFile.inspect(bench.path).runs == 41)
    // A log beside it would be taken for its own.
    put(bench.path + "-wal", [1])
    #expect(bench.isRefused(overwrite: true))
    unlink(bench.path + "-wal")
    let (other, _) = try Store.open(path: bench.path, options: bench.other.options)
    withExtendedLifetime(other) { #expect(bench.isRefused(overwrite: true)) }
  }

  @Test func aNameThatComesMeanwhileIsNotTaken() throws {
    let bench = try Bench()
    let file = try bench.file()
    let backup = try bench.store.backup(into: file.partialPath)
    while try !backup.step() {}
    put(bench.path, [1])
    #expect(throws: BackupError.self) { try file.finish() }
    #expect(contents(bench.path) == [1])
    #expect(names(in: bench.other.directory) == ["b.db"])
  }

  @Test func whatACrashHasLeftIsTakenOverAndNothingElse() throws {
    let bench = try Bench()
    let partial = bench.path + ".partial"
    put(partial, [UInt8](repeating: 7, count: 100_000))
    try bench.backUp()
    #expect(try StoreFile.inspect(bench.path).runs == 40)
    unlink(bench.path)
    put(bench.other.directory + "/victim", [1])
    #expect(symlink(bench.other.directory + "/victim", partial) == 0)
    #expect(bench.isRefused())
    unlink(partial)
    #expect(link(bench.other.directory + "/victim", partial) == 0)
    #expect(bench.isRefused())
    unlink(partial)
    #expect(mkfifo(partial, 0o600) == 0)
    #expect(bench.isRefused())
    unlink(partial)
    #expect(contents(bench.other.directory + "/victim") == [1])
    let first = try bench.file()
    withExtendedLifetime(first) { #expect(bench.isRefused(), "one writes to it") }
  }
}

@Suite("Restored stores") struct RestoreTests {
  private func restore(
    _ bench: Bench, overwrite: Bool = false, branch: UInt32 = 5
  ) throws -> StoreFile {
    try Restore.copy(
      bench.path, to: bench.other.directory + "/r.db", overwrite: overwrite, branch: branch)
  }

  @Test func itHoldsWhatTheBackupHoldsInABranchOfItsOwn() throws {
    let bench = try Bench()
    try bench.backUp()
    let before = contents(bench.path)
    let file = try StoreFile.inspect(bench.path)
    #expect(file.runs == 40 && file.openRuns == 40 && file.events == 40 && file.epoch == 1)
    #expect(file.newestEvent == Instant(ms: 1_700_000_000_040))
    var restored = try restore(bench)
    #expect(contents(bench.path) == before)
    #expect(names(in: bench.other.directory) == ["b.db", "r.db", "r.db.lock"])
    #expect(restored.epoch == 5 << 24)
    restored.epoch = file.epoch
    #expect(restored == file)
    let path = bench.other.directory + "/r.db"
    let (store, opened) = try Store.open(path: path, options: bench.other.options)
    #expect(opened.epoch == 5 << 24 + 1)
    #expect(try store.integrityFaults() == [])
    #expect(try run(store, 40) != nil)
  }

  @Test func branchesEndBeforeTheNumbersOfJSON() throws {
    #expect(Epoch.first(after: 7, branches: 1) == 1 << 24)
    #expect(Epoch.first(after: 3 << 24 + 9, branches: 2) == 5 << 24)
    #expect(Epoch.first(after: 0, branches: 1 << 29) == nil)
    #expect(try #require(Epoch.first(after: 0, branches: 1 << 29 - 1)) < 1 << 53)
  }

  @Test func whatIsThereIsReplacedOnlyByForce() throws {
    let bench = try Bench()
    try bench.backUp()
    let path = bench.other.directory + "/r.db"
    try autoreleased {
      let (old, _) = try Store.open(path: path, options: bench.other.options)
      try old.commit(start(1) + start(2))
      #expect(throws: StoreError.self, "it is in use") { try restore(bench, overwrite: true) }
    }
    let before = contents(path)
    #expect(throws: StoreError.self) { try restore(bench) }
    #expect(contents(path) == before)
    #expect(try restore(bench, overwrite: true).runs == 40)
    #expect(try StoreFile.inspect(path).runs == 40)
  }

  private func autoreleased(_ body: () throws -> Void) throws { try body() }

  /// A log that an engine has left belongs to the file that is replaced.
  @Test func anOldLogIsNotTakenForTheNewFiles() throws {
    let bench = try Bench()
    try bench.backUp()
    let path = bench.other.directory + "/r.db"
    let old = Place()
    let (store, _) = try Store.open(path: old.path, options: old.options)
    for number in 1...30 as ClosedRange<Int64> { try store.commit(start(number)) }
    put(path, contents(old.path))
    put(path + "-wal", contents(old.path + "-wal"))
    #expect(contents(path + "-wal").count > 60_000)
    #expect(throws: StoreError.self, "it is no backup") { try StoreFile.inspect(path) }
    _ = try restore(bench, overwrite: true)
    #expect(!names(in: bench.other.directory).contains("r.db-wal"))
    #expect(try StoreFile.inspect(path).runs == 40)
  }

  @Test func aDamagedBackupIsRefusedAndNothingIsMade() throws {
    let bench = try Bench()
    try bench.backUp()
    let whole = contents(bench.path)
    var seen = 0
    for place in stride(from: 4_096 + 100, to: whole.count - 64, by: 4_096) {
      var bytes = whole
      for offset in 0..<64 { bytes[place + offset] ^= 0xFF }
      put(bench.path, bytes)
      // What lies in no row is not missed.
      guard (try? StoreFile.inspect(bench.path)) == nil else { continue }
      seen += 1
      #expect(throws: StoreError.self) { try restore(bench) }
      #expect(names(in: bench.other.directory) == ["b.db"])
    }
    #expect(seen > 20)
    for count in [0, 50, 4_096, whole.count / 2, whole.count - 4_096] {
      put(bench.path, Array(whole[..<count]))
      #expect(throws: StoreError.self, "\(count) bytes") { try restore(bench) }
    }
    put(bench.path, Array("x".utf8))
    #expect(throws: StoreError.self) { try restore(bench) }
    #expect(names(in: bench.other.directory) == ["b.db"])
  }

  @Test func aChangedHistoryIsSeen() throws {
    let bench = try Bench()
    try bench.backUp()
    var bytes = contents(bench.path)
    let mark = Array(String(repeating: "x", count: 64).utf8)
    let place = try #require(
      (0..<bytes.count - 64).first { Array(bytes[$0..<$0 + 64]) == mark })
    bytes[place] = UInt8(ascii: "y")
    put(bench.path, bytes)
    guard case .corrupt(_, let what) = fault(bench.path) else {
      Issue.record("it is damaged")
      return
    }
    #expect(what.hasPrefix("the history of run#"))
  }

  private func fault(_ path: String) -> StoreError? {
    do throws(StoreError) {
      _ = try StoreFile.inspect(path)
      return nil
    } catch { return error }
  }

  @Test func inspectionLeavesNoTraceAndTakesAnyName() throws {
    let bench = try Bench(runs: 3)
    try bench.backUp()
    let odd = bench.other.directory + "/a b%3F?c#ä.db"
    #expect(rename(bench.path, odd) == 0)
    #expect(chmod(odd, 0o400) == 0)
    #expect(try StoreFile.inspect(odd).runs == 3)
    #expect(names(in: bench.other.directory) == ["a b%3F?c#ä.db"])
  }
}
