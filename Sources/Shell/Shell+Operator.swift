import Basics
import Messages

/// The answers of OperatorService that the shell gives itself.
extension Shell {
  var health: HealthResponse {
    var response = HealthResponse()
    response.state = isDraining ? .draining : isDiskFull ? .diskFull : .serving
    response.clockAheadMs = Span(ms: clock.aheadMs)
    response.uptimeMs = clock.real - startTime
    return response
  }

  var description: DescribeResponse {
    var response = DescribeResponse()
    response.serverVersion = configuration.serverVersion
    response.epoch = epoch
    response.startTimeMs = startTime
    response.storePath = configuration.storePath
    response.counters = counters.sorted { $0.name < $1.name }
    return response
  }

  private var counters: [Counter] {
    let engine = engine.statistics
    var named: [(name: String, value: Int64)] = [
      ("events_total", Int64(engine.events)), ("starts_total", Int64(engine.starts)),
      ("workflow_tasks_total", Int64(engine.workflowTasks)),
      ("workflow_tasks_failed_total", Int64(engine.workflowTasksFailed)),
      ("workflow_tasks_timed_out_total", Int64(engine.workflowTasksTimedOut)),
      ("replays_total", Int64(engine.replays)),
      ("activity_attempts_total", Int64(engine.activityAttempts)),
      ("activity_retries_total", Int64(engine.activityRetries)),
      ("workers_lost_total", Int64(engine.workersLost)),
      ("timers_fired_total", Int64(engine.timersFired)), ("loads_total", Int64(engine.loads)),
      ("closed_total", Int64(engine.closed)), ("removed_total", Int64(engine.removed)),
      ("resident_runs", Int64(engine.residentRuns)),
      ("resident_bytes", Int64(engine.residentBytes)),
      ("corrupt_runs_total", Int64(engine.corruptRuns)),
      ("sessions", Int64(engine.sessions)), ("deadlines", Int64(engine.deadlines)),
      ("requests_total", Int64(requests)), ("connections", Int64(connections.count)),
      ("batches_total", Int64(gate.batches)), ("holds_expired_total", Int64(gate.expiredHolds)),
      ("hold_bound_us", gate.holdBoundUs),
    ]
    named += storeCounters
    return named.map { name, value in
      var counter = Counter()
      counter.name = name
      counter.value = value
      return counter
    }
  }
}
