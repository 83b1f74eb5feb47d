import Basics
import Glibc

/// Evicted runs whose code has not ended yet.
///
/// Code that meets the eviction with a loop of its own (a `catch` that goes on) may need many jobs
/// to end, or never end. It gets them in small turns between other tasks, so that no other run
/// waits for it, and is made to end after `WorkflowRun.jobsAfterEviction` of them.
struct LeavingRuns {
  private var runs = Queue<WorkflowRun>()
  /// Jobs of one turn: about a tenth of a millisecond.
  static let jobsPerTurn = 32
  /// Runs that were let go though their code could not be made to end (see `TaskExit`). A Swift
  /// task that does not end cannot be freed, so what it holds stays in memory.
  private(set) var abandoned = 0
  /// A loop with nothing in it holds 4 KiB, so many of them 40 MiB; then the worker must start
  /// anew.
  private let abandonedMax: Int
  private var typesToldOf: Set<String> = []

  init(abandonedMax: Int = 10_000) { self.abandonedMax = abandonedMax }

  var isEmpty: Bool { runs.isEmpty }

  /// Evicts a run; one that ends at once is gone when this returns.
  mutating func evict(_ run: WorkflowRun) {
    run.evict()
    goOn(with: run)
  }

  /// Gives the run that waits longest its turn.
  mutating func turn() {
    guard let run = runs.popFirst() else { return }
    goOn(with: run)
  }

  private mutating func goOn(with run: WorkflowRun) {
    switch run.leave(jobs: LeavingRuns.jobsPerTurn) {
    case .ended: break
    case .goesOn: runs.append(run)
    case .madeToEnd: tellOnce(of: run.workflowType)
    case .abandoned:
      abandoned += 1
      tellOnce(of: run.workflowType)
    }
  }

  /// Throws when so much code has not ended that the worker should start anew.
  func check() throws {
    guard abandoned >= abandonedMax else { return }
    throw CodeDoesNotEndError(runs: abandoned, workflowTypes: typesToldOf.sorted())
  }

  private mutating func tellOnce(of type: String) {
    guard typesToldOf.insert(type).inserted else { return }
    let text = """
      holdfast: code of the workflow type '\(type)' goes on after WorkflowEvictedError was thrown; \
      it was stopped after \(WorkflowRun.jobsAfterEviction) jobs, and objects that it holds stay \
      in memory. Let that error leave the workflow's run function.

      """
    _ = Array(text.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
