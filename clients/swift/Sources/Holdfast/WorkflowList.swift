import CHoldfast
import Glibc
internal import Messages

/// A workflow run, as lists show it.
public struct WorkflowSummary: Sendable, Equatable {
  public let workflowID: String
  public let runID: String
  public let workflowType: String
  public let taskQueue: String
  /// RUNNING, COMPLETED, FAILED, CANCELED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT.
  public let status: String
  /// Milliseconds since 1970, UTC.
  public let startTimeMs: Int64
  /// nil while it is open.
  public let closeTimeMs: Int64?
  public let historyLength: Int64
  public let historySizeBytes: Int64
  /// Text for people.
  public let summary: String
  public let memo: WorkflowMemo
  public let searchAttributes: [String: SearchValue]

  init(_ info: WorkflowInfo) {
    workflowID = info.execution?.workflowID ?? ""
    runID = info.execution?.runID.description ?? ""
    workflowType = info.workflowType
    taskQueue = info.taskQueue
    status = info.status.name
    startTimeMs = info.startTimeMs.ms
    closeTimeMs = info.closeTimeMs == .epoch ? nil : info.closeTimeMs.ms
    historyLength = info.historyLength
    historySizeBytes = info.historySizeBytes
    summary = info.userMetadata?.summary ?? ""
    memo = WorkflowMemo(info.memo)
    searchAttributes = info.searchAttributes?.values ?? [:]
  }
}

/// How many workflow runs there are.
public struct WorkflowCount: Sendable, Equatable {
  public struct Group: Sendable, Equatable {
    /// One for each attribute of GROUP BY, in its order.
    public let values: [String]
    public let count: Int
  }

  public let count: Int
  /// With GROUP BY, the largest first.
  public let groups: [Group]
}

extension Client {
  /// The runs that a query asks for, newest first if it has no ORDER BY, asked for page by page
  /// while they are iterated. What is started or closed meanwhile moves nothing.
  ///
  ///     for try await run in client.listWorkflows("ExecutionStatus = 'Failed'", limit: 20) { … }
  ///
  /// With ORDER BY each page is looked for anew, so let it be large. `pageSize`: at most 1,000.
  public func listWorkflows(_ query: String = "", limit: Int? = nil, pageSize: Int = 1_000)
    -> WorkflowList
  {
    var request = ListWorkflowsRequest()
    request.query = query
    request.limit = Int64(limit ?? 0)
    request.pageSize = Int64(pageSize)
    return WorkflowList(client: self, request: request)
  }

  /// Counts the runs that a filter accepts: `WorkflowType = 'Order' GROUP BY ExecutionStatus`.
  public func countWorkflows(_ query: String = "") async throws -> WorkflowCount {
    var request = CountWorkflowsRequest()
    request.query = query
    let response = try await call(
      .workflowCountWorkflows, request, as: CountWorkflowsResponse.self)
    return WorkflowCount(
      count: Int(response.count),
      groups: response.groups.map {
        WorkflowCount.Group(values: $0.groupValues, count: Int($0.count))
      })
  }
}

/// Workflow runs, page by page.
public struct WorkflowList: AsyncSequence, Sendable {
  public typealias Element = WorkflowSummary

  let client: Client
  let request: ListWorkflowsRequest

  public func makeAsyncIterator() -> Iterator { Iterator(client: client, request: request) }

  public struct Iterator: AsyncIteratorProtocol {
    let client: Client
    var request: ListWorkflowsRequest
    private var page: ArraySlice<WorkflowSummary> = []
    private var isLast = false

    init(client: Client, request: ListWorkflowsRequest) {
      self.client = client
      self.request = request
    }

    public mutating func next() async throws -> WorkflowSummary? {
      if page.isEmpty && !isLast { try await turn() }
      return page.popFirst()
    }

    private mutating func turn() async throws {
      let parts = try await client.stream(.workflowListWorkflows, request)
      let responses = try parts.map { try ListWorkflowsResponse(bytes: $0) }
      page = responses.flatMap(\.workflows).map(WorkflowSummary.init)[...]
      request.nextPageToken = responses.last?.nextPageToken ?? []
      isLast = request.nextPageToken.isEmpty
    }
  }
}
