import Basics
import EngineCore
import Messages
import Wire

/// One connection: what it has sent, what waits to be read by it, and its streams.
///
/// A class, because a struct of its size would be moved at each look-up; it never leaves the shell.
final class Connection {
  enum Phase {
    /// Can transition to: ready, closing.
    case awaitingHello
    /// Can transition to: closing.
    case ready
    /// What is outgoing leaves, then it is closed; nothing more is read.
    case closing
  }

  enum Stream {
    case unary
    case reading(credit: UInt32, isWanted: Bool)
    case backup(credit: UInt32)
    /// `session` is nil until Attach.
    case work(session: SessionID?)
    /// One message is under way in either direction at a time, so there is no credit.
    case replay
  }

  /// What a request waits for, as far as it matters to time that is skipped.
  enum Awaited {
    case nothing, workflow, time
  }

  struct OpenStream {
    var stream: Stream
    /// What the request takes, for as long as the stream is open.
    var requestBytes: Int
    var awaited = Awaited.nothing
  }

  let id: ConnectionID
  let peer: Peer
  let user: User
  let grants: Grants
  var phase = Phase.awaitingHello
  var decoder: FrameDecoder
  var outgoing: [UInt8] = []
  /// Handed out, but not taken by the kernel yet.
  var unreadBytes = 0
  /// Of its requests that are under way.
  var requestBytes = 0
  /// What it holds, as far as it has been counted, and since when without a pause.
  var held = (bytes: 0, sinceUs: Int64(0))
  /// Streamed answers that go on when it has read.
  var paused: [UInt64] = []
  /// Sessions that get tasks again when it has read.
  var full: [SessionID] = []
  var streams: [UInt64: OpenStream] = [:]
  var lastStream: UInt64 = 0
  var identity = ""
  var timeWill = TimeWill()
  /// Pings since the peer was last heard.
  var pings: UInt64 = 0
  /// It has bytes or a close for the caller.
  var isDirty = false
  /// Closed, by either side.
  var isGone = false
  /// Messages for each Work stream, gathered into one frame a tick.
  var work: [(stream: UInt64, messages: [EngineMessage])] = []

  init(id: ConnectionID, peer: Peer, user: User, grants: Grants, frameBytesMax: Int) {
    self.id = id
    self.peer = peer
    self.user = user
    self.grants = grants
    decoder = FrameDecoder(frameBytesMax: frameBytesMax)
  }

  /// A stream with such a request has been opened (1), or has ended (-1).
  func count(_ awaited: Awaited, _ change: Int) {
    switch awaited {
    case .nothing: break
    case .workflow: timeWill.waiting += change
    case .time: timeWill.sleeping += change
    }
  }

  func stream(_ id: UInt64) -> Stream? { streams[id]?.stream }

  /// Bytes for the peer that it has not read.
  var waitingBytes: Int { outgoing.count + unreadBytes }

  var isClosing: Bool { if case .closing = phase { true } else { false } }

  /// The most pressing of what its peer gets at the end of this turn.
  enum News: Int, Comparable {
    case task, answer, record
    static func < (a: News, b: News) -> Bool { a.rawValue < b.rawValue }
  }

  var news: News {
    if work.isEmpty { return .answer }
    let isRecord = work.allSatisfy { stream in
      stream.messages.allSatisfy { if case .recorded = $0.kind { true } else { false } }
    }
    return isRecord ? .record : .task
  }

  /// Adds a message for a Work stream; Recorded of several tokens share one.
  func add(_ message: EngineMessage, stream: UInt64) {
    guard let index = work.firstIndex(where: { $0.stream == stream }) else {
      return work.append((stream, [message]))
    }
    if case .recorded(let new) = message.kind,
      let last = work[index].messages.indices.last,
      case .recorded(var earlier) = work[index].messages[last].kind
    {
      earlier.tokens += new.tokens
      work[index].messages[last].kind = .recorded(earlier)
    } else {
      work[index].messages.append(message)
    }
  }
}

/// A connection's number; never given again.
public struct ConnectionID: Hashable, Comparable, Sendable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  public static func < (a: ConnectionID, b: ConnectionID) -> Bool { a.value < b.value }
}
