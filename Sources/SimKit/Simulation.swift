import Basics
import Messages
import Shell

/// One seed's world: an engine, its clients and workers, and one queue of events that drives them.
///
/// In the first phase there are faults; then they end, and all runnable work must come to its end
/// within a bounded time.
final class Simulation {
  private(set) var options: Options
  let mutant: WorldMutant?
  var time: WorldTime
  var network: SimNetwork
  let ledger = Ledger()
  private(set) var clients: [SimClient] = []
  private(set) var workers: [SimWorker] = []
  private var engine: EngineHost?
  private let record: Trace
  private let checkers: [any Checker]
  private(set) var violation: Violation?
  private var workload: Workload
  private(set) var hasFaults = true
  private var isOver = false
  private var answers = 0
  private var events = 0
  /// Results that were given to attempts so far: each attempt has its own.
  var marks: Int
  var deadProcesses: [Int64] = []
  /// The store's file when the faults ended, where it is wanted.
  private(set) var file: [UInt8] = []

  /// The faults end at the latest after so long.
  private static let faultsUs: Int64 = 1_200_000_000
  /// So long after the faults the limits of workflow types hold: time for what need not wait for
  /// a run that waits itself.
  private static let limitedUs: Int64 = 60_000_000
  /// More than any seed needs by far: the world turns in circles.
  private static let eventsMax = 10_000_000

  init(_ options: Options, tell: ((String) -> Void)?) {
    self.options = options
    mutant = options.mutant.flatMap(WorldMutant.init)
    Mutants.choose(options.mutant)
    checkers = Checkers.all(options)
    time = WorldTime(dice: Dice(seed: options.seed))
    network = SimNetwork(options)
    record = Trace(tell: tell)
    marks = options.firstName
    workload = Workload(options)
    engine = EngineHost(self)
    clients = (0..<options.clients).map { SimClient($0, self) }
    workers = (0..<options.workers).map { SimWorker($0, self) }
  }

  var host: EngineHost {
    guard let engine else { preconditionFailure("the simulation has no engine yet") }
    return engine
  }

  // MARK: - Running

  func run() -> Outcome {
    host.start()
    for worker in workers { worker.start() }
    for client in clients {
      client.connect()
      time.after(time.dice.int64(0...50_000), .client(client.index, .next))
    }
    planFaults()
    time.after(Simulation.faultsUs, .heal)
    while violation == nil, !isOver, let (us, event) = time.queue.take() {
      time.clock.advance(to: us)
      events += 1
      if events > Simulation.eventsMax { found(AllWorkEnds.name, "events without end") }
      handle(event)
    }
    if violation == nil { observe(.finished) }
    return end()
  }

  /// Opens the file that it was given, and shows it to the checkers.
  func examine() -> Outcome {
    host.start()
    return end()
  }

  private func end() -> Outcome {
    host.end()
    return Outcome(
      hash: record.hash, violation: violation, operations: workload.made, events: events,
      answers: answers, runs: ledger.runs.count, lives: host.lives, kills: host.kills,
      powerLosses: host.powerLosses, virtualMs: time.clock.ms)
  }

  private func handle(_ event: SimEvent) {
    switch event {
    case .engine(let event, let life):
      if life == host.life { host.handle(event) }
    case .restart: host.start()
    case .toEngine(let link, let bytes): arrive(atEngine: link, bytes)
    case .toPeer(let link, let bytes): arrive(atPeer: link, bytes)
    case .client(let index, let event): clients[index].handle(event)
    case .worker(let index, let event, let life):
      let worker = workers[index]
      if case .start = event {
        if life == worker.life && !worker.isAlive { worker.start() }
      } else if life == worker.life && worker.isAlive {
        worker.handle(event)
      }
    case .fault(let fault): strike(fault)
    case .fullEnds:
      trace("the disk has space again")
      host.disk.isFull = false
    case .processGone(let process): host.processGone(process)
    case .heal: heal()
    case .finish: finish()
    }
  }

  // MARK: - Links

  /// A new connection to the engine; nil while it does not serve.
  func connect(_ owner: Link.Owner, process: Int64?) -> Link? {
    guard host.isUp else { return nil }
    let link = network.link(owner, process: process)
    guard host.accept(link) else { return nil }
    trace("connection \(link.id.value)")
    return link
  }

  private func arrive(atEngine link: Link, _ bytes: [UInt8]?) {
    guard SimNetwork.arrivesAtEngine(link, bytes) else { return }
    guard let bytes else {
      link.isEngineDone = true
      trace("end of \(link.id.value)")
      return host.disconnected(link)
    }
    trace("from \(link.id.value): \(bytes.count)")
    if case .worker = link.owner { lookInside(link, bytes) }
    host.received(link, bytes)
  }

