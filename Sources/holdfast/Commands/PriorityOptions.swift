import ArgumentParser
import Messages

/// Which of the work that waits goes out first, and what counts for the limits of its type.
struct PriorityOptions: ParsableArguments {
  @Option(help: "Of its work in its task queue: 1 goes out first, 5 last; without it, 3.")
  var priority: Int32?
  @Option(help: "Work of one priority is shared out between the keys that wait.")
  var fairnessKey: String?
  @Option(help: "What the key gets for each task of a key of weight 1: 0.001 to 1000.")
  var fairnessWeight: Double?
  @Option(help: "Workflows of one type and one key count together for the limits of the type.")
  var concurrencyKey: String?

  var message: WorkPriority? {
    guard priority != nil || fairnessKey != nil || fairnessWeight != nil else { return nil }
    var message = WorkPriority()
    message.priorityKey = priority ?? 0
    message.fairnessKey = fairnessKey ?? ""
    message.fairnessWeight = fairnessWeight ?? 0
    return message
  }
}

extension Show {
  static func priority(_ priority: WorkPriority?) -> String {
    guard let priority else { return "" }
    var parts = [priority.priorityKey == 0 ? "3" : "\(priority.priorityKey)"]
    if !priority.fairnessKey.isEmpty { parts.append("fairness key '\(priority.fairnessKey)'") }
    if priority.fairnessWeight != 0 { parts.append("weight \(number(priority.fairnessWeight))") }
    return parts.joined(separator: ", ")
  }

  /// Without a fraction if it has none.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }
}
