import CUV

/// A connection's events.
public protocol ConnectionDelegate: AnyObject {
  /// Bytes came; they are valid during the call.
  func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer)
  /// The kernel has taken what had to wait: `queuedBytes` is less than it was.
  func connectionWrote(_ connection: Connection)
  /// The connection is closed, by either side; the last call.
  func connectionClosed(_ connection: Connection)
}

/// One accepted connection: reads its share in each turn of the loop, writes what it is given.
///
/// Its memory is freed when it has closed and no write is in flight: libuv calls back for pending
/// writes after the close.
public final class Connection: ClosingOwner {
  private let box = HandleBox<uv_pipe_t>()
  private unowned let loop: Loop
  private weak var delegate: ConnectionDelegate?
  /// Free for the owner's use.
  public let number: UInt64
  /// Bytes that the kernel has not taken yet.
  public private(set) var queuedBytes = 0
  private var user: ReadingUser?
  /// What libuv may read next, and whether there may be more than that.
  private var share = 0
  private var hadItsShare = false
  private var isClosed = false
  private var closesWhenWritten = false
  private var isDeaf = false

  /// Accepts the next connection of a listener; its handle is closed by `close`.
  init(_ loop: Loop, accepting server: UnsafeMutablePointer<uv_pipe_t>, number: UInt64)
    throws(UVError)
  {
    self.number = number
    self.loop = loop
    let code = uv_pipe_init(loop.handle, box.handle, 0)
    precondition(code == 0, "uv_pipe_init cannot fail")
    box.retain(self)
    let accepted = uv_accept(Connection.stream(server), Connection.stream(box.handle))
    if accepted != 0 {
      isClosed = true
      box.close()
      throw UVError(code: accepted, place: "accept")
    }
  }

  private static func stream(_ pipe: UnsafeMutablePointer<uv_pipe_t>)
    -> UnsafeMutablePointer<uv_stream_t>
  {
    UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_stream_t.self)
  }

  /// The socket.
  public var fd: Int32 {
    var fd: Int32 = -1
    uv_fileno(box.base, &fd)
    return fd
  }

  /// Begins to read, for the peer of that uid.
  public func start(_ delegate: ConnectionDelegate, uid: UInt32) throws(UVError) {
    self.delegate = delegate
    user = loop.share.connected(uid)
    let code = uv_read_start(
      Connection.stream(box.handle),
      { handle, _, buffer in
        let connection = HandleBox<uv_pipe_t>.owner(handle?.pointee.data, as: Connection.self)
        let base = connection.loop.readBuffer.baseAddress
        buffer?.pointee.base = base?.assumingMemoryBound(to: CChar.self)
        buffer?.pointee.len = connection.takeShare()
      },
      { stream, count, _ in
        HandleBox<uv_pipe_t>.owner(stream?.pointee.data, as: Connection.self).took(count)
      })
    try check(code, "uv_read_start")
  }

  /// The bytes that may be read now. libuv goes on while it fills what it is given: 0 is told back
  /// as ENOBUFS, and leaves the rest for the next turn.
  private func takeShare() -> Int {
    share = 0
    guard !hadItsShare, let user else { return 0 }
    share = loop.share.take(user)
    return share
  }

  private func took(_ count: Int) {
    hadItsShare = count == share
    user?.giveBack(share - max(0, count))
    if count > 0 {
      let read = UnsafeRawBufferPointer(loop.readBuffer)[..<count]
      delegate?.connection(self, received: UnsafeRawBufferPointer(rebasing: read))
    } else if count < 0, count != Int(UV_ENOBUFS.rawValue) {
      close()
    }
  }

  /// Stops reading for good; what is queued still leaves.
  public func stopReading() { uv_read_stop(Connection.stream(box.handle)) }

  /// Writes the bytes: at once as far as the kernel takes them, the rest from a copy that libuv
  /// keeps until it is written.
  public func write(_ bytes: UnsafeRawBufferPointer) {
    guard !isClosed, !isDeaf, bytes.count > 0 else { return }
    var offset = 0
    if queuedBytes == 0 {
      let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
      var whole = uv_buf_init(base.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
      let written = uv_try_write(Connection.stream(box.handle), &whole, 1)
      if written == Int32(bytes.count) { return }
      if written > 0 { offset = Int(written) }
      if written < 0, written != UV_EAGAIN.rawValue { return goneDeaf() }
    }
    queue(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
  }

  /// A write in flight: its request and its bytes, in one allocation.
  private struct Pending {
    var request: uv_write_t
    var count: Int
  }

  private func queue(_ bytes: UnsafeRawBufferPointer) {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<Pending>.size + bytes.count,
      alignment: MemoryLayout<Pending>.alignment)
    let pending = raw.bindMemory(to: Pending.self, capacity: 1)
    let copy = raw + MemoryLayout<Pending>.size
    copy.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    pending.pointee.count = bytes.count
    // The callback may come after the close: it keeps the connection.
    let request = UnsafeMutableRawPointer(pending).assumingMemoryBound(to: uv_write_t.self)
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    queuedBytes += bytes.count
    var buffer = uv_buf_init(copy.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
    let code = uv_write(request, Connection.stream(box.handle), &buffer, 1) { request, status in
      guard let request, let data = request.pointee.data else { return }
      let connection = Unmanaged<Connection>.fromOpaque(data).takeRetainedValue()
      let pending = UnsafeMutableRawPointer(request).assumingMemoryBound(to: Pending.self)
      connection.wrote(pending.pointee.count, status)
      UnsafeMutableRawPointer(pending).deallocate()
    }
    if code != 0 {
      Unmanaged.passUnretained(self).release()
      raw.deallocate()
      queuedBytes -= bytes.count
      close()
    }
  }

  private func wrote(_ count: Int, _ status: Int32) {
    queuedBytes -= count
    if status < 0 { return goneDeaf() }
    delegate?.connectionWrote(self)
    if queuedBytes == 0 && closesWhenWritten { close() }
  }

  /// The peer takes nothing any more. What it has sent before it went is still read; the end that
  /// follows closes the connection.
  private func goneDeaf() {
    isDeaf = true
    if closesWhenWritten { close() }
  }

  /// Closes once what is queued has left.
  public func closeWhenWritten() {
    closesWhenWritten = true
    stopReading()
    if queuedBytes == 0 { close() }
  }

  /// Closes at once; what is queued is lost. Safe to call twice.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    box.close()
  }

  func handleClosed() {
    if let user { loop.share.disconnected(user) }
    user = nil
    let delegate = delegate
    self.delegate = nil
    delegate?.connectionClosed(self)
  }
}
