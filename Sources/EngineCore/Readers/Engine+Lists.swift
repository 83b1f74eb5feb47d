import Basics
import Messages

extension Engine {
  /// The store's next rows for a list or a count.
  mutating func takeRows(
    _ id: RequestID, _ list: ListReader, _ rows: [RunRow], _ isShort: Bool, _ seen: RunNumber?
  ) {
    var list = list
    let held = list.gatheredBytes
    var part = ListPart(bytesMax: limits.partBytesMax)
    var hasMore: Bool?
    var isCut = false
    loop: for row in rows {
      let info = runs[row.number].map(listed) ?? listed(row)
      if shows(row, list), list.selection.filter.accepts(info) {
        switch list.take(info, row.number, &part) {
        case .taken: break
        case .partIsFull:
          isCut = true
          break loop
        case .done(let more):
          hasMore = more
          break loop
        }
      }
      list.before = row.number
    }
    if hasMore == nil && !isCut, let seen { list.before = seen }
    if hasMore == nil && !isCut && !isShort && rows.count < limits.listSliceRows {
      hasMore = false
    }
    gatheredBytes += list.gatheredBytes - held
    readers[id]?.source = .list(list)
    if let status = overflow(list) { return fail(id, list, status) }
    guard makeRoom(beside: id) else { return fail(id, list, .tooManyLists) }
    if let hasMore { return complete(id, list, part, hasMore: hasMore) }
    if !part.infos.isEmpty { show(id, part.infos, nil, list.kind) }
    readOn(id)
  }

  private func shows(_ row: RunRow, _ list: ListReader) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.kindsAreListedTogether) { return true }
    #endif
    return row.kind == list.kind
  }

  /// There is nothing more to read for it.
  private mutating func complete(
    _ id: RequestID, _ list: ListReader, _ part: ListPart, hasMore: Bool
  ) {
    switch list.aim {
    case .show:
      let token = list.token(hasMore: hasMore)
      if !part.infos.isEmpty || token != nil { show(id, part.infos, token, list.kind) }
      endReader(id, Status(), .engine)
    case .order(var rows):
      var list = list
      rows.complete()
      gatheredBytes += rows.byteCount - list.gatheredBytes
      list.aim = .order(rows)
      readers[id]?.source = .list(list)
      readOn(id)
    case .count(let count): answer(id, count, [], list.kind)
    case .group(let groups): answer(id, groups.total, groups.inOrder, list.kind)
    }
  }

  /// The next part of rows that have been gathered.
  mutating func showNext(_ id: RequestID, _ list: ListReader) {
    guard case .order(var rows) = list.aim else { return }
    var list = list
    let next = rows.next(bytesMax: limits.partBytesMax)
    for row in next { list.note(row.number, row.values) }
    list.aim = .order(rows)
    readers[id]?.source = .list(list)
    let token = rows.isShown ? list.token(hasMore: rows.hasMore) : nil
    if !next.isEmpty { show(id, next.map(\.info), token, list.kind) }
    if rows.isShown { endReader(id, Status(), .engine) }
  }

  private mutating func show(
    _ id: RequestID, _ infos: [WorkflowInfo], _ token: ListToken?, _ kind: RunKind
  ) {
    let token = token?.bytes ?? []
    let part: [UInt8]
    switch kind {
    case .workflow:
      var response = ListWorkflowsResponse()
      response.workflows = infos
      response.nextPageToken = token
      part = response.serialized()
    case .activity:
      var response = ListActivitiesResponse()
      response.activities = infos.map { StandaloneActivity($0) }
      response.nextPageToken = token
      part = response.serialized()
    }
    // What resident runs say of themselves may not be durable yet.
    send(.part(id, part), .engine)
    readers[id]?.isWanted = false
  }

  private mutating func answer(
    _ id: RequestID, _ count: Int64, _ groups: [WorkflowGroup], _ kind: RunKind
  ) {
    dropReader(id)
    switch kind {
    case .workflow:
      var response = CountWorkflowsResponse()
      response.count = count
      response.groups = groups
      reply(id, .countWorkflows(response), .engine)
    case .activity:
      var response = CountActivitiesResponse()
      response.count = count
      response.groups = groups
      reply(id, .activityRun(.count(response)), .engine)
    }
  }

  // MARK: - Bounds

  private func overflow(_ list: ListReader) -> Status? {
    guard case .group(let groups) = list.aim,
      groups.count > limits.groupsMax || groups.byteCount > limits.partBytesMax
    else { return nil }
    return .refusal(
      .resourceExhausted, .limitReached,
      "GROUP BY finds more than \(limits.groupsMax) groups, or groups with too long names",
      field: "query")
  }

  /// Ends what holds gathered rows without reading them, the largest first, until there is room for
  /// those who go on; false when there is not.
  private mutating func makeRoom(beside id: RequestID) -> Bool {
    while gatheredBytes > limits.gatheredBytesMax {
      let idle = readers.lazy.compactMap { id, reader -> (bytes: Int, id: RequestID)? in
        guard case .list(let list) = reader.source, list.isGathered, !reader.isWanted else {
          return nil
        }
        return (list.gatheredBytes, id)
      }
      guard let largest = idle.max(by: { $0 < $1 }) else { return false }
      endReader(largest.id, .tooManyLists, .engine)
    }
    return true
  }

  mutating func fail(_ id: RequestID, _ list: ListReader, _ status: Status) {
    switch list.aim {
    case .show, .order: endReader(id, status, .engine)
    case .count, .group:
      dropReader(id)
      refuse(id, status)
    }
  }
}

extension Status {
  fileprivate static let tooManyLists = refusal(
    .resourceExhausted, .overloaded,
    "too many lists with ORDER BY or GROUP BY are under way, or are not read",
    retryAfter: Span(ms: 1_000))
}

extension Engine {
  /// A resident run as lists show it.
  private func listed(_ run: Run) -> WorkflowInfo {
    var info = info(of: run)
    if let summary = info.userMetadata?.summary.cut(to: limits.shownTextBytesMax) {
      info.userMetadata = UserMetadata()
      info.userMetadata?.summary = summary
    }
    return info
  }
}

extension Engine {
  /// A run that is not in memory as lists show it.
  func listed(_ row: RunRow) -> WorkflowInfo {
    var info = WorkflowInfo(row)
    info.waitingSinceTimeMs = waitingSince(row)
    return info
  }
}

extension WorkflowInfo {
  /// What the store's row says of a run that is not in memory.
  package init(_ row: RunRow) {
    self.init()
    var execution = WorkflowExecution()
    execution.workflowID = row.workflowID
    execution.runID = row.runID
    self.execution = execution
    workflowType = row.workflowType
    taskQueue = row.taskQueue
    status = row.status
    startTimeMs = row.startTime
    closeTimeMs = row.closeTime ?? Instant(ms: 0)
    historyLength = row.historyLength
    historySizeBytes = row.historySizeBytes
    if row.closeTime == nil, !row.problems.isEmpty {
      problems = row.problems.split(separator: "\n").map(String.init)
    }
    if !row.summary.isEmpty {
      var metadata = UserMetadata()
      metadata.summary = row.summary
      userMetadata = metadata
    }
    memo = row.details.memo
    searchAttributes = row.details.searchAttributes
  }
}
