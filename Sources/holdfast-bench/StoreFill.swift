import EngineCore
import Glibc
import SQLiteStore

/// Fills a store through its own writer, so that a benchmark can meet a file that has been in use
/// for long.
enum StoreFill {
  private static let batch = 5_000

  /// `what`: what each run is, for people.
  static func fill(
    _ path: String, count: Int, _ what: String, add: (RunNumber, inout [Write]) -> Void
  ) throws {
    let (store, opened) = try Store.open(path: path)
    var next = opened.nextRun.value
    var left = count
    while left > 0 {
      var writes: [Write] = []
      for _ in 0..<min(left, batch) {
        add(RunNumber(next), &writes)
        next += 1
      }
      try store.commit(writes)
      try store.checkpointIfNeeded(isIdle: false)
      left -= min(left, batch)
      if (count - left) % 200_000 == 0 { print("  \(count - left) of \(count) \(what) runs") }
      fflush(nil)
    }
    try store.checkpointIfNeeded(isIdle: true)
  }
}
