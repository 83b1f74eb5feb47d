import CSQLite
import Glibc

/// Says that a store's file is ours for as long as it lives. A file of its own is locked, because
/// closing any descriptor of the database would drop SQLite's locks on it.
final class FileLock {
  private let fd: Int32

  init(for path: String) throws(StoreError) {
    let lockPath = path + ".lock"
    fd = holdfast_open_file(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if fd < 0 && errno == ENOENT {
      throw .system(
        path: path, what: "its directory does not exist: make it, or choose another --db")
    }
    guard fd >= 0 else {
      throw .system(path: lockPath, what: "open: \(String(cString: strerror(errno)))")
    }
    // The descriptor is closed by `deinit`, which follows a throw once every field is set.
    guard flock(fd, LOCK_EX | LOCK_NB) == 0 else { throw .inUse(path: path) }
  }

  deinit { if fd >= 0 { close(fd) } }
}

/// Space kept back, so that a full disk does not end the engine: freed, it lets completions go on.
struct Ballast {
  let path: String
  let byteCount: Int
  private(set) var isHeld = false

  init(path: String, byteCount: Int) {
    self.path = path
    self.byteCount = byteCount
  }

  /// Takes the space, if there is enough and a little beyond; false otherwise.
  mutating func take() -> Bool {
    guard byteCount > 0 else { return true }
    let fd = holdfast_open_file(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard fd >= 0 else { return false }
    defer { close(fd) }
    // Asked first: an attempt takes for a moment what others on this disk may just need.
    var disk = statvfs()
    var file = stat()
    guard fstatvfs(fd, &disk) == 0, fstat(fd, &file) == 0 else { return false }
    let held = Int(file.st_blocks) * 512
    let free = Int(disk.f_bavail * disk.f_frsize)
    guard held >= byteCount || held + free >= byteCount + byteCount / 16 else { return false }
    isHeld = posix_fallocate(fd, 0, off_t(byteCount)) == 0
    if !isHeld { ftruncate(fd, 0) }
    return isHeld
  }

  /// Gives the space back to the disk.
  mutating func free() {
    guard byteCount > 0 else { return }
    truncate(path, 0)
    isHeld = false
  }
}
