import Basics
import EngineCore
import Messages

/// What clients ask of schedules.
extension Model {
  mutating func answer(_ request: ScheduleRequest) -> Response {
    switch request {
    case .create(let r): create(r)
    case .list(let r): list(r)
    case .describe(let r): answer(request, r.namespace, r.scheduleID)
    case .update(let r): answer(request, r.namespace, r.scheduleID)
    case .delete(let r): answer(request, r.namespace, r.scheduleID)
    case .pause(let r): answer(request, r.namespace, r.scheduleID)
    case .unpause(let r): answer(request, r.namespace, r.scheduleID)
    case .trigger(let r): answer(request, r.namespace, r.scheduleID)
    case .backfill(let r): answer(request, r.namespace, r.scheduleID)
    case .matchingTimes(let r): answer(request, r.namespace, r.scheduleID)
    }
  }

  private mutating func answer(_ request: ScheduleRequest, _ namespace: String, _ id: String)
    -> Response
  {
    if let fault = fault(of: id, namespace) { return .failure(fault) }
    guard let schedule = schedules.first(where: { $0.id == id }) else {
      return .failure(.of(.notFound, .scheduleNotFound, field: "schedule_id"))
    }
    switch request {
    case .describe: return .schedule(describe(schedule))
    case .matchingTimes(let r): return matchingTimes(schedule, r)
    case .update(let r): return update(schedule, r)
    case .trigger(let r): return trigger(schedule, r)
    case .backfill(let r): return backfill(schedule, r)
    case .pause(let r): return setPaused(true, schedule, r.note)
    case .unpause(let r): return setPaused(false, schedule, r.note)
    case .delete:
      schedules.removeAll { $0 === schedule }
      return .done
    case .create, .list: preconditionFailure("these name no schedule that is there")
    }
  }

  private func fault(of id: String, _ namespace: String) -> Status? {
    if id.isEmpty { return .of(.invalidArgument, .fieldMissing, field: "schedule_id") }
    if id.utf8.count > limits.idBytesMax { return invalid("schedule_id") }
    return namespace.isEmpty || namespace == "default"
      ? nil : .of(.notFound, .namespaceNotFound, field: "namespace")
  }

  // MARK: - Request ids

  private enum Earlier {
    case new
    case done(ModelSchedule.Known)
    case refused(Response)
  }

  private func earlier(
    _ method: String, _ requestID: String, _ request: [UInt8], _ schedule: ModelSchedule
  ) -> Earlier {
    if requestID.utf8.count > limits.idBytesMax { return .refused(.failure(invalid("request_id"))) }
    guard let known = known(method, requestID, schedule) else { return .new }
    return known.request == request
      ? .done(known)
      : .refused(.failure(.of(.invalidArgument, .requestIDReused, field: "request_id")))
  }

  private func known(_ method: String, _ requestID: String, _ schedule: ModelSchedule)
    -> ModelSchedule.Known?
  {
    requestID.isEmpty
      ? nil : schedule.requests.first { $0.method == method && $0.requestID == requestID }
  }

  private func remember(
    _ method: String, _ requestID: String, _ request: [UInt8], _ schedule: ModelSchedule,
    workflowID: String = ""
  ) {
    guard !requestID.isEmpty else { return }
    let known = ModelSchedule.Known(
      method: method, requestID: requestID, request: request, workflowID: workflowID)
    schedule.requests = (schedule.requests + [known]).suffix(limits.scheduleRequestsKept)
  }

  // MARK: - Changes

  private mutating func create(_ r: CreateScheduleRequest) -> Response {
    if let fault = fault(of: r.scheduleID, r.namespace) { return .failure(fault) }
    if r.requestID.utf8.count > limits.idBytesMax { return .failure(invalid("request_id")) }
    if let schedule = schedules.first(where: { $0.id == r.scheduleID }) {
      switch earlier("Create", r.requestID, r.anonymous, schedule) {
      case .refused(let response): return response
      case .done: return .token(schedule.conflictToken)
      case .new: return .failure(.of(.alreadyExists, .scheduleAlreadyExists, field: "schedule_id"))
      }
    }
    switch times(of: r.schedule) {
    case .failure(let fault): return .failure(fault.status)
    case .success(let times):
      if let status = refusalOfStarts { return .failure(status) }
      let schedule = ModelSchedule(r.scheduleID, r.schedule ?? Schedule(), times, at: now)
      schedules.append(schedule)
      remember("Create", r.requestID, r.anonymous, schedule)
      if r.triggerImmediately { _ = trigger(schedule, .unspecified) }
      touched.append(schedule)
      return .token(1)
    }
  }

