import Basics
import EngineCore
import Messages

/// An input line: its verb, the words after it and the `name=value` options.
struct TraceWords {
  var words: [String] = []
  var options: [(name: String, value: String)] = []

  /// Words are parted by spaces; double quotes keep spaces in one.
  init(_ text: some StringProtocol) throws(TraceFault) {
    var word = ""
    var isQuoted = false
    var all: [String] = []
    for character in text {
      switch character {
      case "\"": isQuoted.toggle()
      case " " where !isQuoted:
        if !word.isEmpty { all.append(word) }
        word = ""
        continue
      default: break
      }
      word.append(character)
    }
    if isQuoted { throw TraceFault("a quote is not closed") }
    if !word.isEmpty { all.append(word) }
    for word in all {
      if let sign = word.firstIndex(of: "="), !word.hasPrefix("\"") {
        options.append(
          (String(word[..<sign]), TraceWords.plain(word[word.index(after: sign)...])))
      } else {
        words.append(TraceWords.plain(word[...]))
      }
    }
  }

  private static func plain(_ word: Substring) -> String { word.filter { $0 != "\"" } }

  /// Takes out the next word.
  mutating func next(_ what: String) throws(TraceFault) -> String {
    guard !words.isEmpty else { throw TraceFault("\(what) is missing") }
    return words.removeFirst()
  }

  /// Takes out an option.
  mutating func take(_ name: String) -> String? {
    guard let index = options.firstIndex(where: { $0.name == name }) else { return nil }
    return options.remove(at: index).value
  }

  /// Nothing may be left that nobody understood.
  func end() throws(TraceFault) {
    if let word = words.first { throw TraceFault("'\(word)' is not understood here") }
    if let option = options.first { throw TraceFault("'\(option.name)=' is not understood here") }
  }
}

/// Makes a message of the options of a line, by the message's table.
///
/// A name is the field's in the schema, also without `_ms` or `_timeout_ms`; a dot leads into a
/// message. Spans are `10s`, instants `+10s` after the start, payloads are texts, entries
/// `key:text` (nothing behind the colon: no value), a memo is entries with commas, search
/// attributes are `Amount:int:7,Tags:list:new|old,Gone:none`, `<5 bytes>` is that many bytes, and a
/// failure is `Type`, `Type:non_retryable` or `Type:77s` (its own delay).
struct TraceFields {
  let names: TraceNames
  private var members: [(key: String, value: Member)] = []

  private indirect enum Member {
    case json(String)
    case message(TraceFields)
  }

  init(_ names: TraceNames) { self.names = names }

  private static let short = [
    "type": "workflow_type", "queue": "task_queue", "request": "request_id",
    "reuse": "id_reuse_policy", "conflict": "id_conflict_policy", "run": "execution.run_id",
    "workflow": "execution.workflow_id", "cron": "schedule.spec.crons",
    "zone": "schedule.spec.time_zone", "overlap": "schedule.policies.overlap_policy",
  ]

  /// The name that stands for this one.
  static func full(_ name: String) -> String { short[name] ?? name }

  mutating func set(_ name: String, _ value: String, of table: MessageTable)
    throws(TraceFault)
  {
    let full = TraceFields.full(name)
    let path = isThere(full, in: table) ? full : name
    if let dot = path.firstIndex(of: ".") {
      let field = try field(String(path[..<dot]), of: table)
      guard case .message(let inner) = field.kind else {
        throw TraceFault("'\(path[..<dot])' is not a message")
      }
      var fields = take(field.jsonName) ?? TraceFields(names)
      try fields.set(String(path[path.index(after: dot)...]), value, of: inner())
      members.append((field.jsonName, .message(fields)))
    } else {
      let field = try field(path, of: table)
      members.append((field.jsonName, .json(try json(all: value, field))))
    }
  }

  private func isThere(_ path: String, in table: MessageTable) -> Bool {
    let first = path.split(separator: ".").first.map(String.init) ?? path
    return table.field(named: first) != nil
  }

  private func field(_ name: String, of table: MessageTable) throws(TraceFault) -> FieldTable {
    let found =
      table.field(named: name) ?? table.field(named: name + "_ms")
      ?? table.field(named: name + "_timeout_ms")
    guard let found else { throw TraceFault("\(table.shortName) has no field '\(name)'") }
    return found
  }

  private mutating func take(_ key: String) -> TraceFields? {
    guard let index = members.firstIndex(where: { $0.key == key }),
      case .message(let fields) = members.remove(at: index).value
    else { return nil }
    return fields
  }

  private var json: String {
    let texts = members.map { member in
      switch member.value {
      case .json(let text): return "\"\(member.key)\":\(text)"
      case .message(let fields): return "\"\(member.key)\":\(fields.json)"
      }
    }
    return "{" + texts.joined(separator: ",") + "}"
  }

  func message<M: Message>(_ type: M.Type) throws(TraceFault) -> M {
    do { return try M(json: json) } catch { throw TraceFault("\(error) in \(json)") }
  }

  // MARK: - Values

  /// A list is written with commas.
  private func json(all value: String, _ field: FieldTable) throws(TraceFault) -> String {
    guard field.isRepeated else { return try json(value, field) }
    var values: [String] = []
    for part in value.split(separator: ",") { values.append(try json(String(part), field)) }
    return "[\(values.joined(separator: ","))]"
  }

