import Messages

/// Whether memory is what the store would make of it; for the simulator.
extension Engine {
  /// The open runs in memory, while everything that they have written is durable.
  package var auditable: [RunNumber] {
    guard durable == serial else { return [] }
    return runs.values.filter(\.fold.isOpen).map(\.number).sorted()
  }

  /// In what a load of the run would differ from the run in memory; nil: in nothing.
  package func difference(from stored: StoredRun) -> String? {
    guard let run = runs[stored.row.number] else { return nil }
    let loaded: Fold
    do throws(CorruptRun) {
      loaded = try openFold(stored)
    } catch { return "it cannot be loaded: \(error.place)" }
    return run.fold.comparable(in: run, self).difference(from: loaded.comparable(in: run, self))
  }
}

extension Fold {
  /// Without what only memory knows, or what is not written because a load finds it by itself.
  fileprivate func comparable(in run: Run, _ engine: Engine) -> Fold {
    var fold = self
    for index in fold.activities.indices {
      fold.activities[index].session = nil
      fold.activities[index].orphanedUntil = nil
      fold.activities[index].ticket = nil
      fold.activities[index].hasRow = false
      // A retry that is due is in the queue here, and becomes due again after a load.
      if fold.activities[index].row.retryTimeMs <= engine.now {
        fold.activities[index].row.retryTimeMs = .epoch
      }
      let key = LeaseKey(run: run.number, scheduledEvent: fold.activities[index].scheduledEvent)
      guard engine.freshHeartbeats.contains(key) else { continue }
      fold.activities[index].row.lastHeartbeatTimeMs = .epoch
      fold.activities[index].row.heartbeatDetails = []
    }
    return fold
  }

  fileprivate func difference(from loaded: Fold) -> String? {
    if self == loaded { return nil }
    if lastEventID != loaded.lastEventID {
      return "\(lastEventID) events in memory, \(loaded.lastEventID) in the store"
    }
    if timers != loaded.timers { return "timers \(timers) and \(loaded.timers)" }
    if activities != loaded.activities {
      return "activities \(activities) and \(loaded.activities)"
    }
    if unseen != loaded.unseen {
      return "unseen \(unseen.events.map(\.eventID)) and \(loaded.unseen.events.map(\.eventID))"
    }
    return "\(self) and \(loaded)"
  }
}
