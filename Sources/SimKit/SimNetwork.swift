import Messages
import Shell
import Wire

/// One connection: two byte pipes, each in order, with a latency; either can be cut in any place.
final class Link {
  enum Owner {
    case client(Int)
    case worker(Int)
  }

  let id: ConnectionID
  let owner: Owner
  /// The process at the other end, where the kernel tells it.
  let process: Int64?
  fileprivate var toEngineUs: Int64 = 0
  fileprivate var toPeerUs: Int64 = 0
  /// Nothing is sent any more.
  private(set) var isBroken = false
  fileprivate var losesToEngine = false
  fileprivate var losesToPeer = false
  /// The end has come to that side.
  var isEngineDone = false
  var isPeerDone = false
  /// Bytes that the peer has not read.
  var unreadBytes = 0

  init(id: ConnectionID, owner: Owner, process: Int64?) {
    self.id = id
    self.owner = owner
    self.process = process
  }

  fileprivate func breakOff() { isBroken = true }

  private var decoder = FrameDecoder(frameBytesMax: 4 << 20)

  /// The worker's messages in what has just come to the engine, for the checkers.
  func workerMessages(_ bytes: [UInt8]) -> [WorkerMessage.Kind] {
    bytes.withUnsafeBytes { decoder.feed($0) }
    var kinds: [WorkerMessage.Kind] = []
    while let frame = try? decoder.next() {
      guard case .message(let message) = frame.kind,
        let request = try? WorkRequest(bytes: message.body)
      else { continue }
      kinds += request.messages.compactMap(\.kind)
    }
    return kinds
  }
}

/// Carries bytes between the engine and its peers.
struct SimNetwork {
  private let latencyUs: ClosedRange<Int64>
  private let splitPercent: Int
  private var links: UInt64 = 0

  init(_ options: Options) {
    latencyUs = options.latencyUs
    splitPercent = options.splitPercent
  }

  mutating func link(_ owner: Link.Owner, process: Int64?) -> Link {
    links += 1
    return Link(id: ConnectionID(links), owner: owner, process: process)
  }

  /// The pieces in which the bytes arrive.
  private func pieces(_ bytes: [UInt8], _ dice: inout Dice) -> [[UInt8]] {
    guard bytes.count > 1, dice.percent(splitPercent) else { return [bytes] }
    var pieces: [[UInt8]] = []
    var start = 0
    while start < bytes.count && pieces.count < 4 {
      let end = dice.int(start + 1...bytes.count)
      pieces.append(Array(bytes[start..<end]))
      start = end
    }
    if start < bytes.count { pieces.append(Array(bytes[start...])) }
    return pieces
  }

  func sendToEngine(_ link: Link, _ bytes: [UInt8], _ world: inout WorldTime) {
    guard !link.isBroken else { return }
    for piece in pieces(bytes, &world.dice) {
      link.toEngineUs = max(link.toEngineUs, world.us + world.dice.int64(latencyUs))
      world.queue.put(.toEngine(link, piece), at: link.toEngineUs)
    }
  }

  func sendToPeer(_ link: Link, _ bytes: [UInt8], _ world: inout WorldTime) {
    guard !link.isBroken else { return }
    link.unreadBytes += bytes.count
    for piece in pieces(bytes, &world.dice) {
      link.toPeerUs = max(link.toPeerUs, world.us + world.dice.int64(latencyUs))
      world.queue.put(.toPeer(link, piece), at: link.toPeerUs)
    }
  }

  /// Ends the link. What is under way still arrives, or not: then nothing after it either.
  func breakOff(_ link: Link, loses: Bool, _ world: inout WorldTime) {
    guard !link.isBroken else { return }
    link.breakOff()
    link.losesToEngine = loses && world.dice.percent(50)
    link.losesToPeer = loses && world.dice.percent(50)
    link.toEngineUs = max(link.toEngineUs, world.us + world.dice.int64(latencyUs))
    link.toPeerUs = max(link.toPeerUs, world.us + world.dice.int64(latencyUs))
    world.queue.put(.toEngine(link, nil), at: link.toEngineUs)
    world.queue.put(.toPeer(link, nil), at: link.toPeerUs)
  }

  /// The peer reads nothing for so long.
  func stall(_ link: Link, us: Int64, _ world: inout WorldTime) {
    link.toPeerUs = max(link.toPeerUs, world.us + us)
  }

  static func arrivesAtEngine(_ link: Link, _ bytes: [UInt8]?) -> Bool {
    !link.isEngineDone && (bytes == nil || !link.losesToEngine)
  }

  static func arrivesAtPeer(_ link: Link, _ bytes: [UInt8]?) -> Bool {
    link.unreadBytes -= bytes?.count ?? 0
    return !link.isPeerDone && (bytes == nil || !link.losesToPeer)
  }
}

/// Time, chance and what is to come: what everything in a simulation shares.
struct WorldTime {
  var clock = SimClock()
  var dice: Dice
  var queue = EventQueue()

  var us: Int64 { clock.us }
  mutating func after(_ us: Int64, _ event: SimEvent) { queue.put(event, at: clock.us + us) }
}