  private func arrive(atPeer link: Link, _ bytes: [UInt8]?) {
    guard SimNetwork.arrivesAtPeer(link, bytes) else { return }
    host.tellUnread(link)
    guard let bytes else {
      link.isPeerDone = true
      switch link.owner {
      case .client(let index): clients[index].disconnected(link)
      case .worker(let index): workers[index].disconnected(link)
      }
      return
    }
    switch link.owner {
    case .client(let index): clients[index].received(link, bytes)
    case .worker(let index): workers[index].received(link, bytes)
    }
  }

  /// Shows the checkers what comes from workers.
  private func lookInside(_ link: Link, _ bytes: [UInt8]) {
    for kind in link.workerMessages(bytes) {
      trace("  \(kind.short)")
      observe(.fromWorker(link.id, kind))
    }
  }

  // MARK: - Phases

  func nextRequest() -> ClientRequest? {
    guard hasFaults else { return nil }
    let request = workload.next(&time.dice)
    if request == nil { heal() }
    return request
  }

  /// What a client asks at once when that request has been answered.
  func lookAfter(_ request: ClientRequest) -> ClientRequest? {
    guard hasFaults, case .namespace(.delete(let delete)) = request.kind else { return nil }
    return workload.description(of: delete.namespace)
  }

  /// Another version of the engine takes the file over: it has other settings.
  func upgrade() {
    trace("an upgrade")
    options.upgrade(&time.dice)
    host.drain()
  }

  /// The worker has handed its attempt over: a client brings its result.
  func completeElsewhere(_ token: [UInt8], mark: String) {
    time.dice.pick(clients).send(workload.completion(token, mark: mark))
  }

  func answered() { answers += 1 }

  /// No fault comes any more; what is missing comes back.
  private func heal() {
    guard hasFaults else { return }
    hasFaults = false
    trace("the faults end")
    host.disk.isFull = false
    if options.keepsFile { file = host.file() }
    for worker in workers where !worker.isAlive { worker.start() }
    time.after(1_000_000, .finish)
    healedUs = time.us
  }

  private var healedUs: Int64 = 0

  /// Looks once a second whether all has come to its end; gives the programs the signals that they
  /// may wait for, and lets go on what is paused.
  private func finish() {
    let open = ledger.openRuns
    let others = ledger.others.values.filter(\.isOpen).sorted { $0.row.number < $1.row.number }
    if host.isUp && open.isEmpty && others.isEmpty && ledger.schedules.values.allSatisfy(\.isIdle)
      && ledger.batches.values.allSatisfy(\.hasEnded) && clients.allSatisfy(\.isIdle)
    {
      isOver = true
      return
    }
    observe(.waiting(sinceUs: healedUs, requests: clients.flatMap(\.openRequests)))
    if time.us - healedUs > Simulation.limitedUs, !ledger.typeLimits.isEmpty {
      clients[0].send(workload.unlimiting())
    }
    if clients[0].isIdle {
      for run in others {
        clients[0].send(workload.termination(run.row.workflowID, in: run.row.namespace))
      }
      for run in open where !run.isOfActivity {
        if run.row.status == .paused {
          clients[0].send(workload.unpausing(run.row.workflowID))
        }
        letGoOn(run)
        let signals = run.events.count { $0.signal != nil }
        if run.isFailing && options.pendingActivitiesMax < Program.activitiesMax {
          clients[0].send(workload.termination(run.row.workflowID))
        } else if signals < Program.signalsMax {
          clients[0].send(workload.signal(run.row.workflowID))
        }
      }
    }
    time.after(1_000_000, .finish)
  }

  /// What is paused goes on; what is held because its attempts are used up fails.
  private func letGoOn(_ run: Ledger.Run) {
    let paused = run.activities.filter { $0.value.pause != nil }
    if paused.contains(where: { !($0.value.pause?.exhausted ?? false) }) {
      clients[0].send(workload.unpausingActivities(run.row.workflowID))
    }
    for (event, row) in paused.sorted(by: { $0.key < $1.key }) {
      guard row.pause?.exhausted ?? false, let id = run.activityID(scheduledEvent: event) else {
        continue
      }
      clients[0].send(workload.failing(id, of: run.row.workflowID))
    }
  }

  // MARK: - Telling

  func trace(_ line: @autoclosure () -> String) { record.add(time.us, line()) }

  func observe(_ observation: Observation) {
    for checker in checkers {
      let name = type(of: checker).name
      checker.see(
        observation,
        Scene(us: time.us, ledger: ledger) { [unowned self] in found(name, $0) })
    }
  }

  func found(_ checker: String, _ what: String) {
    guard violation == nil else {
      violation?.add(checker, at: time.us)
      return
    }
    violation = Violation(checker: checker, what: what, us: time.us)
    trace("VIOLATION of \(checker): \(what)")
  }
}
