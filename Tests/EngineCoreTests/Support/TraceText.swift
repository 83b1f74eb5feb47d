import Basics
import EngineCore
import Messages

/// Writes messages as `name=value`, by their tables: every field that is set, but for what the
/// line tells already or what only makes noise.
struct TraceText {
  var names = TraceNames()
  /// The instant that the trace calls +0s.
  let start: Instant

  init(start: Instant) { self.start = start }

  /// Fields that say nothing new where they stand.
  private static let silent: Set<String> = [
    "WorkflowExecutionStarted.namespace", "WorkflowExecutionStarted.workflow_id",
    "WorkflowExecutionStarted.run_id", "WorkflowExecutionStarted.first_run_id",
    "WorkflowExecutionStarted.random_seed", "InitializeWorkflow.random_seed",
    "RunCopy.random_seed", "UpdateRandomSeed.random_seed",
    "InitializeWorkflow.first_run_id",
    "WorkflowTaskCompletedEvent.history_size_bytes", "Activation.history_size_bytes",
    "PastActivation.history_size_bytes", "RunState.history_size_bytes", "RunState.started",
    "WorkflowInfo.history_size_bytes",
    "Activation.namespace", "Activation.task_queue", "Activation.workflow_id",
    "Activation.workflow_type",
    "ReplayHistory.namespace", "ReplayHistory.task_queue", "ReplayHistory.workflow_id",
    "ReplayHistory.workflow_type",
    "ActivityTask.namespace", "ActivityTask.workflow_id", "ActivityTask.workflow_type",
    "ActivityTask.run_id", "ActivityTask.retry_policy", "LeaseHolder.resume_token",
    "FailureInfo.source",
  ]

  /// The policy that an activity has when its code gives none.
  private static let defaultPolicy =
    "(initial_interval=1s backoff_coefficient=2.0 maximum_interval=1m40s)"

  // MARK: - Messages

  mutating func fields(_ message: some Message) -> [String] {
    let table = type(of: message).table
    return message.serialized().withUnsafeBytes { buffer in
      var reader = WireReader(buffer)
      return fields(table, &reader, isOuter: true)
    }
  }

  /// `isOuter`: the fields of the kind that the message has stand directly on its line.
  private mutating func fields(
    _ table: MessageTable, _ reader: inout WireReader, isOuter: Bool = false
  ) -> [String] {
    var found: [(field: FieldTable, values: [String])] = []
    while let tag = try? reader.nextTag() {
      guard let field = table.field(number: tag >> 3) else {
        try? reader.skip(tag)
        continue
      }
      if isOuter, field.oneof != nil, case .message(let kind) = field.kind,
        var inner = try? reader.packed()
      {
        return found.compactMap { text($0.field, $0.values) } + [field.label]
          + fields(kind(), &inner)
      }
      var values: [String] = []
      if field.isRepeated, tag & 7 == 2, field.kind.isPacked {
        if var packed = try? reader.packed() {
          while !packed.isAtEnd { values.append(value(field, &packed)) }
        }
      } else {
        values.append(value(field, &reader))
      }
      if TraceText.silent.contains("\(table.shortName).\(field.name)") { continue }
      if found.last?.field.number == field.number {
        found[found.count - 1].values += values
      } else {
        found.append((field, values))
      }
    }
    return found.compactMap { text($0.field, $0.values) }
  }

  private func text(_ field: FieldTable, _ values: [String]) -> String? {
    let label = field.label
    if field.isRepeated { return "\(label)=[\(values.joined(separator: ", "))]" }
    let value = values.last ?? ""
    switch field.kind {
    case .bool: return value == "true" ? label : "\(label)=\(value)"
    case .message:
      if label == "retry_policy", value == TraceText.defaultPolicy { return nil }
      return value.hasPrefix("(") ? label + value : "\(label)=\(value)"
    default: return "\(label)=\(value)"
    }
  }

