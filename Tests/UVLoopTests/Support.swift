import CUV
import Glibc
import Testing

@testable import UVLoop

/// A directory of its own for a test, taken away with all that is in it.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/holdfast-uv-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { preconditionFailure("mkdtemp: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryDirectory.remove(path) }

  private static func remove(_ path: String) {
    if unlink(path) == 0 || errno == ENOENT { return }
    if let directory = opendir(path) {
      var names: [String] = []
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        names.append(name)
      }
      closedir(directory)
      for name in names where name != "." && name != ".." { remove(path + "/" + name) }
    }
    rmdir(path)
  }
}

/// What lies at a path, links not followed; nil: nothing.
struct FileStatus: Equatable {
  let kind: mode_t
  let mode: mode_t
  let inode: ino_t

  init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    kind = status.st_mode & S_IFMT
    mode = status.st_mode & 0o7777
    inode = status.st_ino
  }
}

/// A peer's end of a connection: a plain socket, without a loop.
final class PlainClient {
  let fd: Int32

  init(_ path: String) throws {
    fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    try #require(holdfast_connect(fd, path) == 0)
  }

  deinit { Glibc.close(fd) }

  func send(_ bytes: [UInt8]) { #expect(write(fd, bytes, bytes.count) == bytes.count) }

  func endWriting() { #expect(shutdown(fd, Int32(SHUT_WR)) == 0) }

  /// Everything until the other end closes; blocks.
  func readAll() -> [UInt8] {
    var all: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(fd, &part, part.count)
      if count <= 0 { return all }
      all += part[..<count]
    }
  }
}

/// A loop with one served socket, and what its connections tell.
final class Served: ConnectionDelegate {
  let loop: Loop
  let path: String
  let socket: SocketFile
  private(set) var listener: Listener?
  private(set) var connections: [Connection] = []
  private(set) var received: [UInt64: [UInt8]] = [:]
  private(set) var closed: [UInt64] = []

  /// The user of a connection, by its number.
  var uid: (UInt64) -> UInt32 = { _ in 0 }
  var onAccept: (Connection) -> Void = { _ in }
  var onBytes: (Connection) -> Void = { _ in }
  var onClosed: (Connection) -> Void = { _ in }

  init(_ directory: TemporaryDirectory) throws {
    // As the command does: libuv writes without MSG_NOSIGNAL.
    signal(SIGPIPE, SIG_IGN)
    path = directory.path + "/run/s.sock"
    loop = try Loop()
    socket = try SocketFile(path: path, group: nil)
    listener = try Listener(loop, socket: socket) { [unowned self] connection in
      connections.append(connection)
      do { try connection.start(self, uid: uid(connection.number)) } catch { Issue.record(error) }
      onAccept(connection)
    }
  }

  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    received[connection.number, default: []] += bytes
    onBytes(connection)
  }

  func connectionWrote(_ connection: Connection) {}

  func connectionClosed(_ connection: Connection) {
    closed.append(connection.number)
    onClosed(connection)
  }

  /// Takes no more connections; the loop ends when the last one has closed.
  func endListening() { listener?.close() }

  /// Closes the loop, which stops the process if a handle of it is open still.
  func finish() {
    endListening()
    for connection in connections { connection.close() }
    loop.run()
    loop.close()
    socket.remove()
  }
}

extension Connection {
  func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }
}
