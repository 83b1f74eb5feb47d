import EngineCore
import Testing

@testable import Shell

@Suite struct HoldTests {
  private let session = SessionID(1)

  private func turn(_ hold: inout Hold, _ token: UInt8, from sent: Int64, to back: Int64) -> Bool {
    hold.sent([token], to: session, isJoining: true, us: sent, boundUs: 1_000)
    defer { hold.answered([token], us: back) }
    return hold.isWaiting
  }

  @Test func aSessionThatIsUsuallyLateIsNotWaitedForUntilItIsQuickAgain() {
    var hold = Hold()
    #expect(turn(&hold, 1, from: 0, to: 5_000), "nothing is known of it yet")
    #expect(!turn(&hold, 2, from: 0, to: 100), "it took 5 ms")
    var turns = 0
    while !turn(&hold, 3, from: 0, to: 100) { turns += 1 }
    // 5,000 µs, seven eighths of the way to 100 µs at each turn: under 1,000 µs after 13.
    #expect(turns == 12)
    #expect(!hold.isWaiting)
  }

  @Test func onlyWhatJoinsTheBatchIsWaitedFor() {
    var hold = Hold()
    hold.sent([1], to: session, isJoining: false, us: 0, boundUs: 1_000)
    #expect(!hold.isWaiting)
    hold.sent([2], to: session, isJoining: true, us: 0, boundUs: 1_000)
    hold.answered([1], us: 10)
    #expect(hold.isWaiting)
    hold.answered([2], us: 10)
    #expect(!hold.isWaiting)
  }

  @Test func anActivationIsWaitedForOnce() {
    var hold = Hold()
    hold.sent([1], to: session, isJoining: true, us: 0, boundUs: 1_000)
    hold.release()
    #expect(!hold.isWaiting)
    hold.sent([2], to: session, isJoining: true, us: 0, boundUs: 1_000)
    hold.answered([1], us: 10)
    #expect(hold.isWaiting, "the answer to the first one does not end the wait for the second")
  }

  @Test func aSessionThatEndsIsNotWaitedFor() {
    var hold = Hold()
    hold.sent([1], to: session, isJoining: true, us: 0, boundUs: 1_000)
    hold.sent([2], to: SessionID(2), isJoining: true, us: 0, boundUs: 1_000)
    hold.ended(session)
    #expect(hold.isWaiting)
    hold.ended(SessionID(2))
    #expect(!hold.isWaiting)
  }
}
