import Basics
import EngineCore
import SQLiteStore
import Shell

/// What the store's thread is told to do.
enum StoreOrder {
  case load(Load)
  case commit([Write])
}

/// The store's thread: one order at a time, loads before commits, each in its time. The disk is
/// touched at the end of that time: what leaves before is early.
extension EngineHost {
  func order(_ order: StoreOrder) {
    orders.append(order)
    if !isStoreBusy { begin() }
  }

  private func begin() {
    guard let next = nextOrder() else {
      isStoreBusy = false
      restGeneration += 1
      world.time.after(
        1_000_000, .engine(.storeRests(generation: restGeneration), life: life))
      return
    }
    isStoreBusy = true
    restGeneration += 1
    switch next {
    case .load: world.time.after(world.time.dice.int64(10...500), .engine(.store, life: life))
    case .commit:
      // On a full disk it is tried again ten times a second.
      let us = isFull ? 100_000 : world.time.dice.int64(world.options.commitUs)
      world.time.after(us, .engine(.store, life: life))
    }
  }

  /// Loads go first; the next order stays at the head.
  private func nextOrder() -> StoreOrder? {
    let all = orders.elements
    guard let place = all.firstIndex(where: { if case .load = $0 { true } else { false } }) else {
      return all.first
    }
    guard place > 0 else { return all.first }
    orders = Queue()
    orders.append(all[place])
    for (index, order) in all.enumerated() where index != place { orders.append(order) }
    return all[place]
  }

  func storeIsDone() {
    guard let store, let order = orders.first else { return }
    do throws(StoreError) {
      switch order {
      case .load(let load):
        let loaded = try store.load(load)
        if case .corrupt(let place) = loaded.content {
          world.found("Store", "damaged after a crash that it must survive: \(place)")
        }
        _ = orders.popFirst()
        withShell { $0.loaded(loaded) }
      case .commit(let writes):
        try commit(writes, store)
      }
      try copySome()
      begin()
    } catch {
      // The outcome of a commit, a checkpoint or a read is unknown: the process ends.
      if case .corrupt = error { world.found("Store", "\(error)") }
      world.trace("the store fails")
      crash(power: world.time.dice.percent(world.options.powerPercent))
    }
  }

  private func commit(_ wanted: [Write], _ store: Store) throws(StoreError) {
    planFault()
    let writes = mutated(wanted)
    uncertain = writes
    do throws(StoreError) {
      try store.commit(writes)
    } catch {
      guard case .full = error else { throw error }
      endBackup()
      if !isFull {
        isFull = true
        withShell { $0.diskFull(true) }
      }
      // The same batch again, after a while.
      return
    }
    _ = orders.popFirst()
    uncertain = []
    world.ledger.apply(writes)
    world.trace("commit of \(writes.count):\(world.ledger.summary(of: writes))")
    world.observe(.committed(writes))
    if world.time.dice.percent(world.options.tornCommitPercent) && world.hasFaults {
      // Durable, and nobody was told.
      return crash(power: true)
    }
    if world.mutant != .answersBeforeCommit { withShell { $0.persisted(us: 200) } }
    if isFull && !disk.isFull {
      isFull = false
      withShell { $0.diskFull(false) }
    }
    try store.checkpointIfNeeded(isIdle: false)
    if store.counters.commits % 16 == 0 { try audit(store) }
  }

  /// What a mutant lets through.
  private func mutated(_ writes: [Write]) -> [Write] {
    switch world.mutant {
    case .forgetsRequestIDs:
      writes.filter { if case .putRequest = $0 { false } else { true } }
    case .losesEvents:
      writes.filter {
        if case .appendHistory(_, let first, _, _) = $0 {
          first == 1 || first % 8 != 0
        } else {
          true
        }
      }
    case .answersBeforeCommit, .syncsNothing, .clockRunsAhead, .copiesWithoutLog,
      .copiesAtTwoTimes, nil:
      writes
    }
  }

  /// Lets this commit, or its checkpoint, end in the middle.
  private func planFault() {
    guard world.hasFaults else { return }
    if world.time.dice.percent(world.options.tornCommitPercent) {
      disk.stop(after: world.time.dice.int64(0...12))
    }
    if world.time.dice.percent(world.options.failedCommitPercent) {
      if world.time.dice.percent(50) {
        disk.failSync(after: world.time.dice.int64(0...2))
      } else {
        disk.failWrite(after: world.time.dice.int64(0...12))
      }
    }
  }

  /// Nothing to do for a second.
  func storeRests(_ generation: Int) {
    guard generation == restGeneration, let store else { return }
    do throws(StoreError) {
      try store.checkpointIfNeeded(isIdle: true)
      try audit(store)
    } catch {
      world.trace("the store fails at rest")
      crash(power: world.time.dice.percent(world.options.powerPercent))
    }
  }

  /// Shows the checkers the runs in memory beside those of the store, while neither waits for the
  /// other.
  private func audit(_ store: Store) throws(StoreError) {
    guard orders.isEmpty, let shell else { return }
    if let fault = shell.engineFault { world.found("Accounts", fault) }
    var resident: [ResidentRun] = []
    for number in shell.auditable {
      guard
        case .run(let stored?, _) = try read(store, .run(number)),
        case .history(let batches, _) = try read(store, .history(number, from: 1, bytesMax: .max))
      else {
        world.found(StateIsFold.name, "\(number) is in memory and not in the store")
        continue
      }
      resident.append(
        ResidentRun(stored: stored, batches: batches) { shell.difference(from: $0) })
    }
    world.observe(.atRest(resident))
  }

  private func read(_ store: Store, _ subject: Load.Subject) throws(StoreError) -> Loaded.Content {
    try store.load(Load(id: .init(0), subject: subject)).content
  }
}
