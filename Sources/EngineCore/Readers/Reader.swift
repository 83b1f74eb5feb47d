import Basics
import Messages

/// A streamed answer under way: one part for each `readMore`.
struct Reader {
  enum Source {
    case history(RunNumber, next: Int64, follow: Bool)
    case list(ListReader)
  }

  let namespace: String
  var source: Source
  /// The client can take a part.
  var isWanted = true
  /// The store has been asked for the next part.
  var isLoading = false

  /// The run that it follows until its end.
  var follows: RunNumber? {
    if case .history(let run, _, true) = source { return run }
    return nil
  }
}

extension Engine {
  mutating func open(_ id: RequestID, _ source: Reader.Source, in namespace: String) {
    let reader = Reader(namespace: namespace, source: source)
    readers[id] = reader
    if let number = reader.follows { runs[number]?.followers.append(id) }
    waiting[id] = .reading
    readOn(id)
  }

  mutating func readMore(_ id: RequestID) {
    guard readers[id] != nil else { return }
    readers[id]?.isWanted = true
    readOn(id)
  }

  /// Asks the store for the next part, if one is wanted and none is on its way.
  mutating func readOn(_ id: RequestID) {
    guard let reader = readers[id], reader.isWanted, !reader.isLoading else { return }
    if case .list(let list) = reader.source, list.isGathered { return showNext(id, list) }
    if case .history(let number, let next, true) = reader.source, let run = runs[number],
      run.fold.isOpen, next > run.fold.lastEventID
    {
      return  // The next event wakes it.
    }
    readers[id]?.isLoading = true
    reads.wait(id)
    beginReads()
  }

  private mutating func beginReads() {
    while let id = reads.begin(max: limits.readsMax) {
      if let reader = readers[id] {
        begin(id, reader)
      } else {
        reads.end()  // Abandoned before its turn came.
      }
    }
  }

  private mutating func begin(_ id: RequestID, _ reader: Reader) {
    let load: Load.ID
    switch reader.source {
    case .history(let number, let next, _):
      let run = runs[number]
      load = self.load(
        .history(number, from: next, bytesMax: limits.activationBytesMax / 2),
        run.map { .run($0) } ?? .free)
    case .list(let list):
      // Lists show what was acknowledged: everything written so far must be durable.
      load = self.load(
        .rows(
          namespace: reader.namespace, key: list.selection.filter.key, before: list.before,
          countMax: limits.listSliceRows),
        .engine)
    }
    loading.purposes[load] = .read(id)
  }

  /// New events of a run: those who follow it read on.
  mutating func wakeFollowers(of run: Run) {
    for id in run.followers.inOrder { readOn(id) }
  }

  mutating func takeReadSlice(_ id: RequestID, _ content: Loaded.Content) {
    reads.end()
    defer { beginReads() }
    guard let reader = readers[id] else { return }  // Abandoned.
    readers[id]?.isLoading = false
    switch (reader.source, content) {
    case (.history(let number, let next, let follow), .history(let batches, let more)):
      takeHistory(id, number, next, follow, batches, more)
    case (.list(let list), .rows(let rows, let isCut, let seen)):
      takeRows(id, list, rows, isCut, seen)
    case (_, .corrupt(let place)):
      endReader(id, .refusal(.dataLoss, .historyCorrupt, place), .free)
    default: preconditionFailure("a read was answered with something else")
    }
  }

  private mutating func takeHistory(
    _ id: RequestID, _ number: RunNumber, _ next: Int64, _ follow: Bool, _ batches: [StoredBatch],
    _ more: Bool
  ) {
    var bytes: [UInt8] = []
    var end = next
    var isCut = false
    for batch in batches where batch.last >= next && !isCut {
      if batch.first >= next && batch.bytes.count <= limits.partBytesMax {
        bytes += batch.bytes
        end = batch.last + 1
      } else {
        let (part, last) = cut(batch, from: next)
        bytes += part
        end = last + 1
        isCut = last < batch.last
      }
    }
    readers[id]?.source = .history(number, next: end, follow: follow)
    if !bytes.isEmpty {
      send(.part(id, bytes), .free)
      readers[id]?.isWanted = false
    }
    if more || isCut || (follow && mayGoOn(number, after: end - 1, hadEvents: !bytes.isEmpty)) {
      return readOn(id)
    }
    endReader(id, Status(), .free)
  }

  /// Whether there are, or will be, events after `last`: the run may have gone on, and closed,
  /// while the store was read.
  private func mayGoOn(_ number: RunNumber, after last: Int64, hadEvents: Bool) -> Bool {
    guard let run = runs[number] else { return hadEvents }  // Read until nothing more comes.
    return run.fold.isOpen || last < run.fold.lastEventID
  }

  /// The part of a batch from an event on: as many events as one message may hold, at least one.
  /// A completion that came in parts is one batch, and can be more than a frame.
  private func cut(_ batch: StoredBatch, from next: Int64) -> (bytes: [UInt8], last: Int64) {
    guard let decoded = try? HistoryBatch(bytes: batch.bytes) else {
      return (batch.bytes, batch.last)
    }
    var part = HistoryBatch()
    var bytes = 0
    for event in decoded.events where event.eventID >= next {
      bytes += event.serialized().count
      if !part.events.isEmpty && bytes > limits.partBytesMax { break }
      part.events.append(event)
    }
    let last = part.events.last?.eventID ?? batch.last
    part.activityAttempts = decoded.activityAttempts.filter {
      (next...last).contains($0.endedEventID)
    }
    return (part.serialized(), last)
  }

  mutating func endReader(_ id: RequestID, _ status: Status, _ gate: Gate) {
    dropReader(id)
    waiting.removeValue(forKey: id)
    send(.end(id, status), gate)
  }

  /// The reader has ended or is not wanted any more.
  mutating func dropReader(_ id: RequestID) {
    guard let reader = readers.removeValue(forKey: id) else { return }
    if case .list(let list) = reader.source { gatheredBytes -= list.gatheredBytes }
    guard let number = reader.follows, let run = runs[number] else { return }
    run.followers.remove(id)
    if !run.isTouched { settle(run) }
  }
}
