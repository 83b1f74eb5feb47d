import Basics
import Messages
import Shell

enum ClientEvent {
  case connect
  /// Makes the next request of the workload.
  case next
  /// Sends what was refused for a while again.
  case again(ClientRequest)
  /// Does not want the answer any more, if there was none yet.
  case abandon(link: ConnectionID, stream: UInt64)
}

/// An application: makes random requests, and sends each until it has been answered for good.
final class SimClient {
  let index: Int
  private unowned let world: Simulation
  private var connection: PeerConnection?
  /// Sent on this connection, in order of their streams.
  private var pending: [(stream: UInt64, request: ClientRequest)] = []
  /// Everything that was ever sent: what leaves on a connection that is lost is looked at too.
  private var sent: [SentStream: ClientRequest] = [:]
  /// To be sent on the next connection.
  private var waiting: [ClientRequest] = []
  private var refused = 0
  /// The messages of streamed answers.
  private var parts: [UInt64: [[UInt8]]] = [:]

  init(_ index: Int, _ world: Simulation) {
    self.index = index
    self.world = world
  }

  var isIdle: Bool { pending.isEmpty && waiting.isEmpty && refused == 0 }
  var openRequests: [ClientRequest] { pending.map(\.request) + waiting }

  private struct SentStream: Hashable {
    let link: ConnectionID
    let stream: UInt64
  }

  func request(of stream: UInt64, on link: ConnectionID) -> ClientRequest? {
    sent[SentStream(link: link, stream: stream)]
  }

  func handle(_ event: ClientEvent) {
    switch event {
    case .connect: connect()
    case .next:
      if let request = world.nextRequest() { send(request) }
    case .again(let request):
      refused -= 1
      send(request)
    case .abandon(let link, let stream):
      guard let connection, connection.link.id == link,
        pending.contains(where: { $0.stream == stream })
      else { return }
      write(connection.bytes(.cancel(Cancel()), stream: stream))
    }
  }

  func connect() {
    guard connection == nil else { return }
    guard let link = world.connect(.client(index), process: nil) else {
      return world.time.after(
        world.time.dice.int64(10_000...200_000), .client(index, .connect))
    }
    let connection = PeerConnection(link)
    self.connection = connection
    write(connection.hello("client-\(index)"))
    let requests = waiting
    waiting = []
    for request in requests { send(request) }
  }

  func disconnected(_ link: Link) {
    guard connection?.link === link else { return }
    connection = nil
    waiting = pending.map(\.request) + waiting
    pending = []
    parts = [:]
    world.time.after(world.time.dice.int64(0...100_000), .client(index, .connect))
  }

  func send(_ request: ClientRequest) {
    guard var connection else { return waiting.append(request) }
    var request = request
    if request.firstSentUs < 0 { request.firstSentUs = world.time.us }
    request.sentUs = world.time.us
    let stream = connection.openStream()
    self.connection = connection
    pending.append((stream, request))
    sent[SentStream(link: connection.link.id, stream: stream)] = request
    world.observe(.sent(request))
    world.trace("client \(index) sends \(request.name) on \(connection.link.id.value) \(stream)")
    write(
      connection.request(
        request.method, request.bytes, stream: stream, timeoutMs: request.timeoutMs))
    guard world.hasFaults, world.time.dice.percent(world.options.abandonPercent) else { return }
    world.time.after(
      world.time.dice.int64(0...200_000),
      .client(index, .abandon(link: connection.link.id, stream: stream)))
  }

  private func write(_ bytes: [UInt8]) {
    guard let connection else { return }
    world.network.sendToEngine(connection.link, bytes, &world.time)
  }

  func received(_ link: Link, _ bytes: [UInt8]) {
    guard connection?.link === link else { return }
    guard let frames = connection?.take(bytes) else {
      return world.found("Frames", "client \(index) was sent bytes that are no frame")
    }
    for frame in frames {
      guard let connection else { return }
      switch frame.kind {
      case .ping(let ping): write(connection.pong(ping))
      case .goAway(let goAway) where goAway.code == .ok: break
      case .goAway: world.network.breakOff(connection.link, loses: false, &world.time)
      case .message(let message):
        parts[frame.stream, default: []].append(message.body)
        var credit = Credit()
        credit.messages = 1
        write(connection.bytes(.credit(credit), stream: frame.stream))
      case .end(let end): ended(frame.stream, Answer(end))
      default: break
      }
    }
  }

  private func ended(_ stream: UInt64, _ answer: Answer) {
    guard let place = pending.firstIndex(where: { $0.stream == stream }) else {
      return world.found("Streams", "client \(index): stream \(stream) ends and is not open")
    }
    let request = pending.remove(at: place).request
    let parts = parts.removeValue(forKey: stream) ?? []
    if answer.isToBeRepeated {
      refused += 1
      return world.time.after(
        world.time.dice.int64(20_000...300_000), .client(index, .again(request)))
    }
    world.trace("client \(index) has \(answer.status?.reason.name ?? "OK") to \(request.name)")
    world.observe(.answered(request, answer, parts))
    world.answered()
    if answer.isOK, let look = world.lookAfter(request) { return send(look) }
    world.time.after(
      world.time.dice.int64(0...2 * world.options.thinkMs) * 1_000, .client(index, .next))
  }
}
