import Basics
import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// ERR-009 and PER-002 of proto/README.md, and the bounds of connections.
@Suite("Who may do what") struct AccessTests {
  private func peers(_ rules: AccessRules.Rule...) -> Peers {
    Peers { $0.access = AccessRules(ownUID: 500, rules: rules) }
  }

  @Test func aPeerWithoutARoleIsClosedBeforeAByteIsRead() {
    var peers = peers(.init(uid: 600, gid: nil, roles: []))
    #expect(peers.isAccepted(ConnectionID(1), uid: 600) == false)
    #expect(peers.isAccepted(ConnectionID(2), uid: 601) == false)
    peers.send(ConnectionID(2), [0, 0, 0, 5, 0x12, 3, 0x0A, 1, 1])
    #expect(peers.takeShort(ConnectionID(2)) == [])
  }

  @Test func aRefusedPeerIsToldWhy() throws {
    var peers = Peers {
      $0.access = AccessRules(ownUID: 500)
      $0.limits.connectionsPerUserMax = 1
    }
    func farewell(_ uid: UInt32) throws -> GoAway? {
      var shell = peers.shell
      let bytes = shell.farewell(Peer(uid: uid, gid: 1, process: nil))
      var decoder = FrameDecoder(frameBytesMax: 4 << 20)
      bytes.withUnsafeBytes { decoder.feed($0) }
      guard case .goAway(let goAway) = try decoder.next()?.kind else { return nil }
      return goAway
    }
    let stranger = try #require(try farewell(600))
    #expect(stranger.code == .permissionDenied)
    #expect(
      stranger.message == "PERMISSION: user 600 has no role here: give it one in the configuration")
    #expect(try farewell(500) == nil, "who is welcome is told nothing")
    _ = peers.greeted(1, uid: 500)
    #expect(try farewell(500)?.code == .resourceExhausted)
  }

  @Test(arguments: [0, 500] as [UInt32]) func rootAndTheEnginesUserMayDoEverything(_ uid: UInt32) {
    let rules = AccessRules(ownUID: 500, rules: [.init(uid: uid, gid: nil, roles: .client)])
    let grants = rules.grants(to: Peer(uid: uid, gid: 9, process: nil))
    #expect(grants == Grants(everywhere: .all))
  }

  @Test func rulesOfTheUserAndOfTheGroupsAddUp() {
    let rules = AccessRules(
      ownUID: 500,
      rules: [
        .init(uid: 600, gid: nil, roles: .client), .init(uid: nil, gid: 70, roles: .worker),
        .init(uid: 601, gid: nil, roles: .operator),
      ])
    func roles(_ uid: UInt32, _ gid: UInt32, _ groups: [UInt32] = []) -> Roles {
      rules.grants(to: Peer(uid: uid, gid: gid, groups: groups, process: nil)).any
    }
    #expect(roles(600, 1) == .client)
    #expect(roles(600, 70) == [.client, .worker])
    #expect(roles(600, 1, [8, 70]) == [.client, .worker])
    #expect(roles(7, 70) == .worker)
    #expect(roles(7, 7) == [])
  }

  @Test func aRuleMayHoldInSomeNamespacesOnly() {
    var peers = peers(
      .init(uid: 600, gid: nil, roles: .client),
      .init(uid: 600, gid: nil, roles: [.worker, .operator], namespaces: ["default"]),
      .init(uid: 601, gid: nil, roles: .all, namespaces: ["other"]))
    let id = peers.greeted(1, uid: 600)
    peers.attach(id)
    #expect(peers.takeWork(id).count == 1, "attached: its worker's role is that of `default`")
    peers.call(id, 2, .operatorDrain, DrainRequest())
    #expect(peers.takeShort(id) == ["End 2 PERMISSION_DENIED PERMISSION"], "the engine is no one's")
    let stranger = peers.greeted(2, uid: 601)
    peers.start(stranger, 1, "o-1")
    #expect(peers.takeShort(stranger) == ["End 1 PERMISSION_DENIED PERMISSION"])
    peers.attach(stranger, stream: 2)
    #expect(peers.takeShort(stranger) == ["End 2 PERMISSION_DENIED PERMISSION"])
  }

  /// Which namespaces there are is the whole engine's; how long one keeps its runs is its own.
  @Test func anOperatorOfOneNamespaceMakesNoOther() {
    var peers = peers(.init(uid: 600, gid: nil, roles: .operator, namespaces: ["default"]))
    let id = peers.greeted(1, uid: 600)
    var create = CreateNamespaceRequest()
    create.namespace = "bills"
    var delete = DeleteNamespaceRequest()
    delete.namespace = "default"
    var update = UpdateNamespaceRequest()
    update.namespace = "default"
    update.retentionMs = Span(ms: 1_000)
    peers.call(id, 1, .operatorCreateNamespace, create)
    peers.call(id, 2, .operatorListNamespaces, ListNamespacesRequest())
    peers.call(id, 3, .operatorDeleteNamespace, delete)
    #expect(
      peers.takeShort(id) == (1...3).map { "End \($0) PERMISSION_DENIED PERMISSION" })
    peers.call(id, 4, .operatorUpdateNamespace, update)
    #expect(peers.takeShort(id) == ["End 4 OK"])
    update.namespace = "bills"
    peers.call(id, 5, .operatorUpdateNamespace, update)
    #expect(peers.takeShort(id) == ["End 5 PERMISSION_DENIED PERMISSION"])
  }

  /// Every method with every single role.
  @Test(arguments: Method.allCases, [.client, .worker, .operator] as [Roles])
  func aMethodNeedsTheRoleOfItsService(_ method: Method, _ role: Roles) {
    var peers = peers(.init(uid: 600, gid: nil, roles: role))
    let id = peers.greeted(1, uid: 600)
    // A request that cannot be read: who may call learns so, and nothing happens.
    peers.open(id, 1, method.rawValue, [0x0A, 9])
    let service = method.rawValue.split(separator: "/")[0]
    let needed: Roles =
      switch service {
      case "holdfast.v1.WorkerService": .worker
      case "holdfast.v1.OperatorService": .operator
      default: .client
      }
    #expect(
      peers.takeShort(id) == [
        role == needed
          ? "End 1 INVALID_ARGUMENT MALFORMED_REQUEST" : "End 1 PERMISSION_DENIED PERMISSION"
      ])
  }

  @Test func oneUserHasSoManyConnectionsAndOthersTheirs() {
    var peers = Peers {
      $0.access = AccessRules(ownUID: 500, rules: [.init(uid: 600, gid: nil, roles: .client)])
      $0.limits.connectionsPerUserMax = 2
    }
    #expect(peers.isAccepted(ConnectionID(1), uid: 600) == true)
    #expect(peers.isAccepted(ConnectionID(2), uid: 600) == true)
    #expect(peers.isAccepted(ConnectionID(3), uid: 600) == false)
    #expect(peers.isAccepted(ConnectionID(4), uid: 500) == true)
    peers.disconnect(ConnectionID(1))
    #expect(peers.isAccepted(ConnectionID(5), uid: 600) == true)
  }

  @Test func allTogetherHaveSoMany() {
    var peers = Peers {
      $0.access = AccessRules(ownUID: 500)
      $0.limits.connectionsMax = 2
    }
    #expect(peers.isAccepted(ConnectionID(1), uid: 0) == true)
    #expect(peers.isAccepted(ConnectionID(2), uid: 500) == true)
    #expect(peers.isAccepted(ConnectionID(3), uid: 0) == false)
    peers.disconnect(ConnectionID(2))
    #expect(peers.isAccepted(ConnectionID(4), uid: 0) == true)
  }
}
