import Basics
import EngineCore
import Messages
import SQLiteStore
import Shell
import Wire

/// The engine's process: production `Shell` and `Store`, bound to the simulation as `Sidecar` binds
/// them to the machine. It decides nothing.
final class EngineHost {
  unowned let world: Simulation
  let disk: SimDisk
  /// Another one for each process, and for each time without one.
  private(set) var life = 0
  private(set) var lives = 0
  private(set) var kills = 0
  private(set) var powerLosses = 0
  private(set) var store: Store?
  private(set) var shell: Shell?
  /// Accepted and not gone, in the order in which they came.
  private(set) var links: [Link] = []
  private var decoders: [ConnectionID: FrameDecoder] = [:]
  private var output = ShellOutput()
  private var watched: [Int64] = []

  private var isTurnPlanned = false
  private var isDraining = false
  private var deadlineGeneration = 0
  private var lastDeadlineUs: Int64?
  static let path = "sim.db"
  private static let bootID = "boot"
  private static let graceUs: Int64 = 5_000_000

  /// The batch whose outcome nobody knows yet.
  var uncertain: [Write] = []

  // The store's thread.
  var orders = Queue<StoreOrder>()
  var isStoreBusy = false
  var isFull = false
  var restGeneration = 0
  /// A copy under way, and what a mutant has taken at its beginning.
  var backup: Backup?
  var backupHead: [UInt8] = []

  init(_ world: Simulation) {
    self.world = world
    disk = SimDisk()
    disk.isLying = world.mutant == .syncsNothing
    if let file = world.options.file { disk.put(EngineHost.path, file) }
  }

  var isUp: Bool { shell != nil }

  // MARK: - Processes

  func start() {
    precondition(shell == nil, "the engine starts twice")
    life += 1
    lives += 1
    disk.restart()
    var options = StoreOptions()
    options.vfs = disk.name
    options.checkpointBytes = world.options.checkpointBytes
    options.deadlineWindow = world.options.deadlineWindow
    do throws(StoreError) {
      let (store, opened) = try Store.open(path: EngineHost.path, options: options)
      self.store = store
      try world.ledger.reload(store, uncertain: uncertain)
      world.ledger.reload(opened)
      uncertain = []
      serve(opened)
    } catch {
      switch error {
      case .full, .unknownOutcome, .system:
        world.trace("the engine cannot start")
        store = nil
        world.time.after(500_000, .restart)
      default:
        let isOld = lives == 1 && world.options.file != nil
        world.found(isOld ? OldFilesOpen.name : "Store", "the file cannot be opened: \(error)")
      }
    }
  }

  private func serve(_ opened: OpenedStore) {
    var engine = EngineConfiguration(seed: world.time.dice.word())
    engine.times.residency = Span(ms: world.options.residencyMs)
    engine.limits = world.options.limits
    // The shortest absence is to be too long for some.
    engine.times.catchupWindowMin = Span(ms: 100)
    if world.options.retentionMs > 0 {
      engine.times.retention = Span(ms: world.options.retentionMs)
    }
    var configuration = ShellConfiguration(
      engine: engine, access: AccessRules(ownUID: 0), serverVersion: "sim",
      storePath: EngineHost.path)
    configuration.limits = world.options.shellLimits
    world.trace("engine \(life) serves, epoch \(opened.epoch)")
    world.observe(.reopened)
    shell = Shell(configuration, opened: opened, at: reading)
    planTurn()
  }

  /// The process is asked to end: it finishes what is out, for so long.
  func drain() {
    guard shell != nil, !isDraining else { return }
    isDraining = true
    world.trace("engine \(life) drains")
    withShell { $0.drain() }
    world.time.after(EngineHost.graceUs, .engine(.graceEnds, life: life))
  }

  /// The process ends in good order.
  private func stop() {
    world.trace("engine \(life) ends")
    endBackup()
    shell = nil
    store = nil
    leave()
  }

