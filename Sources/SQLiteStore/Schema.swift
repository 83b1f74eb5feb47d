import Basics
import CSQLite

/// The tables, and how a file of an earlier format becomes one of this.
enum Schema {
  /// The newest format that this engine writes.
  static var format: Int64 { Int64(migrations.count) }
  /// "hold" in ASCII: tells our files from others.
  static let applicationID: Int64 = 0x686F_6C64

  /// Step n turns a file of format n into one of format n + 1.
  static var migrations: [String] {
    #if MUTANTS
      if let step = spoilingStep { return [first, second, third, step] }
    #endif
    return [first, second, third]
  }

  private static let first =
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('epoch', 0);
    CREATE TABLE run (
      run INTEGER PRIMARY KEY,
      namespace TEXT NOT NULL,
      workflow_id TEXT NOT NULL,
      run_id BLOB NOT NULL,
      workflow_type TEXT NOT NULL,
      task_queue TEXT NOT NULL,
      status INTEGER NOT NULL,
      start_ms INTEGER NOT NULL,
      close_ms INTEGER,
      history_length INTEGER NOT NULL,
      history_bytes INTEGER NOT NULL,
      deadline INTEGER,
      summary TEXT NOT NULL
    ) STRICT;
    CREATE INDEX run_by_workflow ON run (namespace, workflow_id);
    CREATE INDEX run_by_deadline ON run (deadline) WHERE deadline IS NOT NULL;
    CREATE TABLE history (
      run INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (run, first)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE state (
      run INTEGER PRIMARY KEY,
      through_event INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE activity (
      run INTEGER NOT NULL,
      scheduled_event INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (run, scheduled_event)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE request (
      run INTEGER NOT NULL,
      key BLOB NOT NULL,
      hash INTEGER NOT NULL,
      event INTEGER NOT NULL,
      PRIMARY KEY (run, key)
    ) STRICT, WITHOUT ROWID;
    """

  /// Of what kind runs are; namespaces; what runs say of themselves and the names of search
  /// attributes; limits of task queues and of workflow types, and which runs have what of these
  /// (all of them are read at a start); letters from run to run; schedules, and the time zones that
  /// they and cron schedules of workflows use; batch jobs; which runs began as copies of others, by
  /// resets and forks.
  private static let second =
    """
    ALTER TABLE run ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE detail (
      run INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE attribute (
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      run INTEGER NOT NULL,
      PRIMARY KEY (name, value, run)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE namespace (
      name TEXT PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE attribute_name (
      namespace TEXT NOT NULL,
      name TEXT NOT NULL,
      type INTEGER NOT NULL,
      PRIMARY KEY (namespace, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE queue_limits (
      namespace TEXT NOT NULL,
      task_queue TEXT NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (namespace, task_queue)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE workflow_type_limits (
      namespace TEXT NOT NULL,
      workflow_type TEXT NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (namespace, workflow_type)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE permit (
      run INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE letter (
      letter INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE zone (
      name TEXT PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE schedule (
      schedule INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE schedule_progress (
      schedule INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE batch_job (
      batch_job INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE batch_job_progress (
      batch_job INTEGER PRIMARY KEY,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE copy (
      run INTEGER PRIMARY KEY,
      base INTEGER NOT NULL,
      event INTEGER NOT NULL,
      reset_to BLOB NOT NULL
    ) STRICT;
    CREATE INDEX copy_by_base ON copy (base);
    """

  /// What lists show of open runs that are not in memory and that somebody should look at.
  private static let third =
    """
    ALTER TABLE run ADD COLUMN problems TEXT NOT NULL DEFAULT '';
    """

  /// Brings the file to this format; refuses one that a newer engine wrote, unchanged.
  static func prepare(_ database: Database) throws(StoreError) {
    // A file that is refused keeps its bytes: its log too, which a close would bring into it.
    holdfast_checkpoint_on_close(database.handle, 0)
    let found = try database.query("PRAGMA user_version")
    let tables = try database.query("SELECT count(*) FROM sqlite_schema")
    try recognize(database, mayBeNew: tables == 0)
    #if MUTANTS
      if Mutant.isOn(.oldFileIsRefused), tables > 0, found < format {
        throw .foreign(path: database.path)
      }
    #endif
    holdfast_checkpoint_on_close(database.handle, 1)
    if tables == 0 {
      try database.execute("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL")
    }
    try database.execute("PRAGMA locking_mode = EXCLUSIVE")
    guard try database.queryText("PRAGMA journal_mode = WAL").lowercased() != "delete" else {
      throw .system(path: database.path, what: "write-ahead logging is not available here")
    }
    try database.execute(
      "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
        + "PRAGMA cache_size = -8192")
    database.watchLog()
    guard try database.query("PRAGMA synchronous") == 2 else {
      throw .system(path: database.path, what: "synchronous=FULL was not taken")
    }
    #if MUTANTS
      if Mutant.isOn(.syncsLess) { try database.execute("PRAGMA synchronous = NORMAL") }
    #endif
    if found < format {
      try database.execute("BEGIN IMMEDIATE")
      for step in Int(found)..<Int(format) { try database.execute(migrations[step]) }
      try database.execute(
        "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(format); COMMIT")
    }
  }
}

extension Schema {
  /// Refuses what is not ours, or of a newer format.
  static func recognize(_ database: Database, mayBeNew: Bool = false) throws(StoreError) {
    let application = try database.query("PRAGMA application_id")
    let found = try database.query("PRAGMA user_version")
    guard application == applicationID || (application == 0 && mayBeNew) else {
      throw .foreign(path: database.path)
    }
    guard found <= format else {
      throw .newerFormat(path: database.path, found: found, known: format)
    }
  }
}

#if MUTANTS
  extension Schema {
    /// An engine of the next format, which does harm to what it finds in files of this one; a new
    /// file holds nothing yet that it could harm.
    private static var spoilingStep: String? {
      switch Mutant.chosen {
      case .oldFileIsRefused: "SELECT 1"
      case .oldStateIsDamaged: "UPDATE state SET bytes = CAST(bytes || x'00' AS BLOB)"
      case .oldActivitiesAreLost: "DELETE FROM activity"
      default: nil
      }
    }
  }
#endif

/// Guards stored bytes against damage and against rows that change places.
enum Checksum {
  static func of(_ bytes: UnsafeRawBufferPointer, run: Int64, place: Int64) -> Int64 {
    let content = Fingerprint(of: bytes).low
    return Int64(bitPattern: content ^ key(run, place))
  }

  private static func key(_ run: Int64, _ place: Int64) -> UInt64 {
    let key = UInt64(bitPattern: run) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(bitPattern: place)
    return key &* 0xC2B2_AE3D_27D4_EB4F
  }

  /// The same bytes, right or wrong, as those of another run.
  static func moved(_ checksum: Int64, from: Int64, to: Int64, place: Int64) -> Int64 {
    checksum ^ Int64(bitPattern: key(from, place) ^ key(to, place))
  }

  static func of(_ bytes: [UInt8], run: Int64, place: Int64) -> Int64 {
    bytes.withUnsafeBytes { of($0, run: run, place: place) }
  }
}