  private func json(_ value: String, _ field: FieldTable) throws(TraceFault) -> String {
    switch field.kind {
    case .string: return TraceFields.quoted(TraceFields.sized(value))
    case .runID: return TraceFields.quoted(try names.runID(value).description)
    case .bytes:
      let bytes = field.name.contains("token") ? try names.token(value) : Array(value.utf8)
      return "\"\(JSONWriter.base64(bytes))\""
    case .bool, .double, .int32, .uint32, .uint64: return value
    case .int64: return field.name.hasSuffix("_ms") ? try milliseconds(value) : value
    case .enumeration: return Int(value) == nil ? "\"\(value)\"" : value
    case .message(let table):
      switch table().shortName {
      case "Payload": return TraceFields.payload(TraceFields.sized(value)).json()
      case "Failure": return try failure(value).json()
      case "PayloadEntry": return try entry(value).json()
      case "Memo":
        var memo = Memo()
        for part in value.split(separator: ",") { memo.fields.append(try entry(String(part))) }
        return memo.json()
      case "SearchAttributes":
        var attributes = SearchAttributes()
        for part in value.split(separator: ",") {
          attributes.fields.append(try attribute(part.split(separator: ":").map(String.init)))
        }
        return attributes.json()
      default: throw TraceFault("'\(field.name)' wants fields of its own: \(field.name).x=…")
      }
    }
  }

  /// A span, or `+5m` after the trace's start.
  private func milliseconds(_ value: String) throws(TraceFault) -> String {
    guard value.hasPrefix("+") else { return String(try span(value).ms) }
    return String((World.start + (try span(String(value.dropFirst())))).ms)
  }

  static func quoted(_ text: String) -> String {
    var out = ""
    JSONWriter.quote(text, into: &out)
    return out
  }

  /// `<5 bytes>` is `xxxxx`.
  static func sized(_ value: String) -> String {
    guard value.hasPrefix("<"), value.hasSuffix(" bytes>"),
      let count = Int(value.dropFirst().dropLast(7))
    else { return value }
    return String(repeating: "x", count: count)
  }

  /// `key:text`.
  private func entry(_ value: String) throws(TraceFault) -> PayloadEntry {
    guard let colon = value.firstIndex(of: ":") else { throw TraceFault("an entry is key:text") }
    var entry = PayloadEntry()
    entry.key = String(value[..<colon])
    let text = TraceFields.sized(String(value[value.index(after: colon)...]))
    if !text.isEmpty { entry.value = TraceFields.payload(text) }
    return entry
  }

  private func attribute(_ parts: [String]) throws(TraceFault) -> SearchAttribute {
    guard parts.count >= 2 else { throw TraceFault("an attribute is name:type:value") }
    var attribute = SearchAttribute()
    attribute.name = TraceFields.sized(parts[0])
    let value = parts.count > 2 ? TraceFields.sized(parts[2]) : ""
    switch parts[1] {
    case "text": attribute.content = .text(value)
    case "keyword": attribute.content = .keyword(value)
    case "int": attribute.content = .intValue(Int64(value) ?? 0)
    case "double": attribute.content = .doubleValue(Double(value) ?? 0)
    case "bool": attribute.content = .boolValue(value == "true")
    case "time": attribute.content = .instantTimeMs(World.start + (try span(value)))
    case "list":
      var list = KeywordList()
      list.keywords = value.split(separator: "|").map(String.init)
      attribute.content = .keywordList(list)
    case "none": break
    default: throw TraceFault("'\(parts[1])' is no type of an attribute")
    }
    return attribute
  }

  static func payload(_ text: String) -> Payload {
    var payload = Payload()
    payload.encoding = "json/plain"
    payload.data = Array(text.utf8)
    return payload
  }
}

/// `1h`, `10s`, `1s500ms`; a number alone is one of milliseconds.
func span(_ text: String) throws(TraceFault) -> Span {
  if let number = Int64(text) { return Span(ms: number) }
  let units: [(String, Int64)] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
  var ms: Int64 = 0
  var rest = Substring(text)
  while !rest.isEmpty {
    let digits = rest.prefix { $0.isNumber }
    rest = rest.dropFirst(digits.count)
    guard let count = Int64(digits), let unit = units.first(where: { rest.hasPrefix($0.0) })
    else { throw TraceFault("'\(text)' is not a time like 1h, 10s or 1s500ms") }
    ms += count * unit.1
    rest = rest.dropFirst(unit.0.count)
  }
  return Span(ms: ms)
}

/// `Type`, `Type:non_retryable` or `Type:77s`.
func failure(_ text: String) throws(TraceFault) -> Failure {
  let parts = text.split(separator: ":").map(String.init)
  guard let type = parts.first else { throw TraceFault("a failure needs a type") }
  var application = ApplicationFailure()
  application.type = TraceFields.sized(type)
  for part in parts.dropFirst() {
    if part == "non_retryable" {
      application.nonRetryable = true
    } else {
      application.nextRetryDelayMs = try span(part)
    }
  }
  var info = FailureInfo()
  info.message = "it says \(application.type)"
  info.kind = .application(application)
  var failure = Failure()
  failure.info = info
  return failure
}
