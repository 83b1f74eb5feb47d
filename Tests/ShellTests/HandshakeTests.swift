import Basics
import EngineCore
import Messages
import Testing
import Wire

@testable import Shell

/// FRM and HSK of proto/README.md.
@Suite("Frames and handshake") struct HandshakeTests {
  /// Length, Hello{protocol_versions: [1]}.
  private let hello: [UInt8] = [0, 0, 0, 5, 0x12, 3, 0x0A, 1, 1]

  @Test func helloIsAnsweredByWelcomeWithTheLimits() throws {
    var peers = Peers { $0.limits.frameBytesMax = 2 << 20 }
    let id = peers.connect(1)
    peers.send(id, hello)
    let frames = peers.take(id)
    #expect(frames.map(\.stream) == [0])
    guard case .welcome(let welcome) = frames.first?.kind else {
      Issue.record("\(frames)")
      return
    }
    #expect(welcome.protocolVersion == 1)
    #expect(welcome.epoch == 1)
    #expect(welcome.serverVersion == "test")
    let limits = try #require(welcome.limits)
    #expect(limits.frameBytesMax == 2 << 20)
    #expect(limits.payloadBytesMax == 2 << 20)
    #expect(limits.streamsMax == 10_000)
    #expect(limits.initialCredit == 16)
    #expect(limits.idBytesMax == 1_000)
  }

  @Test func oneOfSeveralVersionsIsEnough() {
    var peers = Peers()
    let id = peers.connect(1)
    var hello = Hello()
    hello.protocolVersions = [9, 1, 2]
    peers.send(id, .hello(hello))
    #expect(peers.takeShort(id) == ["Welcome"])
  }

  @Test(arguments: [[], [0], [2, 3]] as [[UInt32]])
  func withoutACommonVersionTheConnectionEnds(_ versions: [UInt32]) {
    var peers = Peers()
    let id = peers.connect(1)
    var hello = Hello()
    hello.protocolVersions = versions
    peers.send(id, .hello(hello))
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VERSION"])
    #expect(peers.closed == [id])
  }

