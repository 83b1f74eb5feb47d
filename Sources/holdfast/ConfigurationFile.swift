import Basics
import CTOML
import EngineCore
import Glibc
import Shell

/// The configuration file, in TOML:
///
///     log_level = "info"
///     socket_group = "holdfast"
///     retention = "72h"
///     time_skipping = false
///
///     [limits]
///     frame_bytes_max = 4194304
///
///     [[access]]            # the engine's own user and root may do everything anyway
///     uid = 1000            # or gid
///     roles = ["client", "worker", "operator"]
///     namespaces = ["default"]
struct ConfigurationFile {
  private struct Entry {
    let path: String
    let line: UInt32
    let kind: Int32
    let number: Int64
    let text: String
  }

  private final class Entries {
    var all: [Entry] = []
  }

  private let path: String
  private var entries: [Entry]

  init(_ path: String) throws {
    self.path = path
    let entries = Entries()
    var error = [CChar](repeating: 0, count: 512)
    let code = holdfast_toml_read(
      path,
      { context, path, line, kind, number, text in
        guard let context, let path, let text else { return }
        Unmanaged<Entries>.fromOpaque(context).takeUnretainedValue().all.append(
          Entry(
            path: String(cString: path), line: line, kind: kind, number: number,
            text: String(cString: text)))
      }, Unmanaged.passUnretained(entries).toOpaque(), &error, error.count)
    guard code == 0 else {
      let bytes = error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Fault(
        text: "configuration '\(path)': \(String(decoding: bytes, as: UTF8.self))",
        code: ConfigurationFile.exitCode)
    }
    self.entries = entries.all
  }

  static let exitCode: Int32 = 78
  /// More than any machine has, and far from where arithmetic ends.
  private static let limitMax = Int(Int32.max)
  /// The last id stands for nobody.
  private static let idMax = Int(UInt32.max) - 1

  /// Whether it has the entry.
  func holds(_ path: String) -> Bool { entries.contains { $0.path == path } }

