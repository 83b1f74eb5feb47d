import Basics
internal import Messages

/// The time of an engine for tests; HoldfastTesting is made of it.
extension Client {
  /// Milliseconds since 1970.
  package func engineTimeMs() async throws -> Int64 {
    try await call(.operatorGetTime, GetTimeRequest(), as: GetTimeResponse.self).currentTimeMs.ms
  }

  /// From now on time skips while this client waits for a workflow.
  package func skipTimeWhileWaiting() async throws {
    var request = UnlockTimeRequest()
    request.whileWaiting = true
    _ = try await call(.operatorUnlockTime, request, as: UnlockTimeResponse.self)
  }

  package func lockTime() async throws {
    _ = try await call(.operatorLockTime, LockTimeRequest(), as: LockTimeResponse.self)
  }

  package func unlockTime() async throws {
    _ = try await call(.operatorUnlockTime, UnlockTimeRequest(), as: UnlockTimeResponse.self)
  }

  /// Returns when so much time has passed or been skipped.
  package func sleepSkipping(for duration: Duration) async throws {
    var request = SleepRequest()
    request.durationMs = duration.span
    request.unlock = true
    _ = try await call(.operatorSleep, request, timeoutMs: -1, as: SleepResponse.self)
  }

  /// Moves time on, whatever holds it.
  package func advanceTime(by duration: Duration) async throws {
    var request = AdvanceTimeRequest()
    request.durationMs = duration.span
    _ = try await call(.operatorAdvanceTime, request, as: AdvanceTimeResponse.self)
  }
}
