/// Each thing that can go wrong in a seed's world; a seed can be replayed without some of them.
public enum Trouble: String, Sendable, CaseIterable {
  case crash, loss, stall, death, full, jump, drain, upgrade, retention, torn, failed, evictions,
    abandons, backup
  case failingTasks = "failing-tasks"
  case splits
}

extension Options {
  /// Takes the trouble out; false if there was none of it.
  public mutating func remove(_ trouble: Trouble) -> Bool {
    switch trouble {
    case .crash: clear(&crashMs)
    case .loss: clear(&lossMs)
    case .stall: clear(&stallMs)
    case .death: clear(&workerDeathMs)
    case .full: clear(&fullMs)
    case .jump: clear(&clockJumpMs)
    case .drain: clear(&drainMs)
    case .upgrade: clear(&upgradeMs)
    case .retention: clear(&retentionMs)
    case .torn: clear(&tornCommitPercent)
    case .failed: clear(&failedCommitPercent)
    case .evictions: clear(&selfEvictionPercent)
    case .abandons: clear(&abandonPercent)
    case .failingTasks: clear(&taskFailurePercent)
    case .splits: clear(&splitPercent)
    case .backup: clear(&backupMs)
    }
  }
}

private func clear<T: BinaryInteger>(_ value: inout T) -> Bool {
  defer { value = 0 }
  return value != 0
}

/// Finds a smaller world in which the same checker still sees something.
public enum Shrinker {
  /// A world with less trouble and fewer requests.
  public struct Shrunk: Sendable {
    public let options: Options
    public let without: [Trouble]
    public let violation: Violation
  }

  /// nil when the seed holds.
  public static func shrink(_ options: Options) -> Shrunk? {
    guard let first = SimRunner.run(options).violation else { return nil }
    var shrunk = Shrunk(options: options, without: [], violation: first)
    for trouble in Trouble.allCases {
      var less = shrunk.options
      guard less.remove(trouble), let violation = same(first, less) else { continue }
      shrunk = Shrunk(options: less, without: shrunk.without + [trouble], violation: violation)
    }
    while shrunk.options.operations > 5 {
      var less = shrunk.options
      less.limit(operations: less.operations * 3 / 4)
      guard let violation = same(first, less) else { break }
      shrunk = Shrunk(options: less, without: shrunk.without, violation: violation)
    }
    return shrunk
  }

  private static func same(_ first: Violation, _ options: Options) -> Violation? {
    let violation = SimRunner.run(options).violation
    return violation?.checker == first.checker ? violation : nil
  }
}
