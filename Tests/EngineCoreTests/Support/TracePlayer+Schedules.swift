import EngineCore
import Messages

/// The verbs that are requests about schedules.
extension TracePlayer {
  func scheduleRequest(_ verb: String, _ words: inout TraceWords) throws(TraceFault) -> Request? {
    let definition = [
      "schedule.action.workflow_type": "order", "schedule.action.task_queue": "q",
    ]
    let id = ["schedule_id"]
    switch verb {
    case "create-schedule": return .schedule(.create(try make(&words, id, definition)))
    case "describe-schedule": return .schedule(.describe(try make(&words, id)))
    case "list-schedules": return .schedule(.list(try make(&words, ["after_schedule_id"])))
    case "update-schedule": return .schedule(.update(try make(&words, id, definition)))
    case "delete-schedule": return .schedule(.delete(try make(&words, id)))
    case "pause-schedule": return .schedule(.pause(try make(&words, id + ["note"])))
    case "unpause-schedule": return .schedule(.unpause(try make(&words, id + ["note"])))
    case "trigger-schedule": return .schedule(.trigger(try make(&words, id)))
    case "backfill-schedule":
      return .schedule(.backfill(try make(&words, id + ["start_at_ms", "end_at_ms"])))
    case "matching-times":
      return .schedule(.matchingTimes(try make(&words, id + ["start_at_ms", "end_at_ms"])))
    default: return nil
    }
  }
}

extension ScheduleReply {
  var message: any Message {
    switch self {
    case .create(let m): m
    case .describe(let m): m
    case .list(let m): m
    case .update(let m): m
    case .delete(let m): m
    case .pause(let m): m
    case .unpause(let m): m
    case .trigger(let m): m
    case .backfill(let m): m
    case .matchingTimes(let m): m
    }
  }
}
