import CUV
import Glibc

/// Why a socket cannot be served at a path.
public enum SocketError: Error, CustomStringConvertible, Sendable {
  /// Another engine serves it.
  case inUse(path: String)
  /// Something that is not a socket of ours is in the way; it was not touched.
  case inTheWay(path: String, what: String)
  case system(UVError)

  public var description: String {
    switch self {
    case .inUse(let path):
      return "another engine serves '\(path)': stop it, or choose another --socket"
    case .inTheWay(let path, let what):
      return "'\(path)' is \(what): remove it yourself, or choose another --socket"
    case .system(let error): return error.description
    }
  }
}

/// A bound socket at a path, and the lock that says whose it is.
///
/// The lock file is held for life; only its holder may remove a stale socket. The socket is bound
/// by hand, so that libuv does not unlink a successor's socket when the listener closes.
public final class SocketFile {
  public let fd: Int32
  private let path: String?
  private let lock: Int32
  private var identity: (device: dev_t, inode: ino_t)?

  /// Takes a socket that a service manager has bound and passed on (LISTEN_FDS).
  public init(inherited fd: Int32) {
    self.fd = fd
    path = nil
    lock = -1
  }

  /// The path at which clients find the socket; nil if it has none.
  public var servedPath: String? {
    if let path { return path }
    var address = sockaddr_un()
    var size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &size) }
    }
    guard code == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
    let bytes = withUnsafeBytes(of: &address.sun_path) { Array($0.prefix { $0 != 0 }) }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// Binds the path. The directory is made (0700, or 0750 with a group) if it is missing; the
  /// socket has mode 0600, or 0660 with a group, from its first moment.
  public init(path: String, group: gid_t?) throws(SocketError) {
    self.path = path
    try SocketFile.makeDirectory(of: path, group: group)
    lock = try SocketFile.takeLock(path + ".lock", for: path)
    do throws(SocketError) {
      try SocketFile.removeStale(path)
      fd = try SocketFile.bind(path, group: group)
    } catch {
      close(lock)
      throw error
    }
    var status = stat()
    if lstat(path, &status) == 0 { identity = (status.st_dev, status.st_ino) }
  }

  private static func makeDirectory(of path: String, group: gid_t?) throws(SocketError) {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    let directory = String(path[..<slash])
    if mkdir(directory, 0o700) == 0 {
      guard let group else { return }
      // The group comes first, then its rights; and the umask has no say in them.
      guard chown(directory, uid_t.max, group) == 0, chmod(directory, 0o750) == 0 else {
        throw .system(.last("chown of '\(directory)'"))
      }
    } else if errno != EEXIST {
      throw .system(.last("mkdir of '\(directory)'"))
    }
  }

  private static func takeLock(_ lockPath: String, for path: String) throws(SocketError) -> Int32 {
    let fd = holdfast_open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard fd >= 0 else { throw .system(.last("open of '\(lockPath)'")) }
    guard flock(fd, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(fd)
      if code == EWOULDBLOCK { throw .inUse(path: path) }
      throw .system(UVError(code: -code, place: "flock of '\(lockPath)'"))
    }
    return fd
  }

  /// Removes a socket that nobody serves; refuses everything else.
  private static func removeStale(_ path: String) throws(SocketError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    switch status.st_mode & S_IFMT {
    case S_IFSOCK: break
    case S_IFLNK: throw .inTheWay(path: path, what: "a symbolic link")
    case S_IFREG: throw .inTheWay(path: path, what: "a file")
    case S_IFIFO: throw .inTheWay(path: path, what: "a FIFO")
    case S_IFDIR: throw .inTheWay(path: path, what: "a directory")
    default: throw .inTheWay(path: path, what: "something that is not a socket")
    }
    guard status.st_uid == geteuid() else {
      throw .inTheWay(path: path, what: "a socket of user \(status.st_uid)")
    }
    // Without waiting: its queue may be full.
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let probe = socket(AF_UNIX, Int32(kind), 0)
    guard probe >= 0 else { throw .system(.last("socket")) }
    defer { close(probe) }
    // Only this answer says that nobody serves it; a datagram socket, say, gives another one.
    if holdfast_connect(probe, path) == 0 || errno != ECONNREFUSED { throw .inUse(path: path) }
    guard unlink(path) == 0 || errno == ENOENT else {
      throw .system(.last("unlink of the stale socket '\(path)'"))
    }
  }

  private static func bind(_ path: String, group: gid_t?) throws(SocketError) -> Int32 {
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let fd = socket(AF_UNIX, Int32(kind), 0)
    guard fd >= 0 else { throw .system(.last("socket")) }
    // Linux makes the file with the mode of the descriptor less the umask: never wider than meant,
    // at no moment, and without a change of the umask, which other threads would see.
    guard fchmod(fd, 0o600) == 0, holdfast_bind(fd, path) == 0 else {
      let error = UVError.last("bind of '\(path)'")
      close(fd)
      throw .system(error)
    }
    if let group {
      guard chown(path, uid_t.max, group) == 0, chmod(path, 0o660) == 0 else {
        let error = UVError.last("chown of '\(path)'")
        close(fd)
        throw .system(error)
      }
    }
    return fd
  }

  /// Removes the socket if it is still ours, then gives the lock back.
  public func remove() {
    if let path, let identity {
      var status = stat()
      if lstat(path, &status) == 0, status.st_dev == identity.device,
        status.st_ino == identity.inode
      {
        unlink(path)
      }
    }
    if lock >= 0 { close(lock) }
  }
}
