internal import Messages

/// What is different in the next run of a workflow; what is nil is as in this one.
public struct ContinueOptions: Sendable {
  public var workflowType: String?
  public var taskQueue: String?
  public var runTimeout: Duration?
  public var retry: Retry?
  /// In the place of what this run has.
  public var memo: [String: any Encodable & Sendable]?
  public var searchAttributes: [String: SearchValue]?

  public init(
    workflowType: String? = nil, taskQueue: String? = nil, runTimeout: Duration? = nil,
    retry: Retry? = nil, memo: [String: any Encodable & Sendable]? = nil,
    searchAttributes: [String: SearchValue]? = nil
  ) {
    self.workflowType = workflowType
    self.taskQueue = taskQueue
    self.runTimeout = runTimeout
    self.retry = retry
    self.memo = memo
    self.searchAttributes = searchAttributes
  }

  func command() throws -> ContinueAsNew {
    var command = ContinueAsNew()
    command.workflowType = workflowType ?? ""
    command.taskQueue = taskQueue ?? ""
    command.runTimeoutMs = runTimeout?.span ?? .zero
    command.retryPolicy = retry?.policy
    command.memo = try memo.map { try Memo($0) }
    command.searchAttributes = searchAttributes.map { SearchAttributes($0) }
    return command
  }
}

/// Ends the run and begins the next one; made by `WorkflowContext.continueAsNew`. Code that catches
/// errors lets it pass.
public struct ContinueAsNewError: Error, Sendable {
  let command: ContinueAsNew
  let location: String
}