  private mutating func update(_ schedule: ModelSchedule, _ r: UpdateScheduleRequest) -> Response {
    switch earlier("Update", r.requestID, r.anonymous, schedule) {
    case .refused(let response): return response
    case .done: return .token(schedule.conflictToken)
    case .new: break
    }
    if r.conflictToken != 0, r.conflictToken != schedule.conflictToken {
      return .failure(.of(.failedPrecondition, .scheduleChanged, field: "conflict_token"))
    }
    switch times(of: r.schedule) {
    case .failure(let fault): return .failure(fault.status)
    case .success(let times):
      let new = r.schedule ?? Schedule()
      if new.spec != schedule.schedule.spec {
        schedule.doneThrough = max(schedule.doneThrough, now)
      }
      schedule.change(new.state ?? schedule.state, at: now)
      schedule.schedule = new
      schedule.schedule.state = nil
      schedule.times = times
      schedule.info.updateTimeMs = now
      remember("Update", r.requestID, r.anonymous, schedule)
      touched.append(schedule)
      return .token(schedule.conflictToken)
    }
  }

  private mutating func setPaused(_ isPaused: Bool, _ schedule: ModelSchedule, _ note: String)
    -> Response
  {
    var state = schedule.state
    state.paused = isPaused
    state.note = note
    schedule.change(state, at: now)
    touched.append(schedule)
    return .done
  }

  private mutating func trigger(_ schedule: ModelSchedule, _ r: TriggerScheduleRequest) -> Response
  {
    if isUnknown(r.overlapPolicy) { return .failure(invalid("overlap_policy")) }
    switch earlier("Trigger", r.requestID, r.anonymous, schedule) {
    case .refused(let response): return response
    case .done(let known): return .trigger(known.workflowID)
    case .new: break
    }
    if let status = refusalOfStarts { return .failure(status) }
    let workflowID = trigger(schedule, r.overlapPolicy)
    remember("Trigger", r.requestID, r.anonymous, schedule, workflowID: workflowID)
    return .trigger(workflowID)
  }

  /// The id of the workflow; empty when the action is left out.
  private mutating func trigger(_ schedule: ModelSchedule, _ policy: ScheduleOverlapPolicy)
    -> String
  {
    // Each has a time of its own.
    var time = max(now, schedule.lastTrigger + Span(ms: 1))
    while schedule.hasTaken(time) { time = time + Span(ms: 1) }
    schedule.lastTrigger = time
    touched.append(schedule)
    let isAdded = schedule.add(time, policy == .unspecified ? schedule.policy : policy, limits)
    return isAdded ? schedule.workflowID(at: time) : ""
  }

  private mutating func backfill(_ schedule: ModelSchedule, _ r: BackfillScheduleRequest)
    -> Response
  {
    if isUnknown(r.overlapPolicy) { return .failure(invalid("overlap_policy")) }
    if r.endAtMs < r.startAtMs { return .failure(invalid("end_at_ms")) }
    switch earlier("Backfill", r.requestID, r.anonymous, schedule) {
    case .refused(let response): return response
    case .done: return .done
    case .new: break
    }
    guard schedule.backfills.count < limits.backfillsMax else {
      return .failure(.of(.resourceExhausted, .limitReached, retryAfter: Span(ms: 1_000)))
    }
    schedule.backfills.append(.init(next: r.startAtMs, end: r.endAtMs, policy: r.overlapPolicy))
    remember("Backfill", r.requestID, r.anonymous, schedule)
    touched.append(schedule)
    return .done
  }

  // MARK: - What is told

  private func describe(_ schedule: ModelSchedule) -> DescribeScheduleResponse {
    var response = DescribeScheduleResponse()
    response.schedule = schedule.schedule
    response.schedule?.state = schedule.state
    var info = schedule.info
    info.running = Array(info.running.prefix(100))
    info.waitingCount = Int64(schedule.waiting.count)
    info.backfills = Int64(schedule.backfills.count)
    info.nextActionTimeMs = first(10, of: schedule, after: now)
    response.info = info
    response.conflictToken = schedule.conflictToken
    return response.plain
  }

  private func first(_ count: Int, of schedule: ModelSchedule, after time: Instant) -> [Instant] {
    var found: [Instant] = []
    while found.count < count, let next = schedule.times.next(after: found.last ?? time) {
      found.append(next)
    }
    return found
  }

