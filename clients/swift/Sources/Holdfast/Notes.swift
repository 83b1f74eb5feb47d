import Basics
internal import Messages

/// What lists find a workflow by, under a name that has one type in all workflows of a namespace.
public enum SearchValue: Sendable, Equatable {
  /// Words for people: a query names some of them.
  case text(String)
  /// Compared byte by byte.
  case keyword(String)
  /// Equal to each of its members.
  case keywords([String])
  case int(Int64)
  /// Finite.
  case double(Double)
  case bool(Bool)
  /// Milliseconds since the Unix epoch.
  case time(ms: Int64)
}

/// Values to note, by their keys; each is kept as JSON. nil takes a key away.
public typealias MemoChanges = [String: (any Encodable & Sendable)?]

/// What is noted of a workflow, for people and for its own code.
public struct WorkflowMemo: Sendable, Equatable {
  let payloads: [String: Payload]

  init(_ memo: Memo?) {
    payloads = Dictionary(
      (memo?.fields ?? []).map { ($0.key, $0.value ?? Payload()) }, uniquingKeysWith: { $1 })
  }

  fileprivate init(_ payloads: [String: Payload]) { self.payloads = payloads }

  /// Sorted.
  public var keys: [String] { payloads.keys.sorted() }

  /// nil: it has no such key.
  public func value<Value: Decodable & Sendable>(
    _ key: String, as type: Value.Type = Value.self
  ) throws -> Value? {
    try payloads[key].map { try Payloads.decode([$0], as: type) }
  }
}

extension WorkflowContext {
  /// As the workflow was started with it, and as its code has changed it.
  public var memo: WorkflowMemo { handle.run.notes.memo }

  /// Changes some of the memo.
  public func upsertMemo(
    _ changes: MemoChanges, file: String = #fileID, line: Int = #line
  ) throws {
    var upsert = UpsertMemo()
    upsert.memo = try Memo(changes)
    handle.run.change(upsert, at: "\(file):\(line)")
  }

  public var searchAttributes: [String: SearchValue] { handle.run.notes.attributes }

  /// Changes some of the search attributes; nil takes one away. A name that nobody has used gets
  /// its type by it; a value of another type than the name's fails the task.
  public func upsertSearchAttributes(
    _ changes: [String: SearchValue?], file: String = #fileID, line: Int = #line
  ) {
    var upsert = UpsertSearchAttributes()
    upsert.searchAttributes = SearchAttributes(changes)
    handle.run.change(upsert, at: "\(file):\(line)")
  }

  /// How far the workflow is, in words for people: shown by describe, without a worker and after
  /// the end too. It may be said anywhere and changes nothing else.
  public var currentDetails: String {
    get { handle.run.notes.currentDetails }
    nonmutating set { handle.run.say(newValue) }
  }
}

extension WorkflowRun {
  func change(_ upsert: UpsertMemo, at location: String) {
    notes.change(upsert.memo)
    emit(.upsertMemo(upsert), at: location)
  }

  func change(_ upsert: UpsertSearchAttributes, at location: String) {
    notes.change(upsert.searchAttributes)
    emit(.upsertSearchAttributes(upsert), at: location)
  }

  func say(_ text: String) {
    notes.currentDetails = text
    var details = SetCurrentDetails()
    details.text = text
    emit(.setCurrentDetails(details))
  }
}

/// Memo, search attributes and current details of a run, as its code knows them.
struct Notes {
  private(set) var memo = WorkflowMemo(nil)
  private(set) var attributes: [String: SearchValue] = [:]
  var currentDetails = ""

  mutating func begin(_ initialize: InitializeWorkflow) {
    change(initialize.memo)
    change(initialize.searchAttributes)
  }

  mutating func change(_ changes: Memo?) {
    var payloads = memo.payloads
    for field in changes?.fields ?? [] {
      let isNothing = field.value.map { $0.data.isEmpty || $0.encoding == "binary/null" } ?? true
      payloads[field.key] = isNothing ? nil : field.value
    }
    memo = WorkflowMemo(payloads)
  }

  mutating func change(_ changes: SearchAttributes?) {
    for field in changes?.fields ?? [] { attributes[field.name] = SearchValue(field) }
  }
}

extension Memo {
  init(_ values: MemoChanges) throws {
    self.init()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      var entry = PayloadEntry()
      entry.key = key
      if let value { entry.value = try Payloads.encode(value).first }
      fields.append(entry)
    }
  }
}

extension SearchAttributes {
  init(_ values: [String: SearchValue?]) {
    self.init()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      var attribute = SearchAttribute()
      attribute.name = name
      attribute.content = value?.content
      fields.append(attribute)
    }
  }

  var values: [String: SearchValue] {
    var values: [String: SearchValue] = [:]
    for field in fields { values[field.name] = SearchValue(field) }
    return values
  }
}

extension SearchValue {
  /// nil: it says nothing.
  init?(_ attribute: SearchAttribute) {
    switch attribute.content {
    case .text(let text): self = .text(text)
    case .keyword(let text): self = .keyword(text)
    case .keywordList(let list):
      if list.keywords.isEmpty { return nil }
      self = .keywords(list.keywords)
    case .intValue(let int): self = .int(int)
    case .doubleValue(let double): self = .double(double)
    case .boolValue(let bool): self = .bool(bool)
    case .instantTimeMs(let time): self = .time(ms: time.ms)
    case nil: return nil
    }
  }

  fileprivate var content: SearchAttribute.Content {
    switch self {
    case .text(let text): return .text(text)
    case .keyword(let text): return .keyword(text)
    case .keywords(let all):
      var list = KeywordList()
      list.keywords = all
      return .keywordList(list)
    case .int(let int): return .intValue(int)
    case .double(let double): return .doubleValue(double)
    case .bool(let bool): return .boolValue(bool)
    case .time(let ms): return .instantTimeMs(Instant(ms: ms))
    }
  }
}

/// A workflow run, as `describe` shows it.
public struct WorkflowDescription: Sendable, Equatable {
  public let run: WorkflowSummary
  /// Text for people, from the start.
  public let details: String
  /// What its code has last said of itself.
  public let currentDetails: String
  /// What keeps it from going on, in words.
  public let warnings: [String]
}

extension WorkflowHandle {
  /// What the workflow does now; of one that has closed, how it was left.
  public func describe() async throws -> WorkflowDescription {
    var request = DescribeWorkflowRequest()
    request.execution = ownExecution
    let response = try await client.call(
      .workflowDescribeWorkflow, request, as: DescribeWorkflowResponse.self)
    return WorkflowDescription(
      run: WorkflowSummary(response.info ?? WorkflowInfo()),
      details: response.info?.userMetadata?.details ?? "",
      currentDetails: response.currentDetails, warnings: response.warnings)
  }
}
