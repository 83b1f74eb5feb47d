import Messages

/// The requests about the engine's time, which the shell answers itself.
public enum TimeRequest: Sendable {
  case get(GetTimeRequest)
  case lock(LockTimeRequest)
  case unlock(UnlockTimeRequest)
  case sleep(SleepRequest)
  case advance(AdvanceTimeRequest)

  /// Decodes the request; its method is one of these.
  init(_ method: Method, _ bytes: [UInt8]) throws(DecodeError) {
    switch method {
    case .operatorGetTime: self = .get(try .init(bytes: bytes))
    case .operatorLockTime: self = .lock(try .init(bytes: bytes))
    case .operatorUnlockTime: self = .unlock(try .init(bytes: bytes))
    case .operatorSleep: self = .sleep(try .init(bytes: bytes))
    case .operatorAdvanceTime: self = .advance(try .init(bytes: bytes))
    default: preconditionFailure("\(method) is not about time")
    }
  }
}
