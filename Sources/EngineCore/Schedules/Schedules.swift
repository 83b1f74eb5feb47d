import Basics
import Messages

/// A schedule id within its namespace.
struct ScheduleKey: Hashable, Comparable, Sendable {
  let namespace: String
  let scheduleID: String
  private let exact: [UInt8]

  init(namespace: String, scheduleID: String) {
    self.namespace = namespace
    self.scheduleID = scheduleID
    exact = scheduleID.exactBytes
  }

  static func < (a: ScheduleKey, b: ScheduleKey) -> Bool {
    if a.namespace != b.namespace { return a.namespace < b.namespace }
    if a.scheduleID != b.scheduleID { return a.scheduleID < b.scheduleID }
    return a.exact.lexicographicallyPrecedes(b.exact)
  }
}

/// All schedules of the engine. They stay in memory, so that what concerns one happens in one step.
struct Schedules {
  private var timetables: [ScheduleNumber: Timetable] = [:]
  private var numbers: [ScheduleKey: ScheduleNumber] = [:]
  private(set) var inOrder: [ScheduleKey] = []
  /// About how much memory their definitions take.
  private(set) var bytes = 0
  private var nextNumber = ScheduleNumber(1)
  /// What this step has to write; empty between steps.
  private(set) var changed: [Timetable] = []
  private(set) var deleted: [ScheduleNumber] = []

  init(_ stored: [StoredSchedule], _ zones: Zones) {
    for schedule in stored {
      guard let timetable = Timetable(schedule, zones) else {
        preconditionFailure("\(schedule.number) was read before it was stored")
      }
      insert(timetable)
    }
  }

  var count: Int { timetables.count }
  func count(in namespace: String) -> Int {
    let first = place(of: ScheduleKey(namespace: namespace, scheduleID: ""))
    return inOrder[first...].prefix { $0.namespace == namespace }.count
  }
  var hasChanges: Bool { !changed.isEmpty || !deleted.isEmpty }
  /// In the order of their numbers.
  var all: [Timetable] { timetables.sorted { $0.key < $1.key }.map(\.value) }

  subscript(number: ScheduleNumber) -> Timetable? { timetables[number] }
  subscript(key: ScheduleKey) -> Timetable? { numbers[key].flatMap { timetables[$0] } }

  mutating func takeNumber() -> ScheduleNumber {
    defer { nextNumber = ScheduleNumber(nextNumber.value + 1) }
    return nextNumber
  }

  mutating func insert(_ timetable: Timetable) {
    timetables[timetable.number] = timetable
    numbers[timetable.key] = timetable.number
    inOrder.insert(timetable.key, at: place(of: timetable.key))
    bytes += timetable.definitionBytes
    nextNumber = max(nextNumber, ScheduleNumber(timetable.number.value + 1))
  }

  mutating func remove(_ timetable: Timetable) {
    timetables.removeValue(forKey: timetable.number)
    numbers.removeValue(forKey: timetable.key)
    inOrder.remove(at: place(of: timetable.key))
    bytes -= timetable.definitionBytes
    changed.removeAll { $0 === timetable }
    deleted.append(timetable.number)
  }

  /// Its definition is another one.
  mutating func redefine(
    _ timetable: Timetable, _ schedule: Schedule, _ times: ScheduleTimes
  ) {
    bytes -= timetable.definitionBytes
    timetable.redefine(schedule, times)
    bytes += timetable.definitionBytes
  }

  /// Marks it as changed by this step.
  mutating func touch(_ timetable: Timetable) {
    guard !timetable.isTouched else { return }
    timetable.isTouched = true
    changed.append(timetable)
  }

  mutating func forgetChanges() {
    for timetable in changed { timetable.isTouched = false }
    changed.removeAll(keepingCapacity: true)
    deleted.removeAll(keepingCapacity: true)
  }

  /// Where the key stands in their order, or would.
  func place(of key: ScheduleKey) -> Int {
    var low = 0
    var high = inOrder.count
    while low < high {
      let middle = (low + high) / 2
      if inOrder[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
