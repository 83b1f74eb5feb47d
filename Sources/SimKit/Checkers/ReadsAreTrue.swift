import Basics
import EngineCore
import Messages

/// Lists, counts, histories and queries tell of everything that was acknowledged before they were
/// asked, and of nothing that is not there.
final class ReadsAreTrue: Checker {
  static let name = "Reads are true"

  /// When the store had it, and had it no more.
  private struct Life {
    let createdUs: Int64
    var closedUs: Int64?
    var removedUs: Int64?
  }

  private var lives: [RunID: Life] = [:]
  private var acknowledged: [String: Int64] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .committed(let writes): if writes.contains(where: \.isOfLife) { note(scene) }
    case .reopened: note(scene)
    case .answered(let request, let answer, let parts) where answer.isOK:
      answered(request, answer, parts, scene)
    default: break
    }
  }

  private func note(_ scene: Scene) {
    for run in scene.ledger.runs {
      let id = run.row.runID
      if lives[id] == nil { lives[id] = Life(createdUs: scene.us) }
      if !run.isOpen && lives[id]?.closedUs == nil { lives[id]?.closedUs = scene.us }
    }
    for id in scene.ledger.removed.keys where lives[id]?.removedUs == nil {
      lives[id]?.removedUs = scene.us
    }
  }

  private func answered(
    _ request: ClientRequest, _ answer: Answer, _ parts: [[UInt8]], _ scene: Scene
  ) {
    switch request.kind {
    case .signal: acknowledged[request.requestID] = scene.us
    case .list(_, let selection):
      let infos = parts.flatMap { (try? ListWorkflowsResponse(bytes: $0))?.workflows ?? [] }
      check(infos, request, selection, scene)
    case .activityRun(.list):
      let activities = parts.flatMap { (try? ListActivitiesResponse(bytes: $0))?.activities ?? [] }
      check(activities, request, scene)
    case .count(_, let selection):
      guard let response = try? CountWorkflowsResponse(bytes: answer.message) else { return }
      check(response, request, selection, scene)
    case .history(let history):
      let events = parts.flatMap { (try? HistoryBatch(bytes: $0))?.events ?? [] }
      check(events, request, isFollowed: history.follow, scene)
    case .query:
      guard let response = try? QueryWorkflowResponse(bytes: answer.message) else { return }
      check(response.result.first?.text ?? "", request, scene)
    default: break
    }
  }

  // MARK: - Lists

  /// All activities without a workflow, and nothing else.
  private func check(
    _ activities: [StandaloneActivity], _ request: ClientRequest, _ scene: Scene
  ) {
    for activity in activities where scene.ledger.run(activity.runID)?.isOfActivity != true {
      scene.found("\(request.name) tells of run \(activity.runID), which is of no activity")
    }
    let listed = Set(activities.map(\.runID))
    for run in scene.ledger.runs
    where run.isOfActivity && (lives[run.row.runID]?.createdUs ?? .max) < request.sentUs
      && !listed.contains(run.row.runID)
    {
      scene.found("\(request.name) does not tell of \(run.row.number)")
    }
  }

  /// What lists could have shown of the run since it was asked for: as it was while it was open,
  /// and as it is.
  private func rows(_ run: Ledger.Run, _ request: ClientRequest) -> [ModelRow] {
    guard let life = lives[run.row.runID] else { return [] }
    var rows = (life.closedUs ?? .max) >= request.sentUs ? run.openRows : []
    if life.closedUs != nil { rows.append(ModelRow(WorkflowInfo(run.row))) }
    return rows
  }

  /// Runs that an answer must tell of.
  private func expected(
    _ request: ClientRequest, _ filter: ModelFilter, _ scene: Scene
  ) -> [Ledger.Run] {
    scene.ledger.runs.filter { run in
      !run.isOfActivity && (lives[run.row.runID]?.createdUs ?? .max) < request.sentUs
        && rows(run, request).allSatisfy(filter.takes)
    }
  }

  /// The answer may tell of the run: at some time since it was asked for, it was there.
  private func isAllowed(
    _ id: RunID, _ request: ClientRequest, _ filter: ModelFilter, _ scene: Scene
  ) -> Bool {
    guard let run = scene.ledger.run(id), !run.isOfActivity,
      (lives[id]?.removedUs ?? .max) >= request.sentUs
    else { return false }
    return rows(run, request).contains(where: filter.takes)
  }

  private func check(
    _ infos: [WorkflowInfo], _ request: ClientRequest, _ selection: ModelSelection,
    _ scene: Scene
  ) {
    var listed: Set<RunNumber> = []
    var last: (number: RunNumber, row: ModelRow)?
    for info in infos {
      let runID = info.execution?.runID ?? .none
      guard let run = scene.ledger.run(runID),
        isAllowed(runID, request, selection.filter, scene)
      else { return scene.found("\(request.name) tells of run \(runID), which is not there") }
      let row = ModelRow(info)
      if !listed.insert(run.row.number).inserted {
        scene.found("\(request.name) tells of \(run.row.number) twice")
      }
      if let last, selection.precedes(row, last.row) ?? (run.row.number > last.number) {
        scene.found("\(request.name) tells of \(run.row.number) after \(last.number)")
      }
      last = (run.row.number, row)
      let closedUs = lives[runID]?.closedUs ?? .max
      if closedUs < request.sentUs && info.status != run.row.status {
        scene.found(
          "\(request.name): \(run.row.number) is \(info.status.name), not"
            + " \(run.row.status.name)")
      }
    }
    if let limit = selection.limit, infos.count >= limit {
      if infos.count > limit { scene.found("\(request.name) goes beyond its limit") }
      return
    }
    for run in expected(request, selection.filter, scene)
    where !listed.contains(run.row.number) {
      return scene.found("\(request.name) does not tell of \(run.row.number)")
    }
  }

  private func check(
    _ response: CountWorkflowsResponse, _ request: ClientRequest, _ selection: ModelSelection,
    _ scene: Scene
  ) {
    let count = response.count
    let least = expected(request, selection.filter, scene).count
    let most = lives.keys.count { isAllowed($0, request, selection.filter, scene) }
    if count < least || count > most {
      scene.found("\(request.name) counts \(count) runs; there are \(least) to \(most)")
    }
    let grouped = response.groups.reduce(0) { $0 + $1.count }
    if !selection.groups.isEmpty && grouped != count {
      scene.found("\(request.name) counts \(count) runs, and \(grouped) in groups")
    }
  }

  // MARK: - One run

  private func check(
    _ events: [HistoryEvent], _ request: ClientRequest, isFollowed: Bool, _ scene: Scene
  ) {
    guard case .workflowExecutionStarted(let started) = events.first?.attributes,
      // A copy's first event is its base's.
      let run = scene.ledger.run(events.compactMap(\.newRun).last ?? started.runID)
    else { return scene.found("\(request.name) begins with no start of a run") }
    for (index, event) in events.enumerated() where event.eventID != Int64(index + 1) {
      return scene.found("\(request.name) has event \(event.eventID) at place \(index + 1)")
    }
    if isFollowed && !(events.last?.isClosing ?? false) {
      scene.found("\(request.name) follows \(run.row.number) and ends before it")
    }
  }

  /// The workflow id may have had several runs: in one of them it must be true.
  private func check(_ summary: String, _ request: ClientRequest, _ scene: Scene) {
    let parts = summary.split(separator: "|", omittingEmptySubsequences: false)
    let text = parts.count > 1 ? parts[1] : ""
    let seen = text.split(separator: ",").map(String.init)
    let isTrue = scene.ledger.everyRun(of: request.workflowID).contains { run in
      let signals = run.events.compactMap(\.signal)
      guard signals.prefix(seen.count).map({ $0.input.first?.text ?? "?" }) == seen else {
        return false
      }
      // Code that was ended from outside, or went on in another run, has not seen all.
      if [.terminated, .timedOut, .continuedAsNew].contains(run.row.status) { return true }
      return signals.dropFirst(seen.count).allSatisfy {
        (acknowledged[$0.requestID] ?? .max) >= request.sentUs
      }
    }
    if !isTrue { scene.found("\(request.name) tells of signals \(seen); no run has seen those") }
  }
}

extension Ledger.Run {
  /// As lists and filters may have seen it while it was open.
  var openRows: [ModelRow] {
    var info = WorkflowInfo(row)
    info.closeTimeMs = .epoch
    let wasPaused = events.contains(where: \.isPause)
    return (wasPaused ? [.running, .paused] : [.running] as [WorkflowStatus]).map { status in
      info.status = status
      return ModelRow(info)
    }
  }
}

extension HistoryEvent {
  fileprivate var isPause: Bool {
    if case .workflowExecutionPaused = attributes { true } else { false }
  }
}

extension Write {
  /// The run is made, ends, or is removed.
  fileprivate var isOfLife: Bool {
    switch self {
    case .createRun, .setStatus, .closeRun, .deleteRun: true
    default: false
    }
  }
}
