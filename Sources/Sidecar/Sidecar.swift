import Basics
import EngineCore
import SQLiteStore
import Shell
import UVLoop

/// What the sidecar tells of itself; one line each, for people and programs.
public enum SidecarEvent: Sendable {
  case ready(socket: String)
  case draining(String)
  case diskFull(Bool)
  case refusedPeer(uid: UInt32)
  case failed(String)
  case backupBegun(path: String)
  case backupDone(path: String, pages: Int64)
  case backupFailed(path: String, why: String)
}

/// Binds the shell to the loop and to the store's thread. It decides nothing: it carries bytes in
/// and out, commits when it is told to, and sets the timers that it is asked for.
public final class Sidecar: ConnectionDelegate {
  private let loop: Loop
  private var shell: Shell
  private let store: StoreThread
  private let log: (SidecarEvent) -> Void
  private let bootID = PeerProcess.bootID

  private var listener: Listener?
  private var turnEnd: TurnEnd?
  private var deadlineTimer: Timer?
  private var holdTimer: PreciseTimer?
  private var wakeup: Wakeup?
  private var graceTimer: Timer?
  private var signals: [SignalWatch] = []
  private var connections: [UInt64: Connection] = [:]
  private var watches: [ProcessIdentity: ProcessWatch] = [:]
  private var output = ShellOutput()
  private var backupPath = ""
  private var isClockRead = false
  private var isDraining = false
  private var isStopping = false

  /// Milliseconds that tasks under way get to finish at the end.
  private static let graceMs: UInt64 = 5_000

  public init(
    _ configuration: ShellConfiguration, store: Store, opened: OpenedStore,
    log: @escaping (SidecarEvent) -> Void
  ) throws(UVError) {
    loop = try Loop()
    self.log = log
    shell = Shell(configuration, opened: opened, at: Sidecar.reading)
    let answered = WakeupReference()
    self.store = StoreThread(store) { answered.wakeup?.send() }
    let wakeup = try Wakeup(loop) { [unowned self] in takeAnswers() }
    answered.wakeup = wakeup
    self.wakeup = wakeup
    turnEnd = try TurnEnd(loop) { [unowned self] in endTurn() }
    deadlineTimer = try Timer(loop) { [unowned self] in
      readClock()
      shell.deadlineReached()
    }
    holdTimer = try PreciseTimer(loop) { [unowned self] in readClock() }
    graceTimer = try Timer(loop) { [unowned self] in stop() }
  }

  /// Serves the socket until it is told to end (SIGTERM, SIGINT, Drain).
  public func run(_ socket: SocketFile, name: String) throws(UVError) {
    store.start()
    listener = try Listener(loop, socket: socket) { [unowned self] in accepted($0) }
    for signal in [15, 2] as [Int32] {
      signals.append(
        try SignalWatch(loop, signal: signal) { [unowned self] in
          drain("signal \(signal)")
        })
    }
    log(.ready(socket: name))
    loop.run()
    socket.remove()
    loop.close()
  }

  private static var reading: ClockReading {
    ClockReading(
      wallMs: Clocks.wallMs, bootMs: Clocks.bootMs, monotonicUs: Clocks.monotonicUs)
  }

  /// The clocks are read once a turn, when its first event comes.
  private func readClock() {
    guard !isClockRead else { return }
    isClockRead = true
    shell.advance(Sidecar.reading)
  }

  // MARK: - Connections

  private func accepted(_ connection: Connection) {
    readClock()
    guard let process = try? PeerProcess(of: connection.fd) else { return connection.close() }
    let identity =
      process.pidfd == nil
      ? nil
      : ProcessIdentity(
        bootID: bootID, process: Int64(process.pid), start: process.startTicks)
    let peer = Peer(
      uid: process.uid, gid: process.gid, groups: process.groups, process: identity)
    guard shell.connected(ConnectionID(connection.number), peer) else {
      log(.refusedPeer(uid: process.uid))
      if let pidfd = process.pidfd { closeDescriptor(pidfd) }
      shell.farewell(peer).withUnsafeBytes { connection.write($0) }
      return connection.closeWhenWritten()
    }
    if let pidfd = process.pidfd, let identity { watch(identity, pidfd) }
    connections[connection.number] = connection
    do throws(UVError) {
      try connection.start(self, uid: process.uid)
    } catch { connection.close() }
  }

  /// One watch per process, until it ends: its leases may outlive its connections.
  private func watch(_ identity: ProcessIdentity, _ pidfd: Int32) {
    if watches[identity] != nil {
      closeDescriptor(pidfd)
      return
    }
    watches[identity] = try? ProcessWatch(loop, pidfd: pidfd) { [unowned self] in
      watches.removeValue(forKey: identity)
      readClock()
      shell.processGone(identity)
    }
  }

  /// Watches a process that an earlier engine gave leases to, if it still runs.
  private func watch(_ identity: ProcessIdentity) {
    guard watches[identity] == nil else { return }
    let process = Int32(clamping: identity.process)
    switch PeerProcess.find(process, startTicks: identity.start, bootID: identity.bootID) {
    case .alive(let pidfd): watch(identity, pidfd)
    case .gone: shell.processGone(identity)
    case .unknown: break  // The resume window decides.
    }
  }

