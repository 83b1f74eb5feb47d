import Basics
import CSQLite
import EngineCore
import Glibc

/// Puts a backup where an engine will open it.
public enum Restore {
  /// Enough that two restores hardly ever draw the same, and that a file may be restored from a
  /// restored one a few thousand times.
  public static let branchMax: UInt32 = 1 << 18

  /// Copies `source` to `target`, in a branch of its own; what the new file holds. At any crash the
  /// target is what it was before, or the whole of the backup.
  ///
  /// `branch`: by how many branches the restored store is moved from the one that it was taken of,
  /// from 1 on. That one may have gone on after the backup, and the same backup may be restored
  /// elsewhere: with numbers drawn at random no two of them give out the same leases.
  public static func copy(
    _ source: String, to target: String, overwrite: Bool, branch: UInt32
  ) throws(StoreError) -> StoreFile {
    var file = try StoreFile.inspect(source)
    let lock = try FileLock(for: target)
    defer { withExtendedLifetime(lock) {} }
    try makeRoom(target, besides: source, overwrite: overwrite)
    file.epoch = try next(file.epoch, branch, source)
    let partial = target + ".partial"
    do throws(StoreError) {
      try copyBytes(source, partial)
      try setEpoch(partial, file.epoch)
      try sync(partial)
    } catch {
      for name in ["", "-wal", "-shm"] { unlink(partial + name) }
      throw error
    }
    guard rename(partial, target) == 0 else { throw fault(target, "rename") }
    try Store.syncDirectory(of: target)
    return file
  }

  /// The first epoch of another branch. It is greater than any of the branch that is left.
  private static func next(_ epoch: UInt64, _ step: UInt32, _ path: String) throws(StoreError)
    -> UInt64
  {
    guard let next = Epoch.first(after: epoch, branches: step) else {
      throw .system(path: path, what: "it was restored too often: its epochs are used up")
    }
    return next
  }

  /// Lets nothing lie beside the target that would be taken for a part of the new file. What is
  /// there is brought to an end first: until the new file takes its place it has to be whole.
  private static func makeRoom(
    _ target: String, besides source: String, overwrite: Bool
  ) throws(StoreError) {
    var old = stat()
    var new = stat()
    let isThere = lstat(target, &old) == 0
    if isThere {
      guard overwrite else {
        throw .system(path: target, what: "it is there already; only with --force it is replaced")
      }
      guard old.st_mode & S_IFMT == S_IFREG, stat(source, &new) == 0,
        old.st_dev != new.st_dev || old.st_ino != new.st_ino
      else { throw .system(path: target, what: "it is no file that could be replaced") }
      try? endLog(of: target)
    }
    // What is damaged, or without its file, has no use for them.
    for beside in ["-wal", "-shm"] where unlink(target + beside) != 0 {
      guard errno == ENOENT else { throw fault(target + beside, "unlink") }
    }
    try Store.syncDirectory(of: target)
  }

  private static func endLog(of path: String) throws(StoreError) {
    let database = try Database(path: path, create: false)
    try Schema.recognize(database)
    try database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_checkpoint(TRUNCATE)")
  }

  private static func setEpoch(_ path: String, _ epoch: UInt64) throws(StoreError) {
    let database = try Database(path: path, create: false)
    try database.execute(
      "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;"
        + "UPDATE meta SET value = \(epoch) WHERE name = 'epoch'; COMMIT;"
        + "PRAGMA wal_checkpoint(TRUNCATE)")
    guard try database.query("SELECT value FROM meta WHERE name = 'epoch'") == Int64(epoch) else {
      throw .corrupt(path: path, what: "it has no epoch")
    }
  }

  // MARK: - Bytes

  private static func copyBytes(_ source: String, _ target: String) throws(StoreError) {
    let from = holdfast_open_file(source, O_RDONLY | O_CLOEXEC, 0)
    guard from >= 0 else { throw fault(source, "open") }
    defer { close(from) }
    unlink(target)
    let to = holdfast_open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard to >= 0 else { throw fault(target, "open") }
    defer { close(to) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(from, &buffer, buffer.count)
      guard count >= 0 else { throw fault(source, "read") }
      if count == 0 { return }
      var done = 0
      while done < count {
        let written = buffer[done..<count].withUnsafeBytes { write(to, $0.baseAddress, $0.count) }
        guard written > 0 else { throw fault(target, "write") }
        done += written
      }
    }
  }

  private static func sync(_ path: String) throws(StoreError) {
    let fd = holdfast_open_file(path, O_RDONLY | O_CLOEXEC, 0)
    guard fd >= 0 else { throw fault(path, "open") }
    defer { close(fd) }
    guard fsync(fd) == 0 else { throw fault(path, "fsync") }
  }

  private static func fault(_ path: String, _ what: String) -> StoreError {
    if errno == ENOSPC || errno == EDQUOT { return .full(path: path) }
    return .system(path: path, what: "\(what): \(String(cString: strerror(errno)))")
  }
}
