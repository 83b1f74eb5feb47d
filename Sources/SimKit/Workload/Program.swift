import Basics
import Messages

/// A workflow's program: drawn from the numbers that are its input, so that every worker that
/// replays it finds the same one, and that what it must come to is known in advance.
struct Program {
  enum Step {
    /// All at once; goes on when all have ended.
    case activities([ActivityPlan])
    case timer(ms: Int64)
    /// Starts a timer and cancels it at once.
    case cancelledTimer(ms: Int64)
    /// Whichever ends first cancels the other.
    case race(ActivityPlan, timerMs: Int64)
    /// Goes on when so many signals have come in all.
    case signals(Int)
    /// Records a value that differs each time.
    case sideEffect
    /// Code that a change has come to.
    case patch(String)
    /// Starts a child and goes on when it has ended.
    case child(ChildPlan)
    /// Starts a child and cancels it at once.
    case cancelledChild(ChildPlan)
    /// Whichever ends first cancels the other.
    case childRace(ChildPlan, timerMs: Int64)
    /// Tells another workflow, and goes on when that has arrived or cannot.
    case signalOther(String)
    case cancelOther(String)
    /// Says something of itself, and goes on.
    case note(Note)
  }

  let number: Int64
  let steps: [Step]
  /// A cancel request ends it; otherwise it goes on as if there were none.
  let obeysCancel: Bool
  /// It ends by failing.
  let fails: Bool
  /// It continues as new instead of completing; not for ever.
  let continues: Bool
  /// Runs of the chain before this one that continued as new.
  let generation: Int64

  static let type = "program"
  /// Programs from this number on use what files from before do not know.
  static let firstWithMarkers = Int64(1) << 41
  static let firstWithChildren = Int64(1) << 42
  static let firstWithNotes = Int64(1) << 43
  static let firstWithLocals = Int64(1) << 44
  /// More signals than any program waits for.
  static let signalsMax = 3
  /// The most activities that a step schedules at once.
  static let activitiesMax = 5

  init(number: Int64, generation: Int64 = 0) {
    self.number = number
    self.generation = generation
    var dice = Dice(seed: UInt64(bitPattern: number) ^ 0x7072_6F67_7261_6D)
    obeysCancel = dice.percent(60)
    fails = dice.percent(10)
    var steps: [Step] = []
    for _ in 0..<dice.int(0...5) { steps.append(Program.step(&dice)) }
    // Drawn last, so that the numbers of old files mean what they meant.
    continues = generation < dice.pick([0, 0, 0, 1, 3])
    if number >= Program.firstWithMarkers {
      for count in 0..<dice.int(0...2) {
        let step: Step = dice.percent(50) ? .sideEffect : .patch("p\(count)")
        steps.insert(step, at: dice.int(0...steps.count))
      }
    }
    if number >= Program.firstWithChildren {
      for _ in 0..<dice.int(0...2) {
        steps.insert(Program.familyStep(&dice), at: dice.int(0...steps.count))
      }
    }
    if number >= Program.firstWithNotes {
      for _ in 0..<dice.int(0...2) {
        steps.insert(.note(Note(&dice)), at: dice.int(0...steps.count))
      }
    }
    if number >= Program.firstWithLocals {
      for _ in 0..<dice.int(0...2) {
        steps.insert(Program.localStep(&dice), at: dice.int(0...steps.count))
      }
    }
    self.steps = steps
  }

  init(input: [Payload]) {
    let numbers = input.first?.numbers ?? []
    self.init(
      number: numbers.first ?? 0, generation: numbers.count > 1 ? numbers[1] : 0)
  }

  /// The input of the run that follows when it continues as new.
  var nextInput: [Payload] { [Payload(numbers: [number, generation + 1])] }

  private static func familyStep(_ dice: inout Dice) -> Step {
    switch dice.int(0...9) {
    case 0...3: .child(ChildPlan.drawn(&dice))
    case 4: .cancelledChild(ChildPlan.drawn(&dice))
    case 5, 6: .childRace(ChildPlan.drawn(&dice), timerMs: dice.pick([0, 4, 100, 2_000]))
    case 7, 8: .signalOther(ChildPlan.someID(&dice))
    default: .cancelOther(ChildPlan.someID(&dice))
    }
  }

  /// Local activities, alone, beside others, or against time.
  private static func localStep(_ dice: inout Dice) -> Step {
    switch dice.int(0...9) {
    case 0...4: .activities([ActivityPlan.local(&dice)])
    case 5...7:
      .activities(
        (0..<dice.int(2...4)).map { _ in
          dice.percent(70) ? ActivityPlan.local(&dice) : ActivityPlan.drawn(&dice)
        })
    default: .race(ActivityPlan.local(&dice), timerMs: dice.pick([0, 4, 100, 2_000]))
    }
  }

  private static func step(_ dice: inout Dice) -> Step {
    switch dice.int(0...9) {
    case 0...3: .activities([ActivityPlan.drawn(&dice)])
    case 4: .activities((0..<dice.int(2...activitiesMax)).map { _ in ActivityPlan.drawn(&dice) })
    case 5, 6: .timer(ms: dice.pick([0, 1, 40, 900, 7_000]))
    case 7: .cancelledTimer(ms: dice.pick([1, 500]))
    case 8: .race(ActivityPlan.drawn(&dice), timerMs: dice.pick([0, 4, 100]))
    default: .signals(dice.int(1...signalsMax))
    }
  }

  /// What each step comes to, in order; nil: faults may decide. `markers`: those of its history.
  func expected(_ markers: [MarkerRecorded]) -> [String?] {
    var values = markers.filter { $0.markerName == "side_effect" }.makeIterator()
    return steps.flatMap { step -> [String?] in
      switch step {
      case .activities(let plans):
        return plans.map { plan in
          switch plan.outcome {
          case .succeeds: "ok"
          case .fails: "failed"
          case .either: nil
          }
        }
      case .timer: return ["fired"]
      case .cancelledTimer: return ["cancelled"]
      case .race, .child, .childRace, .signalOther, .cancelOther: return [nil]
      case .cancelledChild: return ["cancelled"]
      case .signals: return ["signalled"]
      case .note: return []
      case .sideEffect: return [values.next()?.details.first?.value?.text ?? "no value"]
      case .patch(let id): return [markers.contains { $0.markerID == id } ? "new" : "old"]
      }
    }
  }
}
