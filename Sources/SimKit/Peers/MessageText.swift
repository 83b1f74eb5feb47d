import Messages

/// Messages of a Work stream in a few words, for the trace.
extension EngineMessage.Kind {
  var short: String {
    switch self {
    case .attached(let m): return "Attached \(m.sessionID), lost \(m.lostLeases.count)"
    case .activation(let m):
      let jobs = m.jobs.map(\.short).joined(separator: ", ")
      let locals = m.localAttempts.map { ", run \($0.seq) \($0.attempt)" }.joined()
      return "Activation \(m.runID) \(m.token.tag), attempt \(m.attempt): \(jobs)\(locals)"
    case .replayHistory(let m):
      return "ReplayHistory \(m.runID) \(m.token.tag), \(m.activations.count)"
    case .evict(let m): return "Evict \(m.runID) \(m.reason.name)"
    case .activityTask(let m): return "ActivityTask \(m.idempotencyKey) \(m.attempt)"
    case .activityCancel(let m): return "ActivityCancel \(m.token.tag) \(m.reason.name)"
    case .recorded(let m):
      return "Recorded \(m.tokens.map(\.tag).joined(separator: " "))"
    case .refused(let m): return "Refused \(m.token.tag) \(m.status?.reason.name ?? "")"
    case .drain: return "Drain"
    }
  }
}

extension WorkerMessage.Kind {
  var short: String {
    switch self {
    case .attach(let m): return "Attach \(m.identity), holds \(m.heldLeases.count)"
    case .grant(let m): return "Grant \(m.workflowSlots) \(m.activitySlots)"
    case .workflowTaskCompleted(let m):
      let what = m.failure == nil ? "\(m.commands.count) commands" : "failure"
      return "WorkflowTaskCompleted \(m.token.tag), \(what), \(m.queryResults.count) results,"
        + " \(m.updateRejections.count) rejections"
    case .replayCompleted(let m): return "ReplayCompleted \(m.token.tag), \(m.completions.count)"
    case .activityCompleted(let m):
      return "ActivityCompleted \(m.token.tag) \(m.result.first?.text ?? "")"
    case .activityFailed(let m):
      return "ActivityFailed \(m.token.tag) \(m.failure?.info?.message ?? "")"
    case .reportActivityCancelled(let m): return "ReportActivityCancelled \(m.token.tag)"
    case .willCompleteElsewhere(let m): return "WillCompleteElsewhere \(m.token.tag)"
    case .localActivityDone(let m): return "LocalActivityDone \(m.runID) \(m.seq), \(m.attempt)"
    case .heartbeat(let m): return "Heartbeat \(m.token.tag)"
    case .evicted(let m): return "Evicted \(m.runIDs.count)"
    case .detach: return "Detach"
    }
  }
}

extension Job {
  fileprivate var short: String {
    switch kind {
    case .initializeWorkflow: return "initialize"
    case .signalWorkflow(let m): return "signal \(m.input.first?.text ?? "")"
    case .cancelWorkflow: return "cancel"
    case .updateRandomSeed: return "seed"
    case .fireTimer(let m): return "fire \(m.seq)"
    case .resolveActivity(let m): return "resolve \(m.seq)"
    case .queryWorkflow(let m): return "query \(m.queryID)"
    case .doUpdate(let m): return "update \(m.updateID)"
    case .resolveChildStart(let m): return "child start \(m.seq)"
    case .resolveChild(let m): return "child \(m.seq)"
    case .resolveSignalExternal(let m): return "signal of \(m.seq)"
    case .resolveCancelExternal(let m): return "cancel of \(m.seq)"
    case nil: return "nothing"
    }
  }
}

extension [UInt8] {
  /// A token's numbers, which are words of eight bytes after the first byte.
  fileprivate var tag: String {
    var words: [String] = []
    var offset = 1
    while offset + 8 <= count {
      let word = (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(self[offset + 7 - $1]) }
      words.append(String(word, radix: 16))
      offset += 8
    }
    return "<\(words.joined(separator: "."))>"
  }
}
