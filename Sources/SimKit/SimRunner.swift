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

  /// What the checkers see in a store's file as it stands: of a backup, or of an engine that ended.
  public static func examine(_ file: [UInt8]) -> Outcome {
    var options = Options.quiet(seed: 1)
    options.file = file
    return Simulation(options, tell: nil).examine()
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
