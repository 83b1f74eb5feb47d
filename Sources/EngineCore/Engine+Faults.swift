import Basics
import Messages

/// The engine's accounts, looked through for what cannot be. For tests and the simulator: each of
/// these looks at everything that there is in memory.
extension Engine {
  /// nil when nothing is wrong.
  package var fault: String? { busyFault ?? restFault ?? parkedFault ?? updateFault ?? endFault }

  private var busyFault: String? {
    guard skipsTime else { return nil }
    let truth = Set(runs.values.lazy.filter(\.isBusy).map(\.number))
    return truth == busy ? nil : "busy are \(truth.sorted()), not \(busy.sorted())"
  }

  /// What rests leaves memory, at once or after a while.
  private var restFault: String? {
    let going = Set(leaving.elements.map(\.run))
    let pinned = Set(loading.pinned.values.joined())
    let stays = runs.values.first { run in
      run.isAtRest && !run.isInLine && !going.contains(run.number) && !pinned.contains(run.number)
    }
    return stays.map { "\($0.number) rests, and does not leave memory" }
  }

  /// What waits behind a task is taken up when that is not out any more.
  private var parkedFault: String? {
    let forgets = runs.values.first {
      !$0.parked.isEmpty && !($0.task.isRedo && $0.task.lease != nil)
    }
    return forgets.map { "\($0.number) has no task out, and something waits behind it" }
  }

  /// Each client that waits for an update is with the update, or among those that wait for its
  /// outcome, which may be read from the store.
  private var updateFault: String? {
    let outcomes = outcomeWaiters.mapValues { Set($0.inOrder) }
    var read: Set<RequestID> = []
    for case .outcome(let search) in loading.purposes.values { read.insert(search.request) }
    for (id, place) in waiting where !read.contains(id) {
      guard case .update(let awaited, _) = place else { continue }
      let run = runs[awaited.run]
      if let run, !run.fold.isOpen { return "\(id) waits for an update of \(run.number), closed" }
      let isWith = run?.updates.contains { $0.clients.contains { $0.id == id } } ?? false
      if !isWith && !(outcomes[awaited]?.contains(id) ?? false) {
        return "\(id) waits for an update of \(awaited.run), which does not know of it"
      }
    }
    return nil
  }

  /// Nobody waits for an end that has come.
  private var endFault: String? {
    let closed = resultWaiters.keys.first { runs[$0.run].map { !$0.fold.isOpen } ?? false }
    return closed.map { "the end of \($0.run) has come, and somebody waits for it" }
  }
}
