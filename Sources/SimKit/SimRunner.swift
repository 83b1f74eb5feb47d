/// Runs seeds: each twice, and the second run must leave the same trace.
public enum SimRunner {
  /// Runs the seed twice; `tell` is given the lines of the first run's trace.
  public static func run(_ options: Options, tell: ((String) -> Void)? = nil) -> Outcome {
    SameTrace.compare(once(options, tell: tell), once(options))
  }

  /// Runs the seed; whoever calls it compares two runs, in processes of their own perhaps.
  public static func once(_ options: Options, tell: ((String) -> Void)? = nil) -> Outcome {
    Simulation(options, tell: tell).run()
  }
}
