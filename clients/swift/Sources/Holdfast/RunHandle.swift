/// What the code of a workflow holds of its run.
///
/// As little as can be: code that is made to end leaves in memory whatever its frames held
/// (`TaskExit`). So the run hangs on it by one reference, which is let go when the run has ended.
final class RunHandle: @unchecked Sendable {
  private var held: WorkflowRun?

  init(_ run: WorkflowRun) { held = run }

  /// For code, which runs only as long as its run does.
  var run: WorkflowRun {
    guard let held else { preconditionFailure("a workflow's code went on after its run") }
    return held
  }

  func letGo() { held = nil }

  /// Throws where code must not go on. Every call that awaits begins with it, before its frame
  /// holds anything; an evicted run gives up its turn first, so that a loop that swallows the error
  /// cannot hold the thread.
  func checkAlive() async throws {
    if run.isEvicted {
      if let place = run.exitToTake { await TaskExit.take(place) }
      await Task.yield()
      throw WorkflowEvictedError.one
    }
    try Task.checkCancellation()
  }
}