  public func connection(_ connection: Connection, received bytes: UnsafeRawBufferPointer) {
    readClock()
    shell.received(ConnectionID(connection.number), bytes)
  }

  public func connectionWrote(_ connection: Connection) {
    readClock()
    shell.unread(ConnectionID(connection.number), bytes: connection.queuedBytes)
  }

  public func connectionClosed(_ connection: Connection) {
    guard connections.removeValue(forKey: connection.number) != nil else { return }
    readClock()
    shell.disconnected(ConnectionID(connection.number))
  }

  // MARK: - The store

  private func takeAnswers() {
    readClock()
    for answer in store.answers.takeAll() { take(answer) }
  }

  private func take(_ answer: StoreThread.Answer) {
    switch answer {
    case .persisted(let us, let counters):
      shell.storeCounters = named(counters)
      shell.persisted(us: us)
    case .loaded(let loaded): shell.loaded(loaded)
    case .diskFull(let isFull):
      log(.diskFull(isFull))
      shell.diskFull(isFull)
    case .backup(let news, let counters):
      shell.storeCounters = named(counters)
      tell(news)
      shell.backup(news)
    case .failed(let text):
      // Nothing is answered any more: what is gated must not leave.
      log(.failed(text))
      abortProcess()
    }
  }

  private func tell(_ news: BackupNews) {
    switch news {
    case .copied: break
    case .done(_, let pages): log(.backupDone(path: backupPath, pages: pages))
    case .failed(_, let why): log(.backupFailed(path: backupPath, why: why))
    }
  }

  // MARK: - Turns

  /// Carries out what the shell has decided in this turn.
  private func endTurn() {
    guard !isStopping else { return }
    if !isClockRead { shell.advance(Sidecar.reading) }
    if flush(mayCommit: true) { flush() }
    // What the kernel takes of the bytes may let streamed answers go on.
    while shell.hasOutput { flush() }
    setTimers()
    isClockRead = false
    if output.isDrained { stop() }
  }

  private func setTimers() {
    if let us = output.holdUs { holdTimer?.start(afterUs: us) } else { holdTimer?.stop() }
    if let ms = shell.nextDeadlineMs {
      deadlineTimer?.start(afterMs: UInt64(ms))
    } else {
      deadlineTimer?.stop()
    }
  }

  /// True when a batch was committed here, at most once a turn: what that has released is next.
  @discardableResult
  private func flush(mayCommit: Bool = false) -> Bool {
    for process in shell.takeWatches() { watch(process) }
    shell.flush(into: &output)
    for load in output.loads { store.orders.put(.load(load)) }
    let commitsHere = mayCommit && output.isCommitSmall
    if let writes = output.commit, !commitsHere { store.orders.put(.commit(writes)) }
    if let order = output.backup { take(order) }
    for id in output.dirty { write(id) }
    for id in output.closing { connections[id.value]?.closeWhenWritten() }
    for id in output.cut { connections[id.value]?.close() }
    guard commitsHere, let writes = output.commit else { return false }
    return commit(writes)
  }

  /// False when it is the store's thread that commits.
  private func commit(_ writes: [Write]) -> Bool {
    guard let answer = store.commitHere(writes) else {
      store.orders.put(.commit(writes))
      return false
    }
    isClockRead = false
    readClock()
    take(answer)
    return true
  }

  private func take(_ order: BackupOrder) {
    if case .begin(let path, _) = order {
      backupPath = path
      log(.backupBegun(path: path))
    }
    store.orders.put(.backup(order))
  }

  private func write(_ id: ConnectionID) {
    let bytes = shell.takeOutgoing(id)
    guard let connection = connections[id.value], !bytes.isEmpty else { return }
    bytes.withUnsafeBytes { connection.write($0) }
    shell.unread(id, bytes: connection.queuedBytes)
  }

  private func named(_ counters: StoreCounters) -> [(name: String, value: Int64)] {
    [
      ("store_commits_total", Int64(counters.commits)),
      ("store_commits_in_place_total", store.commitsInPlace),
      ("store_writes_total", Int64(counters.writes)),
      ("store_loads_total", Int64(counters.loads)),
      ("store_checkpoints_total", Int64(counters.checkpoints)),
      ("store_checkpoint_us_max", counters.checkpointUsMax),
      ("store_backups_total", Int64(counters.backups)),
      ("store_backup_step_us_max", counters.backupStepUsMax),
    ]
  }

  // MARK: - The end

  private func drain(_ why: String) {
    if isDraining { return stop() }
    isDraining = true
    log(.draining(why))
    readClock()
    shell.drain()
    graceTimer?.start(afterMs: Sidecar.graceMs)
  }

  private func stop() {
    guard !isStopping else { return }
    isStopping = true
    for connection in connections.values { connection.close() }
    for watch in watches.values { watch.close() }
    for signal in signals { signal.close() }
    // Without a watch they would kill the process in the middle of its last commit.
    ignoreSignals(signals.map(\.signal))
    listener?.close()
    turnEnd?.close()
    deadlineTimer?.close()
    holdTimer?.close()
    graceTimer?.close()
    // The thread may wake the loop until it has ended, so it goes before the wakeup.
    store.stop()
    wakeup?.close()
  }
}

/// Lets the store's thread find the wakeup that is made after it.
private final class WakeupReference: @unchecked Sendable {
  var wakeup: Wakeup?
}
