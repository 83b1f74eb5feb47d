import Basics

/// The lease of a workflow task: good only in the epoch and session that it was given in.
struct TaskToken: Equatable {
  let epoch: UInt64
  let serial: UInt64
  let run: RunNumber

  private static let kind: UInt8 = 1

  init(epoch: UInt64, serial: UInt64, run: RunNumber) {
    self.epoch = epoch
    self.serial = serial
    self.run = run
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 25, bytes[0] == TaskToken.kind else { return nil }
    epoch = bytes.word(at: 1)
    serial = bytes.word(at: 9)
    run = RunNumber(Int64(bitPattern: bytes.word(at: 17)))
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(25)
    bytes.append(TaskToken.kind)
    bytes.append(word: epoch)
    bytes.append(word: serial)
    bytes.append(word: UInt64(bitPattern: run.value))
    return bytes
  }
}

/// The lease of an activity attempt: good in every epoch until the attempt ends. It names the
/// branch that the attempt was handed out in: after a restore, the store that was left behind may
/// have given the same number to something else.
struct ActivityToken: Equatable, Hashable {
  let run: RunNumber
  let runID: RunID
  let scheduledEvent: Int64
  let attempt: Int32
  let branch: UInt32

  private static let kind: UInt8 = 2

  init(run: RunNumber, runID: RunID, scheduledEvent: Int64, attempt: Int32, branch: UInt32 = 0) {
    self.branch = branch
    self.run = run
    self.runID = runID
    self.scheduledEvent = scheduledEvent
    self.attempt = attempt
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 41 || bytes.count == 49, bytes[0] == ActivityToken.kind else {
      return nil
    }
    run = RunNumber(Int64(bitPattern: bytes.word(at: 1)))
    runID = RunID(high: bytes.word(at: 9), low: bytes.word(at: 17))
    scheduledEvent = Int64(bitPattern: bytes.word(at: 25))
    attempt = Int32(truncatingIfNeeded: bytes.word(at: 33))
    branch = bytes.count == 41 ? 0 : UInt32(truncatingIfNeeded: bytes.word(at: 41))
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(49)
    bytes.append(ActivityToken.kind)
    bytes.append(word: UInt64(bitPattern: run.value))
    bytes.append(word: runID.high)
    bytes.append(word: runID.low)
    bytes.append(word: UInt64(bitPattern: scheduledEvent))
    bytes.append(word: UInt64(truncatingIfNeeded: Int64(attempt)))
    // The first branch, of a store that was never restored, goes without saying.
    if branch != 0 { bytes.append(word: UInt64(branch)) }
    return bytes
  }
}

extension [UInt8] {
  fileprivate func word(at offset: Int) -> UInt64 {
    withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian }
  }

  fileprivate mutating func append(word: UInt64) {
    Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
  }
}
