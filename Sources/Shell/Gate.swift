import Basics
import EngineCore

/// The one place that decides when something may leave and when a batch is committed.
///
/// Writes of all steps since the last commit began are staged; one batch is with the store at a
/// time. A send leaves when the write that it names is durable. The hold keeps a batch back for the
/// answers that should share its commit.
struct Gate {
  private(set) var staged: [Write] = []
  private var stagedSerial = WriteSerial.none
  private var inFlight: WriteSerial?
  private(set) var durable = WriteSerial.none
  private var stagedSteps = 0

  /// What is done while a batch is committed pays only when there is something to do: then more
  /// steps than these come together in the next batch.
  private static let smallSteps = 3
  /// A device that takes longer is not waited for.
  private static let quickUs: Int64 = 1_000

  // What waits for the batch in flight, and for the one that is staged.
  private var flying: (sends: [Send], loads: [Load]) = ([], [])
  private var waiting: (sends: [Send], loads: [Load]) = ([], [])

  private var hold = Hold()
  private var firstWriteUs: Int64 = 0
  private let holdOverrideUs: Int64?
  private var syncUs: Int64 = 250
  private(set) var batches = 0
  /// Batches whose hold ended by its bound, not by the answers.
  private(set) var expiredHolds = 0

  /// `holdOverrideUs` replaces the bound of the hold, for tests.
  init(holdOverrideUs: Int64?) { self.holdOverrideUs = holdOverrideUs }

  /// How long a batch may be held: four syncs of the device, within 100 µs and 1 ms.
  var holdBoundUs: Int64 { holdOverrideUs ?? min(1_000, max(100, 4 * syncUs)) }

  mutating func stage(_ effects: inout Effects, us: Int64) {
    guard !effects.writes.isEmpty else { return }
    if staged.isEmpty { firstWriteUs = us }
    stagedSteps += 1
    staged += effects.writes
    stagedSerial = effects.serial
  }

  /// True when the send may leave now; otherwise it is kept until its write is durable.
  mutating func admits(_ gated: GatedSend) -> Bool {
    #if MUTANTS
      if Mutant.isOn(.gateIsOpen) { return true }
    #endif
    if gated.after <= durable { return true }
    if let inFlight, gated.after <= inFlight {
      flying.sends.append(gated.send)
    } else {
      waiting.sends.append(gated.send)
    }
    return false
  }

  mutating func admits(_ gated: GatedLoad) -> Bool {
    if gated.after <= durable { return true }
    if let inFlight, gated.after <= inFlight {
      flying.loads.append(gated.load)
    } else {
      waiting.loads.append(gated.load)
    }
    return false
  }

  /// An activation has left before its commit. `wrote`: the batch with its inbound events is
  /// staged, and may wait for it.
  mutating func activated(_ token: [UInt8], _ session: SessionID, wrote: Bool, us: Int64) {
    hold.sent(
      token, to: session, isJoining: wrote && !staged.isEmpty, us: us, boundUs: holdBoundUs)
  }

  /// The activation is back.
  mutating func answered(_ token: [UInt8], us: Int64) { hold.answered(token, us: us) }

  /// The session's activations will not come back.
  mutating func sessionEnded(_ session: SessionID) { hold.ended(session) }

  enum Verdict {
    /// Nothing to commit, or the store is busy.
    case wait
    /// Commit these. `isSmall`: nobody gains if other things are done meanwhile.
    case commit([Write], isSmall: Bool)
    /// Ask again after so many microseconds.
    case hold(us: Int64)
  }

  mutating func verdict(us: Int64) -> Verdict {
    guard inFlight == nil, !staged.isEmpty else { return .wait }
    let left = firstWriteUs + holdBoundUs - us
    if hold.isWaiting && left > 0 { return .hold(us: left) }
    if hold.isWaiting { expiredHolds += 1 }
    hold.release()
    inFlight = stagedSerial
    batches += 1
    flying = waiting
    waiting = ([], [])
    defer { (staged, stagedSteps) = ([], 0) }
    return .commit(staged, isSmall: stagedSteps <= Gate.smallSteps && syncUs <= Gate.quickUs)
  }

  /// The batch in flight is durable: what waited for it may leave.
  mutating func persisted(syncUs took: Int64) -> (WriteSerial, [Send], [Load]) {
    guard let serial = inFlight else { preconditionFailure("no batch is in flight") }
    inFlight = nil
    durable = serial
    syncUs = (syncUs * 7 + took) / 8
    let released = flying
    flying = ([], [])
    return (serial, released.sends, released.loads)
  }

  var isIdle: Bool { inFlight == nil && staged.isEmpty }
}
