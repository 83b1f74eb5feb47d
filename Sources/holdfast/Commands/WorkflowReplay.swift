import ArgumentParser
import Basics
import Glibc
import Messages

struct WorkflowReplay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Ask a worker whether its code still does what a history holds.",
    discussion: """
      holdfast workflow replay --id o-1
      holdfast workflow replay --query "WorkflowType = 'Order' AND ExecutionStatus = 'Running'"
      holdfast workflow show --id o-1 -o json > o-1.json
      holdfast workflow replay o-1.json --task-queue orders-next

      A worker that is attached to the task queue and serves the workflow type runs its code \
      against the history: of workflows here, or of files that `holdfast workflow show -o json` \
      has made, here or elsewhere. Nothing is recorded, no activity runs, and the workflow goes on \
      as it was. So a new version can be tried on open workflows: attach it to a task queue of its \
      own, and name that one.

      Where code and history part, it is told with the event, what was recorded, what the code \
      asks for now, and where in the code. A file that is no history is refused with the line. The \
      exit code is 1 when one of them does not agree. With -o json: one document a line.

      \(ExitCodes.help)
      """)

  @OptionGroup var engine: EngineOptions
  @Argument(help: "Histories, one event a line.", completion: .file()) var files: [String] = []
  @Option(help: "The workflow id.") var id: String?
  @Option(help: "The run id; the current run if it is left out.") var runID: String?
  @Option(help: "Which workflows; as for `holdfast workflow list`.") var query: String?
  @Option(help: "How many of these at most; 0: all.") var limit: Int64 = 100
  @Option(help: "Whose worker; the workflow's own task queue if it is left out.")
  var taskQueue: String?

  func validate() throws {
    let ways = [!files.isEmpty, id != nil, query != nil].count { $0 }
    if ways != 1 { throw ValidationError("name one of: files, --id, --query") }
  }

  func run() throws {
    let connection = try engine.connect()
    var disagreed = false
    func judge(_ history: SentParts) throws {
      let verdict = try connection.replay(history)
      disagreed = disagreed || verdict.diff != nil
      show(verdict)
    }
    for file in files { try judge(try SentParts(file: file, taskQueue, engine.namespace)) }
    if let id { try judge(try stored(try WorkflowExecution(id, run: runID), connection)) }
    if let query {
      for execution in try found(query, connection) { try judge(try stored(execution, connection)) }
    }
    if disagreed { throw ExitCode(ExitCodes.workflowNotCompleted) }
  }

  private func found(_ query: String, _ connection: EngineConnection) throws
    -> [WorkflowExecution]
  {
    var request = ListWorkflowsRequest()
    request.namespace = engine.namespace
    request.query = query
    request.limit = limit
    var found: [WorkflowExecution] = []
    try connection.stream(.workflowListWorkflows, request) { (response: ListWorkflowsResponse) in
      found += response.workflows.compactMap(\.execution)
    }
    return found
  }

  private func stored(_ execution: WorkflowExecution, _ connection: EngineConnection) throws
    -> SentParts
  {
    var request = DescribeWorkflowRequest()
    request.namespace = engine.namespace
    request.execution = execution
    let described: DescribeWorkflowResponse = try connection.call(
      .workflowDescribeWorkflow, request)
    var history = GetHistoryRequest()
    history.namespace = engine.namespace
    history.execution = described.info?.execution
    var bytes: [UInt8] = []
    try connection.stream(.workflowGetHistory, history) { (batch: HistoryBatch) in
      bytes += batch.serialized()
    }
    var parts = SentParts(
      bytes, .stored, taskQueue ?? described.info?.taskQueue ?? "", engine.namespace)
    parts.execution = history.execution
    return parts
  }

  private func show(_ verdict: ReplayVerdict) {
    if engine.output == .json { return print(verdict.json()) }
    let run = verdict.execution ?? WorkflowExecution()
    let whose = "\(verdict.workflowType) '\(run.workflowID)', run \(run.runID)"
    guard let diff = verdict.diff else {
      return print(
        "\(whose): agrees (\(verdict.events) events, \(verdict.workflowTasks) workflow tasks)")
    }
    print("\(whose): differs: \(diff.message)")
    for line in Show.failure(verdict.failure, indent: "  ") { print(line) }
  }
}

/// A history on its way to an engine, in parts that it takes one after the other.
struct SentParts {
  private static let partBytes = 128 << 10

  private let bytes: [UInt8]
  private var sent = 0
  private var first = HistoryPart()
  var execution: WorkflowExecution? {
    get { first.execution }
    set { first.execution = newValue }
  }

  init(_ bytes: [UInt8], _ form: HistoryForm, _ taskQueue: String, _ namespace: String) {
    self.bytes = bytes
    first.form = form
    first.taskQueue = taskQueue
    first.namespace = namespace
  }

  /// A file of lines. What is wrong with one that cannot be read, the engine will say.
  init(file: String, _ taskQueue: String?, _ namespace: String) throws {
    let bytes = try SentParts.read(file)
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    var queue = taskQueue
    if case .workflowExecutionStarted(let started)? = (try? HistoryEvent(json: line))?.attributes {
      queue = queue ?? started.taskQueue
    }
    guard let queue, !queue.isEmpty else {
      throw Fault(
        text: "\(file): its first line is not a WorkflowExecutionStarted that names a task queue;"
          + " name one with --task-queue",
        code: ExitCodes.usage)
    }
    self.init(bytes, .json, queue, namespace)
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else {
      throw Fault(text: "\(path): \(String(cString: strerror(errno)))", code: ExitCodes.usage)
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 {
      bytes += piece[..<count]
    }
    return bytes
  }

  mutating func next() -> ReplayRequest {
    var part = sent == 0 ? first : HistoryPart()
    let end = min(sent + SentParts.partBytes, bytes.count)
    part.data = Array(bytes[sent..<end])
    part.more = end < bytes.count
    sent = end
    var request = ReplayRequest()
    request.kind = .history(part)
    return request
  }
}

extension EngineConnection {
  /// Has a worker replay the history.
  fileprivate func replay(_ history: SentParts) throws -> ReplayVerdict {
    var history = history
    var verdict: ReplayVerdict?
    try takeTurns(.workerReplay, history.next()) { (response: ReplayResponse) in
      switch response.kind {
      case .historyWanted: return history.next()
      case .verdict(let final): verdict = final
      case .replayHistory, nil: break
      }
      return nil
    }
    guard let verdict else {
      throw Fault(text: "the engine gave no verdict", code: ExitCodes.refused)
    }
    return verdict
  }
}
