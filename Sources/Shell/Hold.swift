import EngineCore

/// Which activations a batch waits for, and how long their sessions usually take.
///
/// An activation leaves before the batch with its inbound events is committed; what it brings back
/// should share that commit. A session whose usual turnaround is over the bound is not waited for,
/// since its answers would come too late anyway; it is measured on, so it can come back.
struct Hold {
  private struct Out {
    let session: SessionID
    let sentUs: Int64
    var isAwaited: Bool
  }

  /// By the task's token: activations that have not been answered.
  private var out: [[UInt8]: Out] = [:]
  private var awaited = 0
  /// Moving averages.
  private var turnaroundUs: [SessionID: Int64] = [:]

  var isWaiting: Bool { awaited > 0 }

  /// An activation has left; `isJoining`: its inbound events are in the staged batch.
  mutating func sent(
    _ token: [UInt8], to session: SessionID, isJoining: Bool, us: Int64, boundUs: Int64
  ) {
    let isAwaited = isJoining && turnaroundUs[session, default: 0] <= boundUs
    out[token] = Out(session: session, sentUs: us, isAwaited: isAwaited)
    if isAwaited { awaited += 1 }
  }

  mutating func answered(_ token: [UInt8], us: Int64) {
    guard let activation = out.removeValue(forKey: token) else { return }
    if activation.isAwaited { awaited -= 1 }
    let took = us - activation.sentUs
    let usual = turnaroundUs[activation.session] ?? took
    turnaroundUs[activation.session] = (usual * 7 + took) / 8
  }

  /// What is out with the session will not come back.
  mutating func ended(_ session: SessionID) {
    turnaroundUs.removeValue(forKey: session)
    for (token, activation) in out where activation.session == session {
      out.removeValue(forKey: token)
      if activation.isAwaited { awaited -= 1 }
    }
  }

  /// Nothing that is out now is waited for any longer: an activation is waited for once.
  mutating func release() {
    guard awaited > 0 else { return }
    for (token, activation) in out where activation.isAwaited { out[token]?.isAwaited = false }
    awaited = 0
  }
}
