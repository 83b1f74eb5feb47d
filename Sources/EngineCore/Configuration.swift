import Basics

/// What an engine is started with.
public struct EngineConfiguration: Sendable {
  public var limits = EngineLimits()
  public var times = EngineTimes()
  /// Time may be skipped while nothing is under way: for tests.
  public var skipsTime = false
  /// Seeds the ids and the random seeds of runs; from the system's random source in production.
  public var seed: UInt64

  public init(seed: UInt64) { self.seed = seed }
}