  @Test(
    arguments: [
      .open(Open()), .message(StreamMessage()), .cancel(Cancel()), .credit(Credit()), .ping(Ping()),
      .pong(Pong()), .goAway(GoAway()), .welcome(Welcome()), .end(End()),
    ] as [Frame.Kind])
  func anythingElseFirstEndsTheConnection(_ kind: Frame.Kind) {
    var peers = Peers()
    let id = peers.connect(1)
    peers.send(id, kind)
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func helloOnAStreamEndsTheConnection() {
    var peers = Peers()
    let id = peers.connect(1)
    var hello = Hello()
    hello.protocolVersions = [1]
    peers.send(id, stream: 1, .hello(hello))
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func aSecondHelloEndsTheConnection() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.send(id, hello)
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func noHelloWithinFiveSecondsEndsTheConnection() {
    var peers = Peers()
    let id = peers.connect(1)
    peers.send(id, Array(hello.dropLast()))  // Nearly one.
    peers.advance(4_999)
    #expect(peers.takeShort(id) == [])
    peers.advance(1)
    #expect(peers.takeShort(id) == ["GoAway UNAVAILABLE HANDSHAKE_TIMEOUT"])
    #expect(peers.closed == [id])
  }

  @Test func afterHelloNothingIsDue() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.advance(60_000)
    #expect(peers.takeShort(id) == [])
    #expect(peers.closed == [])
  }

  @Test func aFaultIsToldOnceAndNothingFollowsIt() {
    var peers = Peers()
    peers.closesWait = true
    let id = peers.connect(1)
    peers.ping(id, 1)
    peers.send(id, hello)
    peers.advance(60_000)
    peers.drain()
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func whatWaitedIsNotAnsweredAfterAFault() {
    var peers = Peers()
    peers.closesWait = true
    let id = peers.greeted(1)
    peers.isStoreBusy = true
    peers.start(id, 1, "a")
    peers.send(id, hello)
    peers.persist()
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
  }

  @Test func aPeerThatDoesNotReadWhyIsCutOffAfterFiveSeconds() {
    var peers = Peers()
    peers.closesWait = true
    let id = peers.greeted(1)
    peers.send(id, hello)
    peers.advance(4_999)
    #expect(peers.cut == [])
    peers.advance(1)
    #expect(peers.cut == [id])
    #expect(peers.shell.connections.isEmpty)
    #expect(peers.shell.deadlines.count == 0)
  }

  @Test func aPeerThatLeavesTooMuchUnreadIsCutOff() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.attach(id)
    peers.unread(id, bytes: 8 << 20)
    #expect(peers.cut == [])
    peers.unread(id, bytes: 8 << 20 + 1)
    peers.unread(id, bytes: 8 << 20 + 1)
    #expect(peers.cut == [id])
    #expect(peers.shell.connections.isEmpty)
    #expect(peers.shell.sessions.isEmpty)
  }

  /// A worker at fault may leave what it was sent unread: its tasks do not wait for that.
  @Test func theSessionsOfAConnectionAtFaultEndAtOnce() {
    var peers = Peers()
    peers.closesWait = true
    let worker = peers.greeted(1)
    peers.attach(worker)
    let other = peers.greeted(2)
    peers.attach(other)
    _ = peers.take(other)
    peers.send(worker, hello)
    let client = peers.greeted(3)
    peers.start(client, 1, "a")
    let activations = peers.takeWork(other).filter {
      if case .activation = $0 { true } else { false }
    }
    #expect(activations.count == 1)
  }

  @Test(
    arguments: [
      ([0, 0, 0, 0], "RESOURCE_EXHAUSTED FRAME_TOO_LARGE"),
      ([0, 0, 1, 1], "RESOURCE_EXHAUSTED FRAME_TOO_LARGE"),
      ([0xFF, 0xFF, 0xFF, 0xFF], "RESOURCE_EXHAUSTED FRAME_TOO_LARGE"),
      ([0, 0, 0, 2, 0x12, 9], "INVALID_ARGUMENT PROTOCOL_VIOLATION"),
    ] as [([UInt8], String)])
  func framesThatCannotBeEndTheConnection(_ bytes: [UInt8], _ fault: String) {
    var peers = Peers { $0.limits.frameBytesMax = 256 }
    let id = peers.greeted(1)
    peers.send(id, bytes + [0, 0, 0, 4, 0x52, 2, 0x08, 7])
    #expect(peers.takeShort(id) == ["GoAway \(fault)"], "what follows is not read")
    #expect(peers.closed == [id])
  }

  @Test func theLongestFrameIsTaken() {
    var peers = Peers { $0.limits.frameBytesMax = 256 }
    let id = peers.greeted(1)
    // Ping{id: 7}, and an unknown field of Frame that fills it up to 256 bytes.
    let filler = [0xFA, 0x01, 0xF8, 0x01] + [UInt8](repeating: 0, count: 248)
    peers.send(id, [0, 0, 1, 0, 0x52, 2, 0x08, 7] + filler.dropLast())
    #expect(peers.takeShort(id) == [])
    peers.send(id, [0])
    #expect(peers.takeShort(id) == ["Pong 7"])
  }

  @Test func framesMayComeCutAnywhere() {
    var open = Open()
    open.method = Method.operatorHealth.rawValue
    open.end = true
    var frame = Frame()
    frame.stream = 1
    frame.kind = .open(open)
    var encoder = FrameEncoder()
    var bytes = hello
    encoder.append(frame, to: &bytes)
    bytes += [0, 0, 0, 4, 0x52, 2, 0x08, 7]
    for cut in 0...bytes.count {
      var peers = Peers()
      let id = peers.connect(1)
      peers.send(id, Array(bytes[..<cut]))
      peers.send(id, Array(bytes[cut...]))
      #expect(peers.takeShort(id) == ["Welcome", "End 1 OK", "Pong 7"], "cut at \(cut)")
    }
  }

  @Test func aKindOfALaterVersionIsIgnored() {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.send(id, [0, 0, 0, 3, 0xFA, 0x01, 0x00])
    peers.send(id, [0, 0, 0, 2, 0x08, 0x05])
    peers.ping(id, 3)
    #expect(peers.takeShort(id) == ["Pong 3"])
  }

  @Test(arguments: [.welcome(Welcome()), .end(End())] as [Frame.Kind])
  func aFrameThatOnlyTheEngineSendsEndsTheConnection(_ kind: Frame.Kind) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.send(id, stream: 1, kind)
    #expect(peers.takeShort(id) == ["GoAway FAILED_PRECONDITION PROTOCOL_VIOLATION"])
    #expect(peers.closed == [id])
  }

  @Test func oneConnectionsFaultIsNotAnothers() {
    var peers = Peers()
    let bad = peers.greeted(1)
    let good = peers.greeted(2)
    peers.send(bad, [0, 0, 0, 0])
    peers.ping(good, 1)
    #expect(peers.takeShort(good) == ["Pong 1"])
    #expect(peers.closed == [bad])
  }
}