  /// Applies every entry; one that is not known is a fault, since a misspelt limit limits nothing.
  func apply(to configuration: inout ShellConfiguration, _ log: inout Log) throws {
    var rules: [Int: AccessRules.Rule] = [:]
    for entry in entries {
      switch entry.path {
      case "log_level":
        guard let level = Log.Level(rawValue: try text(entry)) else {
          throw fault(entry, "one of debug, info, warning, error is expected")
        }
        log.level = level
      case "socket_group": _ = try group(entry)  // `socketGroup` tells it.
      case "time_skipping":
        if try flag(entry) { configuration.engine.skipsTime = true }
      case "retention": configuration.engine.times.retention = try retention(entry)
      case let path where path.hasPrefix("access["): try apply(entry, to: &rules)
      default: try applyLimit(entry, to: &configuration)
      }
    }
    configuration.limits.makeRoomForFrames()
    configuration.access.rules = rules.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The group whose members may connect; what they may do is said by access rules.
  func socketGroup() throws -> gid_t? {
    try entries.first { $0.path == "socket_group" }.map { try group($0) }
  }

  private func group(_ entry: Entry) throws -> gid_t {
    if entry.kind == Int32(HOLDFAST_TOML_INTEGER.rawValue) {
      return gid_t(try number(entry, in: 0...ConfigurationFile.idMax))
    }
    guard let group = getgrnam(try text(entry)) else {
      throw fault(entry, "there is no group '\(entry.text)'")
    }
    return group.pointee.gr_gid
  }

  private func retention(_ entry: Entry) throws -> Span {
    let text = try text(entry)
    if text == "forever" { return .zero }
    guard let span = Interval(argument: text)?.span, span >= Span(ms: 1_000) else {
      throw fault(entry, "a time like \"72h\", at least a second, or \"forever\" is expected")
    }
    return span
  }

  private func applyLimit(_ entry: Entry, to configuration: inout ShellConfiguration) throws {
    let isBytes = entry.path.contains("_bytes_")
    let value = try number(entry, in: 1...(isBytes ? 1 << 40 : ConfigurationFile.limitMax))
    switch entry.path {
    case "limits.frame_bytes_max":
      guard (2 << 20...1 << 30).contains(value) else {
        throw fault(entry, "2 MiB to 1 GiB is expected")
      }
      configuration.limits.frameBytesMax = value
      configuration.engine.limits.requestPayloadBytesMax = value - 1 << 20
      if !holds("limits.payload_bytes_max") {
        configuration.engine.limits.payloadBytesMax = min(2 << 20, value - 1 << 20)
      }
    case "limits.connections_max": configuration.limits.connectionsMax = value
    case "limits.connections_per_user_max": configuration.limits.connectionsPerUserMax = value
    case "limits.streams_max":
      // It is told to clients as a number of 32 bits.
      guard value <= 1_000_000 else { throw fault(entry, "at most a million is expected") }
      configuration.limits.streamsMax = value
    case "limits.outgoing_bytes_max": configuration.limits.outgoingBytesMax = value
    case "limits.held_bytes_max": configuration.limits.heldBytesInAllMax = value
    case "limits.request_bytes_max":
      configuration.limits.requestBytesInAllMax = value
      configuration.limits.requestBytesPerUserMax = value / 4 * 3
    case "limits.resident_bytes_max": configuration.engine.limits.residentBytesMax = value
    case "limits.payload_bytes_max":
      // That of a frame may come later in the file.
      let room = frameBytesMax(configuration) - 1 << 20
      guard value <= room else {
        throw fault(entry, "it has to fit a frame less 1 MiB: at most \(room) is expected")
      }
      configuration.engine.limits.payloadBytesMax = value
    default:
      guard let limit = ConfigurationFile.runLimits[entry.path] else {
        throw fault(entry, "there is no such setting; see `holdfast help serve`")
      }
      limit(&configuration.engine.limits, value)
    }
  }

  /// Of what one run may hold and do.
  private static let runLimits: [String: @Sendable (inout EngineLimits, Int) -> Void] = [
    "limits.pending_activities_max": { $0.pendingActivitiesMax = $1 },
    "limits.pending_children_max": { $0.pendingChildrenMax = $1 },
    "limits.pending_timers_max": { $0.pendingTimersMax = $1 },
    "limits.sent_requests_max": { $0.sentRequestsMax = $1 },
    "limits.signals_per_run_max": { $0.signalsPerRunMax = Int64($1) },
    "limits.updates_in_flight_max": { $0.updatesInFlightMax = $1 },
    "limits.updates_per_run_max": { $0.updatesPerRunMax = Int64($1) },
    "limits.queries_waiting_max": { $0.queriesWaitingMax = $1 },
    "limits.history_events_max": { $0.historyEventsMax = Int64($1) },
    "limits.history_bytes_max": { $0.historyBytesMax = Int64($1) },
    "limits.history_events_suggested": { $0.historyEventsSuggested = Int64($1) },
    "limits.history_bytes_suggested": { $0.historyBytesSuggested = Int64($1) },
  ]

  private func frameBytesMax(_ configuration: ShellConfiguration) -> Int {
    let given = entries.last { $0.path == "limits.frame_bytes_max" }
    return given.map { Int($0.number) } ?? configuration.limits.frameBytesMax
  }

  private func apply(_ entry: Entry, to rules: inout [Int: AccessRules.Rule]) throws {
    let rest = entry.path.dropFirst("access[".count)
    guard let end = rest.firstIndex(of: "]"), let index = Int(rest[..<end]) else {
      throw fault(entry, "[[access]] is expected")
    }
    var rule = rules[index] ?? AccessRules.Rule(uid: nil, gid: nil, roles: [])
    let name = rest[rest.index(after: end)...].drop { $0 == "." }.prefix { $0 != "[" }
    switch name {
    case "uid": rule.uid = UInt32(try number(entry, in: 0...ConfigurationFile.idMax))
    case "gid": rule.gid = UInt32(try number(entry, in: 0...ConfigurationFile.idMax))
    case "roles":
      switch try text(entry) {
      case "client": rule.roles.insert(.client)
      case "worker": rule.roles.insert(.worker)
      case "operator": rule.roles.insert(.operator)
      default: throw fault(entry, "one of client, worker, operator is expected")
      }
    case "namespaces": rule.namespaces = (rule.namespaces ?? []).union([try text(entry)])
    default: throw fault(entry, "uid, gid, roles and namespaces are what an access rule holds")
    }
    rules[index] = rule
  }

  private func number(_ entry: Entry, in range: ClosedRange<Int>) throws -> Int {
    guard entry.kind == Int32(HOLDFAST_TOML_INTEGER.rawValue),
      let value = Int(exactly: entry.number), range.contains(value)
    else {
      throw fault(
        entry, "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
    }
    return value
  }

  private func flag(_ entry: Entry) throws -> Bool {
    guard entry.kind == Int32(HOLDFAST_TOML_BOOLEAN.rawValue) else {
      throw fault(entry, "true or false is expected")
    }
    return entry.number != 0
  }

  private func text(_ entry: Entry) throws -> String {
    guard entry.kind == Int32(HOLDFAST_TOML_TEXT.rawValue) else {
      throw fault(entry, "a text is expected")
    }
    return entry.text
  }

  private func fault(_ entry: Entry, _ what: String) -> Fault {
    Fault(
      text: "configuration '\(path)', line \(entry.line): \(entry.path): \(what)",
      code: ConfigurationFile.exitCode)
  }
}
