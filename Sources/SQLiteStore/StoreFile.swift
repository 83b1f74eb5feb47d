import Basics
import CSQLite
import EngineCore
import Glibc
import Messages

/// What a store's file holds that no engine uses: a backup, or what an engine has left.
public struct StoreFile: Sendable, Equatable {
  public var format: Int64 = 0
  public var epoch: UInt64 = 0
  public var bytes: Int64 = 0
  public var runs: Int64 = 0
  public var openRuns: Int64 = 0
  public var schedules: Int64 = 0
  /// Of all histories.
  public var events: Int64 = 0
  public var newestEvent = Instant(ms: 0)

  /// Reads the whole file and checks every page, checksum and history, without a trace in the file
  /// or beside it.
  public static func inspect(_ path: String) throws(StoreError) -> StoreFile {
    guard access(path, F_OK) == 0 else {
      throw .system(path: path, what: String(cString: strerror(errno)))
    }
    var log = stat()
    guard stat(path + "-wal", &log) != 0 || log.st_size == 0 else {
      throw .system(
        path: path,
        what: "'\(path)-wal' belongs to it: an engine uses it, or has left it in the middle; start"
          + " and end an engine on it, or take a backup")
    }
    let database = try Database(readingOnly: path)
    try Schema.recognize(database)
    var file = StoreFile()
    file.format = try database.query("PRAGMA user_version")
    let pages = try database.query("PRAGMA page_count")
    file.bytes = pages * (try database.query("PRAGMA page_size"))
    for fault in try database.integrityFaults() { throw .corrupt(path: path, what: fault) }
    file.epoch = UInt64(try database.query("SELECT value FROM meta WHERE name = 'epoch'"))
    file.runs = try database.query("SELECT count(*) FROM run")
    file.openRuns = try database.query("SELECT count(*) FROM run WHERE close_ms IS NULL")
    if file.format >= 2 { file.schedules = try database.query("SELECT count(*) FROM schedule") }
    try file.readHistories(database)
    try file.checkRows(database)
    return file
  }

  private mutating func readHistories(_ database: Database) throws(StoreError) {
    let statement = try Statement(
      database, "SELECT run, first, last, checksum, bytes FROM history ORDER BY run, first")
    var run: Int64 = 0
    var last: Int64 = 0
    while try statement.step() {
      if statement.int(0) != run { (run, last) = (statement.int(0), 0) }
      let first = statement.int(1)
      let bytes = statement.bytes(4)
      guard first == last + 1, Checksum.of(bytes, run: run, place: first) == statement.int(3),
        let batch = try? HistoryBatch(bytes: bytes)
      else {
        throw .corrupt(
          path: database.path, what: "the history of run#\(run) after event \(last)")
      }
      last = statement.int(2)
      events += last - first + 1
      if let time = batch.events.last?.eventTimeMs { newestEvent = max(newestEvent, time) }
    }
  }

  /// The other rows with a checksum: table, run, place.
  private static let rows: [(table: String, run: String, place: String, format: Int64)] = [
    ("state", "run", "through_event", 1), ("activity", "run", "scheduled_event", 1),
    ("detail", "run", "0", 2), ("letter", "0", "letter", 2), ("schedule", "0", "schedule", 2),
    ("schedule_progress", "0", "-schedule", 2), ("batch_job", "0", "batch_job", 2),
    ("batch_job_progress", "0", "-batch_job", 2), ("permit", "run", "0", 2),
  ]

  private func checkRows(_ database: Database) throws(StoreError) {
    for row in StoreFile.rows where format >= row.format {
      let statement = try Statement(
        database, "SELECT \(row.run), \(row.place), checksum, bytes FROM \(row.table)")
      while try statement.step() {
        let (run, place) = (statement.int(0), statement.int(1))
        guard Checksum.of(statement.bytes(3), run: run, place: place) == statement.int(2) else {
          throw .corrupt(
            path: database.path,
            what: "\(row.table) \(run) \(place) does not match its checksum")
        }
      }
    }
  }
}

extension Database {
  /// As a file that does not change: without locks, and without a log beside it.
  convenience init(readingOnly path: String) throws(StoreError) {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-".utf8)
    var uri = "file:"
    for byte in path.utf8 {
      if plain.contains(byte) {
        uri.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16)
        uri += (digits.count == 1 ? "%0" : "%") + digits
      }
    }
    try self.init(
      name: uri + "?immutable=1", path: path, vfs: nil,
      flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI)
  }

  /// Checks every page; empty if they are sound.
  func integrityFaults() throws(StoreError) -> [String] {
    let statement = try Statement(self, "PRAGMA integrity_check")
    var faults: [String] = []
    while try statement.step() { faults.append(statement.text(0)) }
    return faults == ["ok"] ? [] : faults
  }
}
