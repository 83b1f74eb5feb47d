internal import Messages

/// What a run's history holds of patches and side effects, as far as its code has been shown, and
/// what the code was told.
struct Markers {
  /// The activation is a past one: what it recorded is known.
  private(set) var isPast = false
  private var recordedPatches: Set<String> = []
  private var values: [UInt32: [Payload]] = [:]
  /// The first answer of each patch stays the run's.
  private var answers: [String: Bool] = [:]

  /// Begins an activation; `recorded` is nil for a live one.
  mutating func begin(_ recorded: [RecordMarker]?) {
    isPast = recorded != nil
    values = [:]
    for marker in recorded ?? [] {
      switch marker.markerName {
      case RecordMarker.patch: recordedPatches.insert(marker.markerID)
      case RecordMarker.sideEffect: values[marker.seq] = marker.details.compactMap(\.value)
      default: break
      }
    }
  }

  /// Whether the code is to take the new path; `isFirst` when its marker is to be recorded.
  mutating func answer(_ patch: String) -> (isPatched: Bool, isFirst: Bool) {
    if let answer = answers[patch] { return (answer, false) }
    let isPatched = !isPast || recordedPatches.contains(patch)
    answers[patch] = isPatched
    return (isPatched, isPatched)
  }

  /// What the side effect gave when it was run; nil: the history holds none here.
  func value(_ seq: UInt32) -> [Payload]? { values[seq] }
}

extension RecordMarker {
  static let patch = "patch"
  static let sideEffect = "side_effect"

  init(patch id: String, deprecated: Bool) {
    self.init()
    markerName = RecordMarker.patch
    markerID = id
    self.deprecated = deprecated
  }

  init(sideEffect seq: UInt32, _ value: [Payload]) {
    self.init()
    markerName = RecordMarker.sideEffect
    self.seq = seq
    details = value.map { payload in
      var entry = PayloadEntry()
      entry.key = "value"
      entry.value = payload
      return entry
    }
  }
}
