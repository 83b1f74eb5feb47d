import Basics
import EngineCore
import Messages
import Testing

@testable import Shell

/// Section 20 of proto/README.md, without the machine's files.
@Suite("Backups") struct BackupTests {
  private static let begin = BackupOrder.begin(path: "/b/x.db", overwrite: false)

  private func request(_ path: String, overwrite: Bool = false) -> BackupRequest {
    var request = BackupRequest()
    request.path = path
    request.overwrite = overwrite
    return request
  }

  /// A peer whose backup, on stream 1, is with the store.
  private func begun(
    timeoutMs: Int64 = 0, _ change: (inout ShellConfiguration) -> Void = { _ in }
  ) -> (Peers, ConnectionID) {
    var peers = Peers(change)
    let id = peers.greeted(1)
    peers.call(id, 1, .operatorBackup, request("/b/x.db"), timeoutMs: timeoutMs)
    return (peers, id)
  }

  private func messages(_ frames: [Frame]) throws -> [BackupResponse] {
    try frames.compactMap { frame in
      guard case .message(let message) = frame.kind else { return nil }
      return try BackupResponse(bytes: message.body)
    }
  }

  @Test func progressIsToldAndThenTheFile() throws {
    var (peers, id) = begun()
    #expect(peers.backupOrders == [BackupTests.begin])
    peers.tell(.copied(pages: 3, of: 9))
    peers.advance(70)
    peers.tell(.done(bytes: 40_960, pages: 10))
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["Message 1", "Message 1", "End 1 OK"])
    let told = try messages(frames)
    #expect(told[0].pagesDone == 3 && told[0].pagesTotal == 9 && told[0].done == nil)
    let done = try #require(told[1].done)
    #expect(done.path == "/b/x.db" && done.bytes == 40_960 && done.pages == 10)
    #expect(done.epoch == 1 && done.durationMs == Span(ms: 70))
  }

  @Test(arguments: [
    (BackupFault.exists, "ALREADY_EXISTS BACKUP_EXISTS"),
    (.refused, "INVALID_ARGUMENT FIELD_INVALID"), (.failed, "ABORTED BACKUP_FAILED"),
    (.cancelled, "CANCELLED UNSPECIFIED"),
  ])
  func aFaultEndsTheStreamWithItsReason(_ fault: BackupFault, _ status: String) {
    var (peers, id) = begun()
    peers.tell(.failed(fault, "why"))
    #expect(peers.takeShort(id) == ["End 1 \(status)"])
    peers.call(id, 2, .operatorBackup, request("/b/y.db", overwrite: true))
    #expect(peers.backupOrders.last == .begin(path: "/b/y.db", overwrite: true))
  }

  @Test(arguments: [
    "", "x.db", "./x.db", "/", "/b/", "/b/.", "/b/..", "/" + String(repeating: "x", count: 4_000),
  ])
  func aPathThatIsNoFilesIsRefused(_ path: String) {
    var peers = Peers()
    let id = peers.greeted(1)
    peers.call(id, 1, .operatorBackup, request(path))
    let reason = path.isEmpty ? "FIELD_MISSING" : "FIELD_INVALID"
    let frames = peers.take(id)
    #expect(frames.map(\.short) == ["End 1 INVALID_ARGUMENT \(reason)"])
    #expect(frames.first?.status?.field == "path")
    #expect(peers.backupOrders == [])
  }

  @Test func thereIsOneAtATime() {
    var (peers, id) = begun()
    let other = peers.greeted(2)
    peers.call(other, 1, .operatorBackup, request("/b/y.db"))
    let frames = peers.take(other)
    #expect(frames.map(\.short) == ["End 1 RESOURCE_EXHAUSTED BACKUP_RUNNING"])
    #expect(frames.first?.status?.message == "a backup to '/b/x.db' is under way")
    #expect(frames.first?.status?.retryAfterMs == Span(ms: 1_000))
    peers.tell(.done(bytes: 4_096, pages: 1))
    #expect(peers.takeShort(id).last == "End 1 OK")
    #expect(peers.backupOrders == [BackupTests.begin])
  }

  @Test func whoeverCancelsEndsIt() {
    var (peers, id) = begun()
    peers.send(id, stream: 1, .cancel(Cancel()))
    #expect(peers.takeShort(id) == ["End 1 CANCELLED UNSPECIFIED"])
    #expect(peers.backupOrders == [BackupTests.begin, .cancel])
    // Until the store has ended it, there is no other.
    peers.call(id, 2, .operatorBackup, request("/b/y.db"))
    #expect(peers.takeShort(id) == ["End 2 RESOURCE_EXHAUSTED BACKUP_RUNNING"])
    peers.tell(.copied(pages: 1, of: 2))
    peers.tell(.failed(.cancelled, "given up"))
    #expect(peers.takeShort(id) == [])
    peers.call(id, 3, .operatorBackup, request("/b/y.db"))
    #expect(peers.backupOrders.last == .begin(path: "/b/y.db", overwrite: false))
  }

  @Test func whoeverGoesAwayEndsIt() {
    var (peers, id) = begun()
    peers.disconnect(id)
    #expect(peers.backupOrders == [BackupTests.begin, .cancel])
    // It had its name before the store heard of that.
    peers.tell(.done(bytes: 4_096, pages: 1))
    let other = peers.greeted(2)
    peers.call(other, 1, .operatorBackup, request("/b/y.db"))
    #expect(peers.backupOrders.last == .begin(path: "/b/y.db", overwrite: false))
  }

  @Test func itsTimeIsBounded() {
    var (peers, id) = begun(timeoutMs: 500)
    peers.advance(500)
    #expect(peers.takeShort(id) == ["End 1 DEADLINE_EXCEEDED TIMED_OUT"])
    #expect(peers.backupOrders == [BackupTests.begin, .cancel])
  }

  @Test func progressLeavesCreditForTheEnd() {
    var (peers, id) = begun { $0.limits.initialCredit = 2 }
    for pages in 1...3 as ClosedRange<Int64> { peers.tell(.copied(pages: pages, of: 9)) }
    #expect(peers.takeShort(id) == ["Message 1"])
    var credit = Credit()
    credit.messages = 1
    peers.send(id, stream: 1, .credit(credit))
    for pages in 4...5 as ClosedRange<Int64> { peers.tell(.copied(pages: pages, of: 9)) }
    peers.tell(.done(bytes: 4_096, pages: 9))
    #expect(peers.takeShort(id) == ["Message 1", "Message 1", "End 1 OK"])
  }

  @Test func aDrainEndsItAndWaitsForThat() {
    var (peers, id) = begun()
    peers.drain()
    #expect(peers.takeShort(id) == ["End 1 UNAVAILABLE DRAINING", "GoAway OK last 1"])
    #expect(peers.backupOrders == [BackupTests.begin, .cancel])
    #expect(!peers.isDrained)
    peers.tell(.failed(.cancelled, "given up"))
    #expect(peers.isDrained)
  }

  @Test func thereIsNoneOfAStoreWithoutAFileNorOnAFullDisk() {
    var peers = Peers { $0.storePath = "" }
    var id = peers.greeted(1)
    peers.call(id, 1, .operatorBackup, request("/b/x.db"))
    #expect(peers.takeShort(id) == ["End 1 FAILED_PRECONDITION BACKUP_FAILED"])
    peers = Peers()
    id = peers.greeted(1)
    peers.diskFull(true)
    peers.call(id, 1, .operatorBackup, request("/b/x.db"))
    #expect(peers.takeShort(id) == ["End 1 RESOURCE_EXHAUSTED DISK_FULL"])
    peers.diskFull(false)
    peers.call(id, 2, .operatorBackup, request("/b/x.db"))
    #expect(peers.backupOrders == [BackupTests.begin])
  }

  @Test func onlyOperatorsOfTheWholeEngineMay() {
    var peers = Peers {
      $0.access = AccessRules(
        ownUID: 500,
        rules: [
          .init(uid: 7, gid: nil, roles: [.client, .worker]),
          .init(uid: 8, gid: nil, roles: .operator, namespaces: ["default"]),
        ])
    }
    for uid in [7, 8] as [UInt32] {
      let id = peers.greeted(UInt64(uid), uid: uid)
      peers.call(id, 1, .operatorBackup, request("/b/x.db"))
      #expect(peers.takeShort(id) == ["End 1 PERMISSION_DENIED PERMISSION"], "user \(uid)")
    }
    #expect(peers.backupOrders == [])
  }
}
