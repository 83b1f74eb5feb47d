import ArgumentParser
import Basics
import Glibc
import Messages

/// A length of time as people write it: 250ms, 10s, 5m, 1h30m, 2d.
struct Interval: ExpressibleByArgument {
  let span: Span

  init?(argument: String) {
    guard let span = Span(written: argument) else { return nil }
    self.span = span
  }

  var ms: Int64 { span.ms }
}

/// An instant as people write it: 2026-01-31T12:00:00Z.
struct Moment: ExpressibleByArgument {
  let instant: Instant

  init?(argument: String) {
    guard let instant = Instant(iso8601: argument) else { return nil }
    self.instant = instant
  }
}

/// Times and values as people read them.
enum Show {
  /// `2026-01-31T12:00:00.250Z`; empty for 0.
  static func time(_ time: Instant) -> String {
    guard time.ms != 0 else { return "" }
    var seconds = time_t(time.ms / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let text = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text + "." + String(time.ms % 1_000 + 1_000).dropFirst() + "Z"
  }

  /// JSON as it is, anything else by its encoding and size.
  static func payload(_ payload: Payload) -> String {
    if payload.encoding == "json/plain", let text = String(validating: payload.data, as: UTF8.self)
    {
      return text
    }
    if payload.encoding == "binary/null" { return "null" }
    return "<\(payload.encoding), \(payload.data.count) bytes>"
  }

  static func payloads(_ payloads: [Payload]) -> String {
    payloads.map(payload).joined(separator: ", ")
  }

  /// A failure and its causes, one line each, each deeper than the one before.
  static func failure(_ failure: Failure?, indent: String = "") -> [String] {
    guard let failure else { return [] }
    let layers = (failure.info.map { [$0] } ?? []) + failure.causes
    return layers.enumerated().map { depth, layer in
      var text = layer.message
      if case .application(let application) = layer.kind, !application.type.isEmpty {
        text = "\(application.type): \(text)"
      }
      return indent + String(repeating: "  ", count: depth) + (depth == 0 ? "" : "cause: ") + text
    }
  }

  static func duration(_ span: Span) -> String {
    switch span.ms {
    case 0: return "none"
    case ..<1_000: return "\(span.ms)ms"
    case ..<60_000 where span.ms % 1_000 == 0: return "\(span.ms / 1_000)s"
    case ..<60_000: return "\(span.ms)ms"
    case ..<3_600_000: return "\(span.ms / 60_000)m\(span.ms / 1_000 % 60)s"
    default: return "\(span.ms / 3_600_000)h\(span.ms / 60_000 % 60)m"
    }
  }

  /// Columns under their titles, each as wide as its widest cell.
  static func table(_ titles: [String], _ rows: [[String]]) -> String {
    let widths = titles.indices.map { column in
      ([titles] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([titles] + rows).map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        line +=
          isLast ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      return line
    }.joined(separator: "\n")
  }

  /// Names and values, a line each; lines without a value are left out.
  static func fields(_ fields: [(String, String)]) -> String {
    let shown = fields.filter { !$0.1.isEmpty }
    let width = shown.map { $0.0.count }.max() ?? 0
    return shown.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2) + value
    }.joined(separator: "\n")
  }
}

/// Values given on the command line.
struct InputOptions: ParsableArguments {
  // Unconditional: a value may begin with a dash, as -1 does.
  @Option(
    name: .long, parsing: .unconditionalSingleValue,
    help: "A value as JSON; may be given several times.")
  var input: [String] = []
  @Option(
    parsing: .unconditionalSingleValue,
    help: "A file that holds one value as JSON, after those of --input; - is the standard input.")
  var inputFile: [String] = []

  /// The values, each checked: what is not JSON would only be found by the code that reads it.
  func payloads() throws -> [Payload] {
    var payloads = try input.map { try InputOptions.payload($0, "--input '\($0)'") }
    for path in inputFile {
      let place = path == "-" ? "the standard input" : "'\(path)'"
      payloads.append(try InputOptions.payload(try InputOptions.read(path, place), place))
    }
    return payloads
  }

  private static func payload(_ text: String, _ place: String) throws -> Payload {
    do throws(JSONError) {
      try JSONSyntax.check(text)
    } catch {
      throw Fault(
        text: "\(place) is not JSON: \(error) (a text needs its quotes: '\"text\"')",
        code: ExitCodes.usage)
    }
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = Array(text.utf8)
    return payload
  }

  private static func read(_ path: String, _ place: String) throws -> String {
    let fd = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else {
      throw Fault(text: "\(place): \(String(cString: strerror(errno)))", code: ExitCodes.usage)
    }
    defer { close(fd) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(fd, &buffer, buffer.count)
      guard count >= 0 else {
        throw Fault(text: "\(place): \(String(cString: strerror(errno)))", code: ExitCodes.usage)
      }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(text: "\(place) is not UTF-8", code: ExitCodes.usage)
    }
    return text
  }
}

/// Which workflow a command is about.
struct ExecutionOptions: ParsableArguments {
  @Option(help: "The workflow id.") var id: String
  @Option(help: "The run id; the current run if it is left out.") var runID: String?

  func execution() throws -> WorkflowExecution { try WorkflowExecution(id, run: runID) }
}

extension WorkflowExecution {
  /// From what was given on the command line.
  init(_ workflowID: String, run: String?) throws {
    self.init()
    self.workflowID = workflowID
    guard let run else { return }
    guard let parsed = RunID(parsing: run) else {
      throw Fault(text: "--run-id '\(run)' is not a run id", code: ExitCodes.usage)
    }
    runID = parsed
  }
}
