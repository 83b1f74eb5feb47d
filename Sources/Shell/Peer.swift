import EngineCore

/// Who is at the other end, by the kernel's word.
public struct Peer: Sendable {
  public var uid: UInt32
  public var gid: UInt32
  /// The further groups of the process that connected.
  public var groups: [UInt32]
  /// nil where the kernel gives no evidence (another pid namespace).
  public var process: ProcessIdentity?

  public init(uid: UInt32, gid: UInt32, groups: [UInt32] = [], process: ProcessIdentity?) {
    self.uid = uid
    self.gid = gid
    self.groups = groups
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

/// The roles of one peer: everywhere, and further ones in single namespaces.
public struct Grants: Equatable, Sendable {
  public private(set) var everywhere: Roles = []
  private var inNamespace: [String: Roles] = [:]

  public init(everywhere: Roles = []) {
    self.everywhere = everywhere
    any = everywhere
  }

  /// Every role that the peer has anywhere; empty: it is nobody here.
  public private(set) var any: Roles = []

  /// An empty namespace is `default`.
  public func roles(in namespace: String) -> Roles {
    if inNamespace.isEmpty { return everywhere }
    return everywhere.union(inNamespace[namespace.isEmpty ? "default" : namespace] ?? [])
  }

  mutating func add(_ rule: AccessRules.Rule) {
    any.formUnion(rule.roles)
    guard let namespaces = rule.namespaces else { return everywhere.formUnion(rule.roles) }
    for namespace in namespaces { inNamespace[namespace, default: []].formUnion(rule.roles) }
  }
}

/// Roles per user, group and namespace. Without any rule: everything for the engine's own user and
/// for root.
public struct AccessRules: Sendable {
  public struct Rule: Sendable {
    public var uid: UInt32?
    public var gid: UInt32?
    public var roles: Roles
    /// nil: in every namespace, and in what belongs to none.
    public var namespaces: Set<String>?

    public init(
      uid: UInt32?, gid: UInt32?, roles: Roles, namespaces: Set<String>? = nil
    ) {
      self.uid = uid
      self.gid = gid
      self.roles = roles
      self.namespaces = namespaces
    }
  }

  public var ownUID: UInt32
  public var rules: [Rule]

  public init(ownUID: UInt32, rules: [Rule] = []) {
    self.ownUID = ownUID
    self.rules = rules
  }

  /// What the rules of the peer's user and groups grant, added up.
  public func grants(to peer: Peer) -> Grants {
    if peer.uid == 0 || peer.uid == ownUID { return Grants(everywhere: .all) }
    var grants = Grants()
    for rule in rules where matches(rule, peer) { grants.add(rule) }
    return grants
  }

  private func matches(_ rule: Rule, _ peer: Peer) -> Bool {
    if let uid = rule.uid, uid == peer.uid { return true }
    guard let gid = rule.gid else { return false }
    return gid == peer.gid || peer.groups.contains(gid)
  }
}
