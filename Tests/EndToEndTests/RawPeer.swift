import Foundation
import Messages

/// A peer that writes whatever bytes it likes, and reads frames with a limit on its patience.
final class RawPeer {
  private let fd: Int32
  private var bytes: [UInt8] = []
  private var lastStream: UInt64 = 0

  struct Gone: Error {}

  /// Connects, waiting for the engine to serve the socket. `patience`: seconds, for an answer.
  init(_ socket: String, patience: Int = 10) async throws {
    // Processes that other tests start meanwhile must not keep it open.
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
    let fd = Foundation.socket(AF_UNIX, Int32(kind), 0)
    self.fd = fd
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8.prefix(100)) }
    try await until("the engine accepts") {
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
      }
    }
    var time = timeval(tv_sec: patience, tv_usec: 0)
    setsockopt(
      fd, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(fd) }

  func write(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }  // The engine has closed; what it said can still be read.
      sent += count
    }
  }

  static func framed(_ body: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(body.count).bigEndian) { Array($0) } + body
  }

  func send(_ kind: Frame.Kind, stream: UInt64 = 0) {
    var frame = Frame()
    frame.stream = stream
    frame.kind = kind
    write(RawPeer.framed(frame.serialized()))
  }

  func hello() throws {
    var hello = Hello()
    hello.protocolVersions = [1]
    send(.hello(hello))
    guard case .welcome = try next().kind else { throw Gone() }
  }

  /// The next frame; throws when the engine has closed or keeps silent for ten seconds.
  func next() throws -> Frame {
    let head = try take(4)
    let length = head.reduce(0) { $0 << 8 | Int($1) }
    return try Frame(bytes: try take(length))
  }

  /// The engine's last word before it closes.
  func goAway() throws -> GoAway {
    guard case .goAway(let goAway) = try next().kind else { throw Gone() }
    var more = [UInt8](repeating: 0, count: 1)
    let count = recv(fd, &more, 1, 0)
    guard count == 0 || (count < 0 && errno == ECONNRESET) else { throw Gone() }
    return goAway
  }

  private func take(_ count: Int) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < count {
      let received = recv(fd, &buffer, buffer.count, 0)
      guard received > 0 else { throw Gone() }
      bytes += buffer[..<received]
    }
    defer { bytes.removeFirst(count) }
    return Array(bytes[..<count])
  }

  /// Opens a stream with one message and reads its end.
  func call(_ method: String, _ message: [UInt8], end: Bool = true, timeoutMs: Int64 = 0) throws
    -> End
  {
    let stream = open(method, message, end: end, timeoutMs: timeoutMs)
    while true {
      let frame = try next()
      if frame.stream == stream, case .end(let end) = frame.kind { return end }
    }
  }

  @discardableResult
  func open(_ method: String, _ message: [UInt8], end: Bool, timeoutMs: Int64 = 0) -> UInt64 {
    lastStream += 1
    var open = Open()
    open.method = method
    open.message = message
    open.end = end
    open.timeoutMs = .init(ms: timeoutMs)
    send(.open(open), stream: lastStream)
    return lastStream
  }

  /// A new connection of a peer that behaves is answered.
  static func probe(_ socket: String) async throws -> Bool {
    let peer = try await RawPeer(socket)
    try peer.hello()
    let end = try peer.call(Method.operatorHealth.rawValue, [])
    return try HealthResponse(bytes: end.message).state == .serving
  }
}