  /// The process ends without a word. `power`: the machine's memory goes with it.
  func crash(power: Bool) {
    guard shell != nil || store != nil else { return }
    world.trace("engine \(life) crashes\(power ? ", power lost" : "")")
    disk.stop()
    endBackup()
    shell = nil
    store = nil
    kills += 1
    if power {
      powerLosses += 1
      disk.losePower(world.time.dice.word())
    }
    leave()
  }

  /// Nothing of the process is left.
  private func leave() {
    for link in links { world.network.breakOff(link, loses: true, &world.time) }
    links = []
    decoders = [:]
    watched = []
    orders = Queue()
    isStoreBusy = false
    isFull = false
    isTurnPlanned = false
    isDraining = false
    lastDeadlineUs = nil
    life += 1
    world.observe(.engineDied)
    world.time.after(world.time.dice.int64(1_000...1_000_000), .restart)
  }

  /// The store's file as it is now; empty while the engine is down.
  func file() -> [UInt8] {
    do throws(StoreError) {
      try store?.checkpointIfNeeded(isIdle: true)
    } catch { return [] }
    return store == nil ? [] : disk.bytes(EngineHost.path)
  }

  /// The simulation is over; the connection is closed while its disk is still there.
  func end() {
    endBackup()
    shell = nil
    store = nil
  }

  // MARK: - Inputs

  func accept(_ link: Link) -> Bool {
    guard shell != nil else { return false }
    beginTurn()
    let process = link.process.map(identity)
    let peer = Peer(uid: 0, gid: 0, process: process)
    guard shell?.connected(link.id, peer) ?? false else { return false }
    if let number = link.process { watched.append(number) }
    links.append(link)
    decoders[link.id] = FrameDecoder(frameBytesMax: 4 << 20)
    return true
  }

  private func identity(_ process: Int64) -> ProcessIdentity {
    ProcessIdentity(bootID: EngineHost.bootID, process: process, start: process)
  }

  func received(_ link: Link, _ bytes: [UInt8]) {
    guard shell != nil, links.contains(where: { $0 === link }) else { return }
    beginTurn()
    bytes.withUnsafeBytes { shell?.received(link.id, $0) }
  }

  func disconnected(_ link: Link) {
    guard shell != nil, let place = links.firstIndex(where: { $0 === link }) else { return }
    links.remove(at: place)
    decoders[link.id] = nil
    beginTurn()
    shell?.disconnected(link.id)
    world.observe(.linkEnded(link.id))
  }

  /// The kernel tells of a process that is watched.
  func processGone(_ process: Int64) {
    guard shell != nil, watched.contains(process) else { return }
    watched.removeAll { $0 == process }
    beginTurn()
    shell?.processGone(identity(process))
    for link in links where link.process == process { world.observe(.linkEnded(link.id)) }
  }

  func handle(_ event: EngineEvent) {
    switch event {
    case .turn: endTurn()
    case .deadline(let generation):
      guard generation == deadlineGeneration else { return }
      lastDeadlineUs = nil
      beginTurn()
      shell?.deadlineReached()
    case .hold: beginTurn()
    case .graceEnds: crash(power: false)
    case .store: storeIsDone()
    case .storeRests(let generation): storeRests(generation)
    }
  }

  // MARK: - Turns

  /// The clocks are read once a turn, when its first event comes.
  func beginTurn() {
    guard !isTurnPlanned else { return }
    shell?.advance(reading)
    planTurn()
  }

  private var reading: ClockReading {
    world.time.clock.reading(isFast: world.mutant == .clockRunsAhead)
  }

  private func planTurn() {
    isTurnPlanned = true
    world.time.after(world.time.dice.int64(1...30), .engine(.turn, life: life))
  }

  func withShell(_ body: (inout Shell) -> Void) {
    guard shell != nil else { return }
    beginTurn()
    body(&shell!)
  }