  private func list(_ r: ListSchedulesRequest) -> Response {
    if r.limit < 0 || r.limit > 1_000 { return .failure(invalid("limit")) }
    let after = schedules.filter { $0.id > r.afterScheduleID }.sorted { $0.id < $1.id }
    var response = ListSchedulesResponse()
    response.schedules = after.prefix(r.limit == 0 ? 100 : Int(r.limit)).map { schedule in
      var entry = ScheduleEntry()
      entry.scheduleID = schedule.id
      entry.workflowType = schedule.schedule.action?.workflowType ?? ""
      entry.paused = schedule.state.paused
      entry.note = schedule.state.note
      entry.actionCount = schedule.info.actionCount
      entry.nextActionTimeMs = schedule.due ?? .epoch
      entry.lastActionTimeMs = schedule.info.recentActions.last?.takenTimeMs ?? .epoch
      entry.runningCount = Int32(schedule.info.running.count)
      return entry
    }
    response.more = after.count > response.schedules.count
    return .schedules(response)
  }

  private func matchingTimes(
    _ schedule: ModelSchedule, _ r: ListScheduleMatchingTimesRequest
  ) -> Response {
    if r.endAtMs < r.startAtMs { return .failure(invalid("end_at_ms")) }
    var response = ListScheduleMatchingTimesResponse()
    var time = r.startAtMs - Span(ms: 1)
    while let next = schedule.times.next(after: time), next <= r.endAtMs {
      response.matchingTimeMs.append(next)
      time = next
    }
    return .times(response)
  }

  // MARK: - Faults

  private struct Fault: Error { let status: Status }

  private func times(of schedule: Schedule?) -> Result<ModelTimes, Fault> {
    guard let schedule else {
      return .failure(Fault(status: .of(.invalidArgument, .fieldMissing, field: "schedule")))
    }
    if let fault = unknownZone(schedule) { return .failure(Fault(status: fault)) }
    if schedule.action?.taskQueue.isEmpty ?? true {
      return .failure(
        Fault(
          status: .of(.invalidArgument, .fieldMissing, field: "schedule.action.task_queue")))
    }
    if let fault = retry("schedule.action.retry_policy", schedule.action?.retryPolicy) {
      return .failure(Fault(status: fault))
    }
    if let field = isBad(schedule.action?.priority) {
      return .failure(Fault(status: invalid("schedule.action.priority.\(field)")))
    }
    if isUnknown(schedule.policies?.overlapPolicy ?? .unspecified) {
      return .failure(Fault(status: invalid("schedule.policies.overlap_policy")))
    }
    let window = schedule.policies?.catchupWindowMs ?? .zero
    if window != .zero && window < times.catchupWindowMin {
      return .failure(Fault(status: invalid("schedule.policies.catchup_window_ms")))
    }
    if schedule.state?.remainingActions ?? 0 < 0 {
      return .failure(Fault(status: invalid("schedule.state.remaining_actions")))
    }
    guard let times = ModelTimes(schedule.spec ?? ScheduleSpec()) else {
      let isCron = schedule.spec?.crons.contains { ModelCron.named($0) == nil } ?? false
      let place = isCron ? "crons[0]" : "intervals[0]"
      return .failure(Fault(status: invalid("schedule.spec.\(place)")))
    }
    return .success(times)
  }

  private func unknownZone(_ schedule: Schedule?) -> Status? {
    ModelZone(schedule?.spec?.timeZone ?? "") == nil
      ? invalid("schedule.spec.time_zone") : nil
  }

  private func isUnknown(_ policy: ScheduleOverlapPolicy) -> Bool {
    if case .unrecognized = policy { true } else { false }
  }
}

extension CreateScheduleRequest {
  fileprivate var anonymous: [UInt8] {
    var request = self
    request.identity = ""
    return request.serialized()
  }
}

extension UpdateScheduleRequest {
  fileprivate var anonymous: [UInt8] {
    var request = self
    request.identity = ""
    return request.serialized()
  }
}

extension TriggerScheduleRequest {
  fileprivate var anonymous: [UInt8] {
    var request = self
    request.identity = ""
    return request.serialized()
  }
}

extension BackfillScheduleRequest {
  fileprivate var anonymous: [UInt8] {
    var request = self
    request.identity = ""
    return request.serialized()
  }
}
