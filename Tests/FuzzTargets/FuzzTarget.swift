/// What is fed with bytes that nobody has checked. A target traps when something is wrong.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// The frame decoder, in pieces.
  case frames
  /// Every message of the protocol and of the store.
  case messages
  /// A shell with its engine: connections, frames, requests, worker messages, time.
  case connection
  /// The filters of lists.
  case filter
  /// Stored runs that the engine loads: state, history, activities.
  case history

  public func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    switch self {
    case .frames: fuzzFrames(&input)
    case .messages: fuzzMessage(&input)
    case .connection: fuzzConnection(&input)
    case .filter: fuzzFilter(&input)
    case .history: fuzzHistory(&input)
    }
  }
}
