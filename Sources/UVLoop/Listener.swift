import CUV

/// Accepts connections of a bound socket.
public final class Listener {
  private let loop: Loop
  private let box = HandleBox<uv_pipe_t>()
  private let accepted: (Connection) -> Void
  private var connections: UInt64 = 0
  private var pause: Timer?

  /// Listens on `socket`, whose descriptor the listener takes over.
  public init(_ loop: Loop, socket: SocketFile, accepted: @escaping (Connection) -> Void)
    throws(UVError)
  {
    self.loop = loop
    self.accepted = accepted
    try check(uv_pipe_init(loop.handle, box.handle, 0), "uv_pipe_init")
    box.retain(self)
    try check(uv_pipe_open(box.handle, socket.fd), "uv_pipe_open")
    try listen()
    pause = try Timer(loop) { [unowned self] in acceptOne() }
  }

  private var stream: UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(box.handle).assumingMemoryBound(to: uv_stream_t.self)
  }

  private func listen() throws(UVError) {
    let code = uv_listen(stream, 1_024) { server, status in
      let listener = HandleBox<uv_pipe_t>.owner(server?.pointee.data, as: Listener.self)
      // Out of descriptors: libuv would spin; look again after a while.
      if status < 0 { listener.pause?.start(afterMs: 100) } else { listener.acceptOne() }
    }
    try check(code, "uv_listen")
  }

  private func acceptOne() {
    connections += 1
    do throws(UVError) {
      accepted(try Connection(loop, accepting: box.handle, number: connections))
    } catch {
      if error.code != UV_EAGAIN.rawValue { pause?.start(afterMs: 100) }
    }
  }

  public func close() {
    pause?.close()
    box.close()
  }
}
