import ArgumentParser
import CUV
import EngineCore
import Glibc
import SQLiteStore
import Shell
import Sidecar
import UVLoop

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the engine.",
    discussion: """
      Without options the state is kept in $XDG_STATE_HOME/holdfast/holdfast.db (or under
      ~/.local/state), and nothing that was acknowledged is lost when the process or the machine
      stops at any moment. SIGTERM or Ctrl-C lets tasks under way finish, for five seconds at most.

      The configuration file holds, each of it optional:

        log_level = "info"             # debug, info, warning, error
        retention = "72h"              # how long closed workflows are kept, or "forever"
        time_skipping = false          # as --time-skipping
        socket_group = "holdfast"      # its members may connect: mode 0660 instead of 0600
        [limits]
        frame_bytes_max = 4194304      # also connections_max, connections_per_user_max,
                                       # streams_max, outgoing_bytes_max, held_bytes_max,
                                       # request_bytes_max, resident_bytes_max; and of a run:
                                       # payload_bytes_max, history_events_max,
                                       # history_bytes_max, history_events_suggested,
                                       # history_bytes_suggested, pending_activities_max,
                                       # pending_children_max, pending_timers_max,
                                       # sent_requests_max (to other workflows),
                                       # signals_per_run_max, updates_in_flight_max,
                                       # updates_per_run_max, queries_waiting_max
        [[access]]                     # the engine's own user and root may do everything
        uid = 1000                     # or gid
        roles = ["client", "worker"]   # and "operator"
        namespaces = ["default"]       # only there; left out: everywhere

      With --time-skipping the engine is one for tests: timers, retries and schedules do not wait.
      While a test awaits a result, time jumps from one event to the next whenever no task and no
      activity is under way. Closed workflows are kept unless the file says otherwise. Its store is
      one of its own: time does not go back in it.

      Exit codes: 0 ended as asked, 65 the file is damaged, 69 another engine has the file or the
      socket, 73 the file or the socket cannot be made, 74 an I/O error left a commit in doubt
      (start it again), 78 the file was written by a newer engine, or the configuration is wrong.
      """)

  @Option(help: "The file that holds all state.") var db: String?
  @Option(help: "The socket to serve.") var socket: String?
  @Option(help: "A TOML file: log level, limits, roles of other users.") var config: String?
  @Flag(help: "Keep nothing: the state ends with the process.") var inMemory = false
  @Flag(help: "Start the engine again when it ends by a fault.") var supervise = false
  @Flag(help: "For tests: let clients skip the time in which nothing happens.")
  var timeSkipping = false
  @Option(help: ArgumentHelp("Bound of the commit hold in microseconds.", visibility: .hidden))
  var holdUs: Int64?

  func validate() throws {
    if inMemory && db != nil {
      throw ValidationError("--in-memory keeps no file: leave out --db, or leave out --in-memory")
    }
    if timeSkipping && !inMemory && db == nil {
      throw ValidationError("--time-skipping is for tests: name a file with --db, or --in-memory")
    }
  }

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
    // Whoever started the engine may have had them blocked; they are how it is told to end.
    var ends = sigset_t()
    sigemptyset(&ends)
    for signal in [SIGTERM, SIGINT] { sigaddset(&ends, signal) }
    sigprocmask(SIG_UNBLOCK, &ends, nil)
    holdfast_limit_arenas()
    raiseDescriptorLimit()
    // Meant for this process: a child that --supervise starts has another id.
    let inherited = try Paths.inherited()
    if supervise { Supervisor.run() }
    var log = Log()
    var configuration = ShellConfiguration(
      engine: EngineConfiguration(seed: seed()), access: AccessRules(ownUID: geteuid()),
      serverVersion: Version.text, storePath: "")
    let file = try config.map { try ConfigurationFile($0) }
    configuration.engine.skipsTime = timeSkipping
    try file?.apply(to: &configuration, &log)
    if configuration.engine.skipsTime {
      try prepareForTests(&configuration, file, isService: inherited != nil)
    }
    let group = try file?.socketGroup()
    let path = inMemory ? nil : try db ?? Paths.defaultStore()
    let socketPath = inherited?.servedPath ?? socket ?? Paths.defaultSocket()
    let (store, opened) = try open(path)
    if configuration.engine.skipsTime {
      try refuseRealTime(opened, path)
      log.write(.warning, "time is skipped: this engine is for tests", [])
    }
    configuration.storePath = path ?? ""
    configuration.holdOverrideUs = holdUs
    log.write(
      .info, "store opened", [("path", path ?? "(memory)"), ("epoch", String(opened.epoch))])
    try serve(configuration, store, opened, log) { () throws(SocketError) in
      if let inherited { return inherited }
      return try SocketFile(path: socketPath, group: group)
    }
  }

  /// Skipped time where nobody expects it would end what waits.
  private func prepareForTests(
    _ configuration: inout ShellConfiguration, _ file: ConfigurationFile?, isService: Bool
  ) throws {
    let isOwn = db != nil || inMemory
    guard isOwn, !isService, Paths.environment("NOTIFY_SOCKET") == nil else {
      let why = isOwn ? "it is no service" : "name a file with --db, or --in-memory"
      throw Fault(
        text: "an engine that skips time is for tests: \(why)", code: ConfigurationFile.exitCode)
    }
    if !(file?.holds("retention") ?? false) { configuration.engine.times.retention = .zero }
  }

  private func refuseRealTime(_ opened: OpenedStore, _ path: String?) throws {
    guard opened.skipped == nil, opened.nextRun.value > 1 || !opened.schedules.isEmpty else {
      return
    }
    throw Fault(
      text: "'\(path ?? "")' was written by an engine that does not skip time, which would end what"
        + " waits in it: name another file with --db",
      code: ConfigurationFile.exitCode)
  }

  private func open(_ path: String?) throws -> (Store, OpenedStore) {
    do throws(StoreError) {
      var options = StoreOptions()
      options.deadlineWindow = EngineLimits().deadlineWindow
      if let directory = Paths.zoneDirectory { options.zoneDirectory = directory }
      return try Store.open(path: path, options: options)
    } catch {
      throw Fault(error)
    }
  }

  private func serve(
    _ configuration: ShellConfiguration, _ store: Store, _ opened: OpenedStore,
    _ log: Log, _ open: () throws(SocketError) -> SocketFile
  ) throws {
    let socket: SocketFile
    do throws(SocketError) {
      socket = try open()
    } catch {
      if case .inUse = error { throw Fault(text: error.description, code: 69) }
      var text = error.description
      if case .system = error { text += ": choose another --socket" }
      throw Fault(text: text, code: 73)
    }
    do throws(UVError) {
      let sidecar = try Sidecar(configuration, store: store, opened: opened) { event in
        log.write(event)
        ServiceManager.tell(event)
      }
      try sidecar.run(socket, name: socket.servedPath ?? "(inherited)")
    } catch { throw Fault(text: error.description, code: 73) }
  }

  /// A connection is a descriptor, and its process another one: the usual limit of 1,024 is there
  /// for programs that use select().
  private func raiseDescriptorLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }

  private func seed() -> UInt64 {
    var random = SystemRandomNumberGenerator()
    return random.next()
  }
}

extension Fault {
  init(_ error: StoreError) {
    let code: Int32 =
      switch error {
      case .inUse: 69
      case .newerFormat: 78
      case .foreign, .corrupt: 65
      case .full, .unknownOutcome: 74
      case .system: 73
      }
    self.init(text: error.description, code: code)
  }
}

/// Ends the process with one clear line and an exit code of its own.
struct Fault: Error, CustomStringConvertible {
  let text: String
  let code: Int32

  var description: String { text }
}
