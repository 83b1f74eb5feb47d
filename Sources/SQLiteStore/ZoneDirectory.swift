import CSQLite
import EngineCore
import Glibc

/// The system's files of time zones.
struct ZoneDirectory {
  /// The largest of them has 4 KiB.
  private static let bytesMax = 64 << 10

  let path: String

  /// nil: there is no such file, or one that can be no zone.
  func read(_ name: String) -> [UInt8]? {
    guard StoredZone.isName(name) else { return nil }
    // A pipe of that name must not hold the store's thread.
    let fd = holdfast_open_file("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      (1...ZoneDirectory.bytesMax).contains(Int(status.st_size))
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var count = 0
    while count < bytes.count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(fd, buffer.baseAddress! + count, buffer.count - count)
      }
      if read < 0 && errno == EINTR { continue }
      guard read > 0 else { return nil }
      count += read
    }
    return bytes
  }
}
