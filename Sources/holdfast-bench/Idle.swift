import Basics
import Glibc
import Harness
import Messages

/// What workflows cost that wait for a timer and for nothing else: the engine's memory, its start,
/// and the time until all of them have fired when all are due at once. Nobody takes the tasks that
/// come of it.
struct Idle {
  let bin: String
  let count: Int

  private static let readyMsMax: Int64 = 5_000
  private var directory: String { "/tmp/holdfast-bench-\(getpid())" }

  /// False when something is over its limit.
  func run() async throws -> Bool {
    print("\n\(count) idle workflows with a timer each")
    // The store is to be filled, and the engine started, before the first one is due.
    let start = nowMs
    let fireTime = start + 20_000 + Int64(count) / 5
    let runs = IdleRuns(from: Instant(ms: start), until: Instant(ms: fireTime))
    let stage = try Stage(bin: bin, directory: directory, hasWorker: false) {
      try runs.fill($0, count: count)
    }
    defer { stage.end() }
    guard let figures = EngineFigures(stage.socket) else { throw Suite.BenchError.noFigures }
    let idleBytes = stage.engineBytes
    print("  ready after \(stage.readyMs) ms: \(mebibytes(idleBytes))")
    fflush(nil)
    guard nowMs < fireTime else {
      print("  the machine is too slow: the timers were due before the engine was ready")
      return false
    }
    var most = idleBytes
    var fired = 0
    repeat {
      usleep(100_000)
      most = max(most, stage.engineBytes)
      fired = figures.counter("timers_fired_total")
    } while fired < count
    let seconds = fixed(Double(nowMs - fireTime) / 1_000)
    print("  all fired after \(seconds) s: \(mebibytes(most)) at most")
    fflush(nil)
    return fired == count && haveFired(figures) && stage.readyMs <= Idle.readyMsMax
      && most <= MemoryBound.bytes(outside: count)
  }

  /// Looks at some of them.
  private func haveFired(_ figures: EngineFigures) -> Bool {
    stride(from: 1, through: count, by: max(1, count / 100)).allSatisfy { number in
      guard case .timerFired? = figures.history(IdleRuns.id(number))?.last?.attributes else {
        print("  the timer of \(IdleRuns.id(number)) has not fired")
        return false
      }
      return true
    }
  }

  private var nowMs: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// What the engine may take: its budget for runs, and a little for each that is not in memory; less
/// than a GiB for a million.
enum MemoryBound {
  static func bytes(outside count: Int) -> Int { 256 << 20 + 768 * count }
}

func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