  private func endTurn() {
    isTurnPlanned = false
    guard shell != nil else { return }
    for process in shell?.takeWatches() ?? [] { watch(process) }
    shell?.flush(into: &output)
    // For the engine they are gone, whatever of theirs is still on its way.
    for id in output.closing + output.cut { world.observe(.linkEnded(id)) }
    for load in output.loads { order(.load(load)) }
    if let writes = output.commit {
      order(.commit(writes))
      if world.mutant == .answersBeforeCommit {
        withShell { $0.persisted(us: 100) }
      }
    }
    for id in output.dirty { write(id) }
    for link in links { tellHeld(link) }
    for id in output.closing + output.cut {
      guard let link = links.first(where: { $0.id == id }) else { continue }
      world.network.breakOff(link, loses: false, &world.time)
    }
    if output.isDrained { return stop() }
    if let us = output.holdUs { world.time.after(us, .engine(.hold, life: life)) }
    planDeadline()
  }

  private func planDeadline() {
    guard let ms = shell?.nextDeadlineMs else {
      deadlineGeneration += 1
      lastDeadlineUs = nil
      return
    }
    let us = world.time.us + ms * 1_000
    guard us != lastDeadlineUs else { return }
    lastDeadlineUs = us
    deadlineGeneration += 1
    world.time.queue.put(
      .engine(.deadline(generation: deadlineGeneration), life: life), at: us)
  }

  private func watch(_ identity: ProcessIdentity) {
    guard !watched.contains(identity.process) else { return }
    watched.append(identity.process)
    guard world.deadProcesses.contains(identity.process) else { return }
    withShell { $0.processGone(identity) }
    watched.removeAll { $0 == identity.process }
  }

  private func write(_ id: ConnectionID) {
    guard let bytes = shell?.takeOutgoing(id), !bytes.isEmpty,
      let link = links.first(where: { $0.id == id })
    else { return }
    look(at: bytes, link)
    world.network.sendToPeer(link, bytes, &world.time)
    tellUnread(link)
  }

  /// What the peer has not read; once it has, streamed answers go on.
  func tellUnread(_ link: Link) {
    shell?.unread(link.id, bytes: max(0, link.unreadBytes))
    if shell?.hasOutput ?? false { beginTurn() }
  }

  /// Shows the checkers what is kept for the peer; what it has not read, by the network's account.
  private func tellHeld(_ link: Link) {
    guard let received = shell?.receivedBytes(link.id) else { return }
    guard received > 0 || link.unreadBytes > 0 else { return }
    world.observe(.held(link.id, received: received, unread: link.unreadBytes))
  }

  /// Shows the checkers what is just leaving.
  private func look(at bytes: [UInt8], _ link: Link) {
    bytes.withUnsafeBytes { decoders[link.id]?.feed($0) }
    while let frame = try? decoders[link.id]?.next() {
      world.trace("to \(link.id.value): \(frame.short)")
      switch (frame.kind, link.owner) {
      case (.end(let end), .client(let index)):
        guard let request = world.clients[index].request(of: frame.stream, on: link.id)
        else { continue }
        world.observe(.answerLeaves(request, Answer(end)))
      case (.message(let message), .client(let index)):
        guard let request = world.clients[index].request(of: frame.stream, on: link.id)
        else { continue }
        world.observe(.partLeaves(request, message.body))
      case (.message(let message), .worker):
        for message in (try? WorkResponse(bytes: message.body))?.messages ?? [] {
          guard let kind = message.kind else { continue }
          world.trace("  \(kind.short)")
          world.observe(.toWorker(link.id, kind))
        }
      // The Work stream is over, though its connection is not.
      case (.end, .worker): world.observe(.linkEnded(link.id))
      default: continue
      }
    }
  }
}

extension Frame {
  /// The frame in a few words, for the trace; its bytes count by their hash.
  fileprivate var short: String {
    let hash = Fingerprint(of: serialized()).low
    let name: String
    switch kind {
    case .welcome: name = "Welcome"
    case .goAway(let goAway): name = "GoAway \(goAway.message)"
    case .message: name = "Message"
    case .end(let end): name = "End \(end.status.map { "\($0.reason.name) \($0.message)" } ?? "OK")"
    case .ping: name = "Ping"
    default: name = "frame"
    }
    return "\(name) on \(stream), \(hash)"
  }
}
