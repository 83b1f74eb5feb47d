import Basics
import Messages

/// A child that a program starts.
struct ChildPlan {
  /// Empty: the engine makes one.
  let workflowID: String
  /// Its program.
  let number: Int64
  let reuse: WorkflowIdReusePolicy
  let parentClose: ParentClosePolicy
  let cancellation: ChildCancellationType

  static func drawn(_ dice: inout Dice) -> ChildPlan {
    // Few have children themselves, so that families come to an end.
    let first = dice.percent(10) ? Program.firstWithChildren : Program.firstWithMarkers
    return ChildPlan(
      workflowID: dice.percent(60) ? "" : someID(&dice),
      number: first + dice.int64(0...Int64(1) << 40),
      reuse: dice.pick([.unspecified, .allowDuplicateFailedOnly, .rejectDuplicate]),
      parentClose: dice.pick([.unspecified, .terminate, .abandon, .requestCancel]),
      cancellation: dice.pick([
        .unspecified, .abandon, .tryCancel, .waitCancellationCompleted, .waitCancellationRequested,
      ]))
  }

  /// A client's workflow, or one that children share.
  static func someID(_ dice: inout Dice) -> String {
    dice.pick(["w1", "w2", "w3", "c1", "c2", "c3"])
  }

  func command(seq: UInt32) -> StartChild {
    var start = StartChild()
    start.seq = seq
    start.workflowID = workflowID
    start.workflowType = Program.type
    start.input = [Payload(numbers: [number])]
    start.idReusePolicy = reuse
    start.parentClosePolicy = parentClose
    start.cancellationType = cancellation
    return start
  }
}
