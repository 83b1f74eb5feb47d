import CSQLite
import Glibc

/// Why there is no backup, in words for who asked for it.
public enum BackupError: Error, Sendable, Equatable {
  /// Something has the name already.
  case exists(String)
  /// The path is none where a backup may be written.
  case refused(String)
  /// The disk of the backup, or the store's own.
  case full(String)
  case failed(String)
}

/// The file of a backup. It is written as PATH.partial, and has its own name only when it is whole
/// and durable: what a crash leaves never looks like a backup.
///
/// Its calls may wait for a disk as long as that takes, so they are no calls for the store's
/// thread.
public final class BackupFile: Sendable {
  public let path: String
  /// Without symbolic links, for SQLite.
  public let partialPath: String
  private let name: String
  private let replaces: Bool
  private let directory: Int32
  private let fd: Int32

  private var partial: String { name + ".partial" }
  /// What the engine keeps beside a store's file.
  private static let besides = ["", "-wal", "-shm", ".lock", ".ballast"]

  /// Makes `path`.partial. `overwrite`: an earlier backup may have the name. `store`: the engine's
  /// own file, of which no part may be hit.
  public init(path: String, overwrite: Bool, store: String) throws(BackupError) {
    let (folder, name) = BackupFile.split(path)
    guard path.hasPrefix("/"), !name.isEmpty, name != ".", name != ".." else {
      throw .refused("'\(path)' is not the absolute path of a file")
    }
    directory = holdfast_open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard directory >= 0 else {
      throw .refused("the directory '\(folder)': \(BackupFile.errorText)")
    }
    self.path = path
    self.name = name
    replaces = overwrite
    do throws(BackupError) {
      guard let real = realpath(folder, nil) else {
        throw .refused("the directory '\(folder)': \(BackupFile.errorText)")
      }
      defer { free(real) }
      let base = String(cString: real)
      partialPath = (base == "/" ? "" : base) + "/" + name + ".partial"
      try BackupFile.check(directory, name, path, overwrite: overwrite, store: store)
      fd = try BackupFile.make(directory, name + ".partial", path)
    } catch {
      close(directory)
      throw error
    }
  }

  deinit {
    close(fd)
    close(directory)
  }

  // MARK: - Before

  private static func check(
    _ directory: Int32, _ name: String, _ path: String, overwrite: Bool, store: String
  ) throws(BackupError) {
    let (ownFolder, ownName) = split(store)
    var own = stat()
    var here = stat()
    if fstat(directory, &here) == 0, stat(ownFolder, &own) == 0, own.isSame(here),
      besides.contains(where: { name == ownName + $0 || name + ".partial" == ownName + $0 })
    {
      throw .refused("'\(path)' is the engine's own file: choose another name")
    }
    // A log that lies beside the name would be taken for the backup's own.
    guard fstatat(directory, name + "-wal", &here, AT_SYMLINK_NOFOLLOW) != 0 else {
      throw .refused("'\(path)-wal' is there: '\(path)' is in use, or was not closed well")
    }
    guard fstatat(directory, name, &here, AT_SYMLINK_NOFOLLOW) == 0 else {
      guard errno == ENOENT else { throw .refused("'\(path)': \(errorText)") }
      return
    }
    guard overwrite else {
      throw .exists("'\(path)' is there already: choose another name, or allow to overwrite it")
    }
    guard here.st_mode & S_IFMT == S_IFREG, stat(store, &own) != 0 || !own.isSame(here),
      isBackup(directory, name)
    else { throw .refused("'\(path)' is no backup of Holdfast: it is not replaced") }
    guard !isServed(directory, name) else { throw .refused("an engine uses '\(path)'") }
  }

  /// The head of the file says whose it is.
  private static func isBackup(_ directory: Int32, _ name: String) -> Bool {
    let fd = holdfast_open_file_at(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
    guard fd >= 0 else { return false }
    defer { close(fd) }
    var head = [UInt8](repeating: 0, count: 100)
    guard read(fd, &head, head.count) == head.count else { return false }
    let application = head[68..<72].reduce(0) { $0 << 8 | Int64($1) }
    return head.starts(with: "SQLite format 3\0".utf8) && application == Schema.applicationID
  }

  private static func isServed(_ directory: Int32, _ name: String) -> Bool {
    let fd = holdfast_open_file_at(
      directory, name + ".lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0)
    guard fd >= 0 else { return false }
    defer { close(fd) }
    return flock(fd, LOCK_EX | LOCK_NB) != 0
  }

  /// Takes over what a crash has left, but nothing that somebody writes to, or that is not ours.
  private static func make(
    _ directory: Int32, _ partial: String, _ path: String
  ) throws(BackupError) -> Int32 {
    let fd = holdfast_open_file_at(
      directory, partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    guard fd >= 0 else {
      let isFull = errno == ENOSPC || errno == EDQUOT
      let text = "'\(path).partial': \(errorText)"
      throw isFull ? .full(text) : .refused(text)
    }
    var file = stat()
    var named = stat()
    guard fstat(fd, &file) == 0, file.st_mode & S_IFMT == S_IFREG, file.st_nlink == 1,
      file.st_uid == geteuid()
    else {
      close(fd)
      throw .refused("'\(path).partial' is there and is not the engine's: remove it")
    }
    guard flock(fd, LOCK_EX | LOCK_NB) == 0,
      fstatat(directory, partial, &named, AT_SYMLINK_NOFOLLOW) == 0, named.isSame(file)
    else {
      close(fd)
      throw .refused("another backup is written to '\(path)'")
    }
    guard fchmod(fd, 0o600) == 0, ftruncate(fd, 0) == 0 else {
      close(fd)
      throw .failed("'\(path).partial': \(errorText)")
    }
    return fd
  }

  // MARK: - Meanwhile

  /// Waits until what was written so far is with the disk, so that the end is not a long wait.
  public func writeOut() { holdfast_write_out(fd) }

  // MARK: - After

  /// Makes the file durable and gives it its name; how many bytes it has.
  public func finish() throws(BackupError) -> Int64 {
    do throws(BackupError) {
      guard fsync(fd) == 0 else { throw fault("fsync") }
      try rename()
      guard fsync(directory) == 0 else { throw fault("fsync of its directory") }
    } catch {
      discard()
      throw error
    }
    var file = stat()
    return fstat(fd, &file) == 0 ? Int64(file.st_size) : 0
  }

  private func rename() throws(BackupError) {
    if !replaces {
      if holdfast_rename_new(directory, partial, name) == 0 { return }
      if errno == EEXIST { throw .exists("'\(path)' has come to be there meanwhile") }
      // Some file systems know only the plain one.
      guard errno == EINVAL || errno == ENOSYS else { throw fault("rename") }
    }
    guard renameat(directory, partial, directory, name) == 0 else { throw fault("rename") }
  }

  /// Removes what there is of it.
  public func discard() { unlinkat(directory, partial, 0) }

  private func fault(_ what: String) -> BackupError {
    let text = "'\(path)': \(what): \(BackupFile.errorText)"
    return errno == ENOSPC || errno == EDQUOT ? .full(text) : .failed(text)
  }

  private static var errorText: String { String(cString: strerror(errno)) }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.index(after: slash)...]))
  }
}

extension stat {
  fileprivate func isSame(_ other: stat) -> Bool {
    st_dev == other.st_dev && st_ino == other.st_ino
  }
}
