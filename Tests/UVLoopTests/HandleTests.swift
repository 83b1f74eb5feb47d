import CUV
import Glibc
import Testing

@testable import UVLoop

/// Calls back after some turns of a loop.
final class Loops {
  private(set) var isDone = false
  private var left: Int
  private var end: TurnEnd?
  private var wakeup: Wakeup?

  private init(_ turns: Int) { left = turns }

  static func afterTurns(_ turns: Int, _ loop: Loop, _ body: @escaping () -> Void) -> Loops {
    let loops = Loops(turns)
    do {
      loops.wakeup = try Wakeup(loop) {}
      loops.end = try TurnEnd(loop) { [unowned loops] in
        loops.left -= 1
        if loops.left > 0 { return loops.wakeup?.send() ?? () }
        loops.isDone = true
        loops.end?.close()
        loops.wakeup?.close()
        body()
      }
      loops.wakeup?.send()
    } catch { Issue.record(error) }
    return loops
  }
}

@Suite("Timers, wakeups, signals", .serialized) struct HandleTests {
  @Test func aLoopWithNothingOpenEndsAndCloses() throws {
    let loop = try Loop()
    loop.run()
    loop.close()
  }

  @Test func timersFireInTheOrderOfTheirTimes() throws {
    let loop = try Loop()
    var fired: [Int] = []
    var timers: [Timer] = []
    for (index, ms) in ([3, 1, 2, 1, 0] as [UInt64]).enumerated() {
      let timer = try Timer(loop) {
        fired.append(index)
        timers[index].close()
      }
      timers.append(timer)
      timer.start(afterMs: ms)
    }
    loop.run()
    #expect(fired == [4, 1, 3, 2, 0], "of the same time in the order of their starts")
    loop.close()
  }

  @Test func aTimerThatIsSetAnewFiresOnce() throws {
    let loop = try Loop()
    var fired: [String] = []
    var timer: Timer?
    var other: Timer?
    timer = try Timer(loop) { fired.append("timer") }
    other = try Timer(loop) {
      fired.append("other")
      timer?.close()
      other?.close()
    }
    timer?.start(afterMs: 60_000)
    timer?.start(afterMs: 1)
    other?.start(afterMs: 5)
    loop.run()
    #expect(fired == ["timer", "other"])
    loop.close()
  }

  @Test func aTimerThatIsStoppedDoesNotFire() throws {
    let loop = try Loop()
    let timer = try Timer(loop) { Issue.record("it fired") }
    timer.start(afterMs: 0)
    timer.stop()
    loop.run()
    timer.close()
    timer.close()
    loop.run()
    loop.close()
  }

  @Test func aPreciseTimerFiresOnceForEachStart() throws {
    let loop = try Loop()
    var fired = 0
    var timer: PreciseTimer?
    let began = Clocks.monotonicUs
    timer = try PreciseTimer(loop) {
      fired += 1
      if fired == 3 { timer?.close() } else { timer?.start(afterUs: 200) }
    }
    // Set anew before it fires: the last start counts.
    timer?.start(afterUs: 60_000_000)
    timer?.start(afterUs: 200)
    loop.run()
    #expect(fired == 3)
    #expect(Clocks.monotonicUs - began >= 600)
    loop.close()
  }

  @Test func aPreciseTimerTakesNoTimeAsTheLeast() throws {
    let loop = try Loop()
    var fired = 0
    var timer: PreciseTimer?
    timer = try PreciseTimer(loop) {
      fired += 1
      timer?.close()
    }
    timer?.start(afterUs: 0)
    loop.run()
    #expect(fired == 1)
    loop.close()
  }

  /// Its descriptor's number may be another's after the first close.
  @Test func aPreciseTimerClosedTwiceClosesNothingElse() throws {
    let loop = try Loop()
    let timer = try PreciseTimer(loop) {}
    timer.close()
    let opened = (0..<8).map { _ in dup(0) }
    timer.close()
    for fd in opened { #expect(fcntl(fd, F_GETFD) >= 0) }
    for fd in opened { close(fd) }
    loop.run()
    loop.close()
  }

  @Test func wakeupsCoalesce() throws {
    let loop = try Loop()
    var woken = 0
    var wakeup: Wakeup?
    wakeup = try Wakeup(loop) {
      woken += 1
      wakeup?.close()
    }
    for _ in 0..<1_000 { wakeup?.send() }
    loop.run()
    #expect(woken == 1)
    loop.close()
  }

  @Test func aWakeupFromAnotherThreadIsHeard() throws {
    let loop = try Loop()
    var woken = 0
    var wakeup: Wakeup?
    wakeup = try Wakeup(loop) {
      woken += 1
      wakeup?.close()
    }
    let sent = try #require(wakeup)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Wakeup>.fromOpaque(context).takeUnretainedValue().send()
        return nil
      }, Unmanaged.passUnretained(sent).toOpaque())
    loop.run()
    pthread_join(thread, nil)
    #expect(woken == 1)
    loop.close()
  }

  @Test func aSignalIsToldForEachDelivery() throws {
    let loop = try Loop()
    var received = 0
    var watch: SignalWatch?
    watch = try SignalWatch(loop, signal: SIGUSR2) {
      received += 1
      if received == 2 { watch?.close() } else { kill(getpid(), SIGUSR2) }
    }
    kill(getpid(), SIGUSR2)
    loop.run()
    #expect(received == 2)
    loop.close()
  }

  @Test func theTurnsEndComesAfterWhatTheTurnBrought() throws {
    let loop = try Loop()
    var seen: [String] = []
    var timer: Timer?
    var end: TurnEnd?
    timer = try Timer(loop) { seen.append("timer") }
    end = try TurnEnd(loop) {
      seen.append("end")
      if seen.contains("timer") {
        timer?.close()
        end?.close()
      }
    }
    timer?.start(afterMs: 1)
    loop.run()
    #expect(seen.suffix(2) == ["timer", "end"])
    loop.close()
  }

  @Test func stopEndsTheLoopWithItsHandlesOpen() throws {
    let loop = try Loop()
    let timer = try Timer(loop) { loop.stop() }
    timer.start(afterMs: 0)
    let other = try Timer(loop) { Issue.record("it fired") }
    other.start(afterMs: 60_000)
    loop.run()
    timer.close()
    other.close()
    loop.run()
    loop.close()
  }

  @Test func theClocksDoNotGoBack() {
    let boot = Clocks.bootMs
    let monotonic = Clocks.monotonicUs
    #expect(Clocks.bootMs >= boot)
    #expect(Clocks.monotonicUs >= monotonic)
    #expect(Clocks.wallMs > 1_700_000_000_000)
  }
}
