import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

@Suite struct GateTests {
  private func stage(_ gate: inout Gate, serial: UInt64, us: Int64 = 0) {
    var effects = Effects()
    effects.writes = [.wakeRun(run: RunNumber(Int64(serial)))]
    effects.serial = WriteSerial(serial)
    gate.stage(&effects, us: us)
  }

  private func send(_ gate: inout Gate, after serial: UInt64) -> Bool {
    gate.admits(
      GatedSend(
        after: WriteSerial(serial),
        send: .end(RequestID(connection: 1, stream: serial), Status())))
  }

  private func commits(_ gate: inout Gate, us: Int64 = 0) -> Bool {
    if case .commit = gate.verdict(us: us) { return true }
    return false
  }

  @Test func aSendLeavesOnlyWhenItsWriteIsDurable() {
    var gate = Gate(holdOverrideUs: nil)
    stage(&gate, serial: 1)
    #expect(!send(&gate, after: 1))
    #expect(commits(&gate))
    stage(&gate, serial: 2)
    #expect(!send(&gate, after: 2))
    #expect(!send(&gate, after: 1), "in flight is not durable")
    #expect(!commits(&gate), "one batch at a time")
    let (serial, sends, _) = gate.persisted(syncUs: 100)
    #expect(serial == WriteSerial(1))
    #expect(sends.count == 2, "both that waited for write 1")
    #expect(send(&gate, after: 1))
    #expect(commits(&gate))
    #expect(gate.persisted(syncUs: 100).1.count == 1)
  }

  @Test func aSendWithoutAWriteLeavesAtOnce() {
    var gate = Gate(holdOverrideUs: nil)
    stage(&gate, serial: 1)
    #expect(send(&gate, after: 0))
  }

  @Test func aBatchIsHeldForItsActivationsAndNoLonger() {
    var gate = Gate(holdOverrideUs: 500)
    stage(&gate, serial: 1, us: 1_000)
    gate.activated([1], SessionID(1), wrote: true, us: 1_000)
    if case .hold(let us) = gate.verdict(us: 1_100) {
      #expect(us == 400)
    } else {
      Issue.record("the batch was not held")
    }
    gate.answered([1], us: 1_100)
    #expect(commits(&gate, us: 1_100), "the activation is back")
    _ = gate.persisted(syncUs: 100)
    stage(&gate, serial: 2, us: 2_000)
    gate.activated([2], SessionID(1), wrote: true, us: 2_000)
    #expect(commits(&gate, us: 2_500), "it did not come back in time")
  }

  /// Whether a batch of so many steps is small, on a device that takes so long.
  private func isSmall(steps: UInt64, syncUs: Int64) -> Bool {
    var gate = Gate(holdOverrideUs: nil)
    for serial in 1...60 as ClosedRange<UInt64> {
      stage(&gate, serial: serial)
      _ = commits(&gate)
      _ = gate.persisted(syncUs: syncUs)
    }
    for serial in 61..<61 + steps { stage(&gate, serial: serial) }
    guard case .commit(let writes, let isSmall) = gate.verdict(us: 0) else {
      Issue.record("no commit")
      return false
    }
    #expect(writes.count == Int(steps))
    return isSmall
  }

  @Test func aFewStepsOnAQuickDeviceAreASmallBatch() {
    #expect(isSmall(steps: 1, syncUs: 300))
    #expect(isSmall(steps: 3, syncUs: 900))
    #expect(!isSmall(steps: 4, syncUs: 300), "something else is going on")
    #expect(!isSmall(steps: 1, syncUs: 1_200), "nobody waits for a slow device")
  }

  @Test func theBoundFollowsTheDevice() {
    var gate = Gate(holdOverrideUs: nil)
    for serial in 1...60 as ClosedRange<UInt64> {
      stage(&gate, serial: serial)
      _ = commits(&gate)
      _ = gate.persisted(syncUs: 10)
    }
    #expect(gate.holdBoundUs == 100, "at least 100 us")
    for serial in 61...120 as ClosedRange<UInt64> {
      stage(&gate, serial: serial)
      _ = commits(&gate)
      _ = gate.persisted(syncUs: 10_000)
    }
    #expect(gate.holdBoundUs == 1_000, "at most 1 ms")
  }
}
