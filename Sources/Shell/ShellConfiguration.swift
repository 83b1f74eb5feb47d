import EngineCore

/// The shell's bounds, each with its reason.
public struct ShellLimits: Sendable {
  /// What a client must be able to take, and what one connection can make the engine keep.
  public var frameBytesMax = 4 << 20
  /// A request: what the engine makes of it must fit a frame, with the engine's own fields.
  public var messageBytesMax: Int { frameBytesMax - (512 << 10) }
  public var connectionsMax = 8_192
  /// Of one user, so that none starves the others.
  public var connectionsPerUserMax = 6_144
  /// Open streams of one connection.
  public var streamsMax = 10_000
  /// Messages of a stream before the client's first Credit.
  public var initialCredit: UInt32 = 16
  /// Bytes that wait to be read by one peer; then it is cut off.
  public var outgoingBytesMax = 8 << 20
  /// From here on a peer's long answers are refused and its streamed ones wait, so that one that
  /// reads is not cut off.
  public var unreadBytesMax: Int { outgoingBytesMax / 2 }
  /// A worker that has read all but so much is sent tasks again: as much, and at most one more.
  var roomBytes: Int { outgoingBytesMax / 4 }
  /// What a request takes beside its message, for as long as its stream is open.
  public var requestOverheadBytes = 512
  /// Requests of one connection that are under way: two of the largest.
  public var requestBytesMax: Int { 2 * frameBytesMax }
  /// Requests that are under way: of one user, so that none starves the others, and of all.
  public var requestBytesPerUserMax = 48 << 20
  public var requestBytesInAllMax = 64 << 20
  /// Half frames, and bytes that wait to be read, of all peers together; then the one that holds
  /// most for longest has to go.
  public var heldBytesInAllMax = 96 << 20
  /// A connection without Hello.
  public var helloMs: Int64 = 5_000
  /// A peer at fault that does not read why; then it is cut off, so that it holds no place.
  public var closeMs: Int64 = 5_000
  /// A request whose time is up while the store has it: when it is looked at again.
  public var overdueMs: Int64 = 50
  /// A worker's connection that is silent for so long is sent a Ping; two without an answer, and
  /// its sessions get no new workflow tasks.
  public var pingMs: Int64 = 10_000

  /// Of a backup's path: less than the system's own bound, since names are derived from it.
  public var backupPathBytesMax = 4_000

  public init() {}

  /// No bound may be less than a few of the largest frames need.
  public mutating func makeRoomForFrames() {
    outgoingBytesMax = max(outgoingBytesMax, 2 * frameBytesMax)
    requestBytesPerUserMax = max(requestBytesPerUserMax, 2 * frameBytesMax)
    requestBytesInAllMax = max(requestBytesInAllMax, 4 * frameBytesMax)
    heldBytesInAllMax = max(heldBytesInAllMax, 4 * frameBytesMax)
  }
}

public struct ShellConfiguration: Sendable {
  public var engine: EngineConfiguration
  public var limits = ShellLimits()
  public var access: AccessRules
  public var serverVersion: String
  public var storePath: String
  /// Replaces the bound of the commit hold, in microseconds; for tests.
  public var holdOverrideUs: Int64?

  public init(
    engine: EngineConfiguration, access: AccessRules, serverVersion: String, storePath: String
  ) {
    self.engine = engine
    self.access = access
    self.serverVersion = serverVersion
    self.storePath = storePath
  }
}
