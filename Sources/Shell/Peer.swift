import EngineCore

/// Who is at the other end, by the kernel's word.
public struct Peer: Sendable {
  public var uid: UInt32
  public var gid: UInt32
  /// nil where the kernel gives no evidence (another pid namespace).
  public var process: ProcessIdentity?

  public init(uid: UInt32, gid: UInt32, process: ProcessIdentity?) {
    self.uid = uid
    self.gid = gid
    self.process = process
  }
}

/// What a peer may do.
public struct Roles: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// WorkflowService and ActivityService.
  public static let client = Roles(rawValue: 1)
  /// WorkerService.
  public static let worker = Roles(rawValue: 2)
  /// OperatorService.
  public static let `operator` = Roles(rawValue: 4)
  public static let all: Roles = [.client, .worker, .operator]
}

/// Roles per user and group. Without any rule: everything for the engine's own user and for root.
public struct AccessRules: Sendable {
  public struct Rule: Sendable {
    public var uid: UInt32?
    public var gid: UInt32?
    public var roles: Roles

    public init(uid: UInt32?, gid: UInt32?, roles: Roles) {
      self.uid = uid
      self.gid = gid
      self.roles = roles
    }
  }

  public var ownUID: UInt32
  public var rules: [Rule]

  public init(ownUID: UInt32, rules: [Rule] = []) {
    self.ownUID = ownUID
    self.rules = rules
  }

  /// Empty: the connection is refused before a byte of it is read.
  public func roles(of peer: Peer) -> Roles {
    if peer.uid == 0 || peer.uid == ownUID { return .all }
    var roles: Roles = []
    for rule in rules where rule.uid == peer.uid || (rule.gid != nil && rule.gid == peer.gid) {
      roles.formUnion(rule.roles)
    }
    return roles
  }
}
