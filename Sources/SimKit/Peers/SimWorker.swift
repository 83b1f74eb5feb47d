import Basics
import Messages

/// What a worker has put on its agenda.
enum WorkerEvent {
  case connect
  /// An activation or a part of a replay is to be worked on.
  case workflowTask(connection: ConnectionNumber)
  case heartbeat(token: [UInt8], left: Int)
  case activityEnds(token: [UInt8])
  case activityGivesUp(token: [UInt8])
  case localEnds(number: Int64)
  case start
}

typealias ConnectionNumber = UInt64

/// A worker process: attaches, runs programs and activities, replays, comes back with its leases,
/// and dies.
final class SimWorker {
  /// Of what it finds wrong with its tasks.
  static let name = "Activations"
  let index: Int
  unowned let world: Simulation
  /// Counts the processes that were this worker.
  private(set) var life = 0
  private(set) var isAlive = false
  private(set) var isGoneForGood = false
  var connection: PeerConnection?
  var stream: UInt64 = 0
  var resumeToken: [UInt8] = []
  /// The runs of the cache, for look-ups only.
  var runs: [RunID: Replica] = [:]
  /// Runs that the worker dropped by itself, and that it was not shown again since.
  var dropped: [RunID] = []
  /// Runs whose replay was answered, and whose activation has not come: one slot each.
  var replayed: [RunID] = []
  /// Workflow tasks in the order in which they came.
  var tasks = Queue<EngineMessage.Kind>()
  /// What the worker holds: attempts that run, and results that are not recorded yet.
  var activities: [HeldActivity] = []
  /// Local activities that run, and what waits for the record of a completion until it may.
  var locals: [HeldLocal] = []
  var leaves: [(token: [UInt8], run: RunID, attempts: [LocalAttempt])] = []

  init(_ index: Int, _ world: Simulation) {
    self.index = index
    self.world = world
  }

  /// The number of the process, where it is told.
  var process: Int64 { Int64(index * 10_000 + life) }
  var identity: String { "worker-\(index)-\(life)" }

  // MARK: - Processes

  func start() {
    guard !isGoneForGood else { return }
    life += 1
    isAlive = true
    resumeToken =
      Payload(numbers: (0..<2).map { _ in Int64(world.time.dice.int(0...1 << 40)) })
      .data
    connect()
  }

  func die(forGood: Bool) {
    guard isAlive else { return }
    world.trace("worker \(index) dies\(forGood ? " for good" : "")")
    isAlive = false
    isGoneForGood = forGood
    if let connection { world.network.breakOff(connection.link, loses: true, &world.time) }
    drop()
    activities = []
    let process = process
    world.deadProcesses.append(process)
    if world.options.hasEvidence {
      world.time.after(world.time.dice.int64(0...20_000), .processGone(process))
    }
    if !forGood { plan(.start, afterUs: world.time.dice.int64(1_000...3_000_000)) }
  }

  // MARK: - Connections

  func connect() {
    guard isAlive, connection == nil else { return }
    let process = world.options.hasEvidence ? process : nil
    guard let link = world.connect(.worker(index), process: process) else {
      return plan(.connect, afterUs: world.time.dice.int64(10_000...200_000))
    }
    connection = PeerConnection(link)
    send(PeerConnection(link).hello(identity))
  }

  /// What a lost connection takes with it: every cached run, and every workflow task.
  private func drop() {
    connection = nil
    runs = [:]
    replayed = []
    dropped = []
    tasks = Queue()
    locals = []
    leaves = []
  }

  func disconnected(_ link: Link) {
    guard connection?.link === link else { return }
    drop()
    guard isAlive else { return }
    plan(.connect, afterUs: world.time.dice.int64(0...100_000))
  }

  private func attach() {
    guard var connection else { return }
    stream = connection.openStream()
    self.connection = connection
    var attach = Attach()
    attach.taskQueue = "q"
    attach.workflowTypes = [Program.type]
    attach.activityTypes = ["step"]
    attach.identity = identity
    attach.cachedRunsMax = world.options.cachedRunsMax
    attach.resumeToken = resumeToken
    attach.heldLeases = activities.map(\.token)
    var open = Open()
    open.method = Method.workerWork.rawValue
    open.message = WorkRequest.of([.attach(attach)]).serialized()
    send(connection.bytes(.open(open), stream: stream))
    // Results whose record the old connection did not tell of are sent again.
    tell(activities.compactMap(\.answer))
    let running = UInt32(activities.count { $0.answer == nil })
    var grant = Grant()
    grant.workflowSlots = world.options.slots
    grant.activitySlots = max(world.options.slots, running) - running
    tell([.grant(grant)])
  }

  func received(_ link: Link, _ bytes: [UInt8]) {
    guard connection?.link === link else { return }
    guard let frames = connection?.take(bytes) else {
      return world.found("Frames", "worker \(index) was sent bytes that are no frame")
    }
    for frame in frames {
      guard let connection else { return }
      switch frame.kind {
      case .welcome: attach()
      case .ping(let ping): send(connection.pong(ping))
      case .message(let message): take(message.body)
      case .goAway(let goAway) where goAway.code == .ok: break
      case .end, .goAway:
        // The session or the connection is over: come again with a new one.
        world.network.breakOff(connection.link, loses: false, &world.time)
      default: break
      }
    }
  }

  private func take(_ body: [UInt8]) {
    guard let response = try? WorkResponse(bytes: body) else {
      return world.found("Frames", "worker \(index) was sent a message that cannot be read")
    }
    for message in response.messages {
      switch message.kind {
      case .activation, .replayHistory:
        guard let kind = message.kind, let connection else { continue }
        tasks.append(kind)
        plan(
          .workflowTask(connection: connection.link.id.value),
          afterUs: world.time.dice.int64(world.options.workflowTaskMs) * 1_000)
      case .evict(let evict): self.evict(evict.runID)
      case .activityTask(let task): begin(task)
      case .activityCancel(let cancel): cancelled(cancel)
      case .recorded(let recorded):
        for token in recorded.tokens {
          beginLocals(token)
          self.recorded(token)
        }
      case .refused(let refused): self.refused(refused)
      case .attached(let attached): for token in attached.lostLeases { lose(token) }
      case .drain, nil: break
      }
    }
  }

  // MARK: - Sending

  func tell(_ kinds: [WorkerMessage.Kind]) {
    guard let connection, !kinds.isEmpty else { return }
    send(connection.message(kinds, stream: stream))
  }

  private func send(_ bytes: [UInt8]) {
    guard let connection else { return }
    world.network.sendToEngine(connection.link, bytes, &world.time)
  }

  func plan(_ event: WorkerEvent, afterUs us: Int64) {
    world.time.after(us, .worker(index, event, life: life))
  }

  func handle(_ event: WorkerEvent) {
    switch event {
    case .start: start()
    case .connect: connect()
    case .workflowTask(let number):
      guard connection?.link.id.value == number else { return }
      workOnTask()
    case .heartbeat(let token, let left): heartbeat(token, left: left)
    case .activityEnds(let token): endActivity(token)
    case .activityGivesUp(let token): giveUp(token)
    case .localEnds(let number): endLocal(number)
    }
  }
}
