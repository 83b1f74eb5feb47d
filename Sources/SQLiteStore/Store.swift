import Basics
import CSQLite
import EngineCore
import Glibc

public struct StoreOptions: Sendable {
  /// Space kept back for a full disk; 0: none.
  public var ballastBytes = 16 << 20
  /// Deadlines that are told at the opening.
  public var deadlineWindow = 100_000
  /// A checkpoint begins at this size of the write-ahead log.
  public var checkpointBytes = 4 << 20
  /// The system's files of time zones.
  public var zoneDirectory = "/usr/share/zoneinfo"
  /// A VFS that was registered with SQLite, in place of the machine's files. The lock, the ballast
  /// and the directory belong to those, so there are none then.
  public var vfs: String?

  public init() {}
}

/// The engine's store: one SQLite file, one connection, used by one thread at a time.
///
/// `commit` makes a batch durable with one sync; `load` reads what every commit before it wrote.
public final class Store {
  let database: Database
  private let lock: FileLock?
  private var ballast: Ballast
  let options: StoreOptions
  private let writer: BatchWriter
  private let loader: Loader
  public internal(set) var counters = StoreCounters()

  /// Opens or makes the file and says what the engine needs to know of it. `path` nil: in memory,
  /// for as long as the process lives.
  public static func open(path: String?, options: StoreOptions = StoreOptions())
    throws(StoreError) -> (Store, OpenedStore)
  {
    guard let path else {
      let store = try Store(Database(path: ":memory:", create: true), nil, nil, options)
      return (store, try store.start())
    }
    if options.vfs != nil {
      let store = try Store(Database(storeAt: path, vfs: options.vfs), nil, nil, options)
      return (store, try store.start())
    }
    let lock = try FileLock(for: path)
    let isNew = access(path, F_OK) != 0
    let ballast = Ballast(path: path + ".ballast", byteCount: options.ballastBytes)
    let store = try Store(Database(storeAt: path, vfs: nil), lock, ballast, options)
    if isNew { try syncDirectory(of: path) }
    return (store, try store.start())
  }

  private init(
    _ database: Database, _ lock: FileLock?, _ ballast: Ballast?, _ options: StoreOptions
  ) throws(StoreError) {
    self.database = database
    self.lock = lock
    self.options = options
    self.ballast = ballast ?? Ballast(path: "", byteCount: 0)
    do throws(StoreError) {
      try Schema.prepare(database)
    } catch .full where ballast != nil {
      self.ballast.free()
      try Schema.prepare(database)
    }
    writer = try BatchWriter(database)
    loader = try Loader(database, ZoneDirectory(path: options.zoneDirectory))
  }

  /// Everything that an earlier process left in the log is brought into the file before anything
  /// is served: what cannot be checkpointed now could not be trusted later.
  private func start() throws(StoreError) -> OpenedStore {
    do throws(StoreError) {
      try bumpEpoch()
    } catch .full {
      ballast.free()
      try bumpEpoch()
    }
    if !ballast.isHeld { _ = ballast.take() }
    return try loader.opened(window: options.deadlineWindow)
  }

  public var path: String { database.path }

  /// What the next process would be told at its opening, in an epoch of its own; for a store in
  /// memory, which no other process can open.
  public func openAgain() throws(StoreError) -> OpenedStore {
    try bumpEpoch()
    return try loader.opened(window: options.deadlineWindow)
  }

  private func bumpEpoch() throws(StoreError) {
    try checkpoint(isTruncating: true)
    try database.execute(
      "BEGIN IMMEDIATE; UPDATE meta SET value = value + 1 WHERE name = 'epoch'; COMMIT")
  }

