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

  /// The store's file at the end of the seed's faults: open runs, closed ones, all that there is.
  public static func file(_ options: Options) -> [UInt8] {
    var options = options
    options.keepsFile = true
    let simulation = Simulation(options, tell: nil)
    _ = simulation.run()
    return simulation.file
  }
}
