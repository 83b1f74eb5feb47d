import Basics
import Messages

/// What a `WorkPriority` makes of a task among the others that wait.
struct Rank {
  /// From 1, which goes first, to `priorities`.
  let priority: Int
  /// Empty: no fairness key.
  let key: String
  /// What the key pays for the task: the heavier it is, the less.
  let stride: UInt64

  static let priorities = 5
  /// Of work for which nothing is said.
  static let plain = Rank(priority: 3, key: "", stride: plainStride)
  /// Of weight 1; a thousand times that is still a whole number, and so is a thousandth.
  static let plainStride: UInt64 = 1_000_000

  private init(priority: Int, key: String, stride: UInt64) {
    self.priority = priority
    self.key = key
    self.stride = stride
  }

  init(_ given: WorkPriority?) {
    guard let given else {
      self = .plain
      return
    }
    priority = given.level
    key = given.fairnessKey
    let weight = given.fairnessWeight == 0 ? 1 : given.fairnessWeight
    stride = UInt64((Double(Rank.plainStride) / weight).rounded())
  }
}

extension Array {
  /// By priority; what has the same one stays in its order.
  func inOrder(of priority: (Element) -> Int) -> [Element] {
    (1...Rank.priorities).flatMap { level in filter { priority($0) == level } }
  }
}

extension WorkPriority {
  var level: Int { priorityKey == 0 ? Rank.plain.priority : Int(priorityKey) }

  /// nil if it says nothing.
  var settled: WorkPriority? { self == WorkPriority() ? nil : self }

  /// What work has that says this of itself and is done for `workflow`.
  static func of(_ own: WorkPriority?, in workflow: WorkPriority?) -> WorkPriority? {
    guard var own = own?.settled else { return workflow }
    guard let workflow else { return own }
    #if MUTANTS
      if Mutant.isOn(.priorityIsNotInherited) { return own }
    #endif
    if own.priorityKey == 0 { own.priorityKey = workflow.priorityKey }
    if own.fairnessKey.isEmpty { own.fairnessKey = workflow.fairnessKey }
    if own.fairnessWeight == 0 { own.fairnessWeight = workflow.fairnessWeight }
    return own
  }

  static let keyBytesMax = 64
  static let weights = 0.001...1_000.0

  /// What is wrong with it, by field; nil when nothing is.
  var fault: (field: String, message: String)? {
    if !(0...Int32(Rank.priorities)).contains(priorityKey) {
      return ("priority_key", "is \(priorityKey); 1 to 5 are allowed, or 0 for the default, 3")
    }
    if let fault = WorkPriority.fault(ofKey: fairnessKey) { return ("fairness_key", fault) }
    if fairnessWeight != 0 && !WorkPriority.weights.contains(fairnessWeight) {
      return ("fairness_weight", "0.001 to 1,000 are allowed, or 0 for the default, 1")
    }
    return nil
  }

  static func fault(ofKey key: String) -> String? {
    key.utf8.count > keyBytesMax
      ? "holds \(key.utf8.count) bytes; \(keyBytesMax) are allowed" : nil
  }
}