  static func syncDirectory(of path: String) throws(StoreError) {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let fd = holdfast_open_file(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard fd >= 0 else { throw .system(path: directory, what: "open: \(errorText)") }
    defer { close(fd) }
    guard fsync(fd) == 0 else { throw .system(path: directory, what: "fsync: \(errorText)") }
  }

  private static var errorText: String { String(cString: strerror(errno)) }

  // MARK: - Writing

  /// Makes the batch durable. `.full`: nothing was applied, free the ballast and try again. Any
  /// other error: whether it is durable is unknown, answer nothing and end the process.
  public func commit(_ writes: [Write]) throws(StoreError) {
    try writer.begin()
    do throws(StoreError) {
      for write in writes { try writer.apply(write) }
      try writer.commit()
    } catch {
      guard case .full = error else { throw error }
      // SQLite may have rolled back by itself.
      if sqlite3_get_autocommit(database.handle) == 0 { try database.execute("ROLLBACK") }
      throw error
    }
    counters.commits += 1
    counters.writes += writes.count
  }

  /// Gives the space that was kept back to the disk; true if there was any.
  public func freeBallast() -> Bool {
    let wasHeld = ballast.isHeld
    ballast.free()
    return wasHeld
  }

  /// Takes the space again; false while the disk is too full.
  public func restoreBallast() -> Bool { ballast.isHeld || ballast.take() }

  /// Brings the log into the file when it is large, or when there is nothing else to do. Errors
  /// mean what they mean for `commit`.
  public func checkpointIfNeeded(isIdle: Bool) throws(StoreError) {
    let bytes = walBytes
    guard isCheckpointDue || (isIdle && bytes > 0) else { return }
    do throws(StoreError) {
      try checkpoint(isTruncating: isIdle || bytes >= 4 * options.checkpointBytes)
      if isIdle { try database.execute("PRAGMA incremental_vacuum(64)") }
    } catch {
      // Tried again with the next one; the log only grows.
      guard case .full = error else { throw error }
    }
  }

  /// The log is so large that it should be brought into the file.
  public var isCheckpointDue: Bool { walBytes >= options.checkpointBytes }

  /// The size of the log; a page has a header of 24 bytes there.
  private var walBytes: Int { database.logPages * (4_096 + 24) }

  /// Under work the log's file keeps its size, unless a very large batch has made it so: to write
  /// over what is there a sync needs the pages alone, to make the file longer it needs the file
  /// system's own records, too, which take more writes than the pages do.
  private func checkpoint(isTruncating: Bool) throws(StoreError) {
    let began = Store.monotonicUs
    let mode = isTruncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
    let code = sqlite3_wal_checkpoint_v2(database.handle, nil, mode, nil, nil)
    guard code == SQLITE_OK else { throw database.error("checkpoint") }
    database.logPages = 0
    counters.checkpoints += 1
    counters.checkpointUsMax = max(counters.checkpointUsMax, Store.monotonicUs - began)
  }

  static var monotonicUs: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }

  // MARK: - Reading

  /// Reads what the load asks for; damage is part of the answer, any other error ends the process.
  public func load(_ load: Load) throws(StoreError) -> Loaded {
    counters.loads += 1
    return try loader.load(load)
  }

  /// Tables with rows of runs that are not there, or that have closed and have no use for them;
  /// empty, since a removal takes all of a run, and a close what only open ones have.
  public func leftovers() throws(StoreError) -> [String] {
    var found: [String] = []
    for table in ["history", "request", "activity", "state", "detail", "attribute", "permit"] {
      let rows = try database.query(
        "SELECT count(*) FROM \(table) WHERE run NOT IN (SELECT run FROM run)")
      if rows > 0 { found.append("\(rows) rows of \(table) belong to no run") }
    }
    for table in ["activity", "state", "permit"] {
      let rows = try database.query(
        "SELECT count(*) FROM \(table) JOIN run USING (run) WHERE close_ms IS NOT NULL")
      if rows > 0 { found.append("\(rows) rows of \(table) belong to closed runs") }
    }
    let copies = try database.query(
      "SELECT count(*) FROM copy WHERE run NOT IN (SELECT run FROM run)"
        + " AND base NOT IN (SELECT run FROM run)")
    if copies > 0 { found.append("\(copies) rows of copy belong to no run") }
    return found
  }

  /// Checks the whole file; empty if it is sound.
  public func integrityFaults() throws(StoreError) -> [String] { try database.integrityFaults() }
}

/// What the store counts.
public struct StoreCounters: Sendable {
  public var commits = 0
  public var writes = 0
  public var loads = 0
  public var checkpoints = 0
  public var checkpointUsMax: Int64 = 0
  public var backups = 0
  public var backupStepUsMax: Int64 = 0
}
