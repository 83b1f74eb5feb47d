import Basics
import EngineCore
import Messages
import Wire

/// What peers can make the engine keep: half frames, requests under way, answers that they do not
/// read; each bounded for one connection and for all of them together.
extension Shell {
  /// So many of the bytes that were taken for the connection, the kernel has not taken yet.
  public mutating func unread(_ id: ConnectionID, bytes: Int) {
    guard let connection = connections[id] else { return }
    connection.unreadBytes = bytes
    weigh(connection)
    guard connection.waitingBytes < configuration.limits.unreadBytesMax else { return }
    let paused = connection.paused
    connection.paused = []
    for stream in paused where connection.streams[stream] != nil {
      step(.readMore(RequestID(connection: id.value, stream: stream)))
    }
    // What is not written yet is unread too.
    guard connection.work.isEmpty, connection.waitingBytes < configuration.limits.roomBytes else {
      return
    }
    let full = connection.full
    connection.full = []
    for session in full { step(.sessionHasRoom(session)) }
  }

  /// What has come from the peer and is no whole frame yet; nil: the connection is gone.
  package func receivedBytes(_ id: ConnectionID) -> Int? { connections[id]?.decoder.pendingBytes }

  /// Counts what the connection holds; too much of it, or of all, ends this one or another.
  mutating func weigh(_ connection: Connection) {
    let waiting = connection.waitingBytes
    let bytes = connection.isGone ? 0 : connection.decoder.pendingBytes + waiting
    if connection.held.bytes == 0 { connection.held.sinceUs = clock.us }
    heldBytes += bytes - connection.held.bytes
    connection.user.heldBytes += bytes - connection.held.bytes
    connection.held.bytes = bytes
    if waiting > outgoingBytesMax, !connection.isGone { cut(connection.id) }
    if heldBytes > configuration.limits.heldBytesInAllMax { makeRoom() }
  }

  private var outgoingBytesMax: Int {
    #if MUTANTS
      if Mutant.isOn(.unreadUnbounded) { return .max }
    #endif
    return configuration.limits.outgoingBytesMax
  }

  /// Ends the connection that holds most for longest, of the user whose connections hold most: who
  /// sends whole frames and reads what comes is never that one.
  private mutating func makeRoom() {
    let user = users.values.max { ($0.heldBytes, $0.uid) < ($1.heldBytes, $1.uid) }
    let now = clock.us
    func cost(_ connection: Connection) -> (Double, ConnectionID) {
      let us = Double(now - connection.held.sinceUs + 1)
      return (Double(connection.held.bytes) * us, connection.id)
    }
    let ofThem = connections.values.filter { $0.user === user }
    guard let costliest = ofThem.max(by: { cost($0) < cost($1) }) else { return }
    if costliest.waitingBytes > 0 { return cut(costliest.id) }
    fail(
      costliest.id, .resourceExhausted, .overloaded,
      "too much is held for connections that stand still")
  }

  /// Why the request's bytes cannot be taken now. Reports of activities, which make room, are
  /// bounded for their connection only.
  func refusal(_ connection: Connection, bytes: Int, isReport: Bool) -> Status? {
    let limits = configuration.limits
    if connection.requestBytes + bytes > limits.requestBytesMax {
      return .tooMuch(connection.requestBytes, " on this connection")
    }
    if isReport { return nil }
    if requestBytes + bytes > limits.requestBytesInAllMax { return .tooMuch(requestBytes, "") }
    let ofUser = connection.user.requestBytes
    return ofUser + bytes > limits.requestBytesPerUserMax ? .tooMuch(ofUser, " of this user") : nil
  }

  mutating func requestBegan(_ connection: Connection, bytes: Int) {
    connection.requestBytes += bytes
    connection.user.requestBytes += bytes
    requestBytes += bytes
  }

  mutating func requestEnded(_ connection: Connection, bytes: Int) {
    connection.requestBytes -= bytes
    connection.user.requestBytes -= bytes
    requestBytes -= bytes
  }
}

extension Status {
  fileprivate static func tooMuch(_ bytes: Int, _ whose: String) -> Status {
    of(
      .resourceExhausted, .overloaded, "requests of \(bytes) bytes\(whose) are under way",
      retryAfterMs: 100)
  }
}