  private mutating func value(_ field: FieldTable, _ reader: inout WireReader) -> String {
    do {
      switch field.kind {
      case .string, .runID: return TraceText.quoted(try reader.string())
      case .bytes:
        let bytes = try reader.bytes()
        return field.name.contains("token") || field.name.contains("lease")
          ? names.name(token: bytes) : TraceText.quoted(String(decoding: bytes, as: UTF8.self))
      case .bool: return String(try reader.bool())
      case .int32: return String(try reader.int32())
      case .int64: return number(try reader.int64(), field)
      case .uint32: return String(try reader.uint32())
      case .uint64: return String(try reader.uint64())
      case .double: return String(try reader.double())
      case .enumeration(let names):
        let number = try reader.int32()
        return names.first { $0.number == number }?.name ?? String(number)
      case .message(let table):
        var inner = try reader.packed()
        return message(table(), &inner)
      }
    } catch { preconditionFailure("an encoded message cannot be read: \(error)") }
  }

  private mutating func message(_ table: MessageTable, _ reader: inout WireReader) -> String {
    if table.shortName == "Payload" {
      var payload = Payload()
      try? payload.decode(from: &reader)
      return TraceText.text(payload)
    }
    let fields = fields(table, &reader)
    // A message that is one of several kinds is told by its kind alone.
    if fields.count == 1, table.fields.allSatisfy({ $0.oneof != nil }) { return fields[0] }
    return "(" + fields.joined(separator: " ") + ")"
  }

  private func number(_ value: Int64, _ field: FieldTable) -> String {
    if field.name.hasSuffix("time_ms") { return time(Instant(ms: value)) }
    if field.name.hasSuffix("_ms") { return TraceText.span(Span(ms: value)) }
    return String(value)
  }

  // MARK: - Values

  func time(_ time: Instant) -> String {
    switch time {
    case RunRow.immediately: "now"
    case .distantFuture: "never"
    default: "+" + TraceText.span(time - start)
    }
  }

  static func span(_ span: Span) -> String {
    guard span.ms > 0 else { return "\(span.ms == 0 ? "0s" : "\(span.ms)ms")" }
    let parts: [(Int64, String)] = [
      (span.ms / 3_600_000, "h"), (span.ms / 60_000 % 60, "m"), (span.ms / 1_000 % 60, "s"),
      (span.ms % 1_000, "ms"),
    ]
    return parts.filter { $0.0 != 0 }.map { "\($0.0)\($0.1)" }.joined()
  }

  static func text(_ payload: Payload) -> String {
    if payload.data.count > 60 { return "<\(payload.data.count) bytes>" }
    let data = String(decoding: payload.data, as: UTF8.self)
    return payload.encoding == "json/plain" ? data : "\(payload.encoding):\(data)"
  }

  /// In quotes unless it is one plain word; cut when it is long.
  static func quoted(_ text: String) -> String {
    if let run = text.longestRun, run.count > 80 {
      return quoted(text.replacing(run.text, with: "<\(run.count) times \(run.text.first ?? "?")>"))
    }
    let isPlain = !text.isEmpty && text.allSatisfy { !" =()[],\"".contains($0) }
    return isPlain ? text : "\"\(text)\""
  }
}

extension String {
  /// The longest row of one character.
  fileprivate var longestRun: (text: String, count: Int)? {
    var best: (text: String, count: Int)?
    var last: (character: Character, count: Int)?
    for character in self {
      let count = last?.character == character ? (last?.count ?? 0) + 1 : 1
      last = (character, count)
      if count > best?.count ?? 0 { best = (String(repeating: character, count: count), count) }
    }
    return best
  }
}

extension FieldTable {
  /// The name without its unit, which the value shows.
  fileprivate var label: String { name.hasSuffix("_ms") ? String(name.dropLast(3)) : name }
}

extension FieldTable.Kind {
  fileprivate var isPacked: Bool {
    switch self {
    case .string, .bytes, .runID, .message: return false
    default: return true
    }
  }
}

extension MessageTable {
  var shortName: String { name.split(separator: ".").last.map(String.init) ?? name }
}
