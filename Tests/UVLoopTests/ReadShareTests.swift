import Testing

@testable import UVLoop

@Suite("Shares of a turn") struct ReadShareTests {
  /// Users by their numbers of connections, each of which has more to send than anyone reads.
  private struct Senders {
    var share = ReadShare()
    let users: [ReadingUser]
    let connections: [Int]

    init(_ connections: Int...) {
      self.connections = connections
      var share = ReadShare()
      users = connections.indices.map { uid in
        for _ in 1..<connections[uid] { _ = share.connected(UInt32(uid)) }
        return share.connected(UInt32(uid))
      }
      self.share = share
    }

    /// What each connection of each user is read in the next turn.
    mutating func turn(without idle: Set<Int> = []) -> [[Int]] {
      defer { share.endTurn() }
      var read: [[Int]] = []
      for user in users.indices {
        read.append(
          idle.contains(user) ? [] : (0..<connections[user]).map { _ in share.take(users[user]) })
      }
      return read
    }
  }

  @Test(arguments: [(1, 64), (16, 64), (32, 32), (256, 4)])
  func aUserAloneSharesTheTurnAmongItsConnections(_ connections: Int, _ kib: Int) {
    var senders = Senders(connections)
    _ = senders.turn()
    _ = senders.turn()
    #expect(senders.turn() == [Array(repeating: kib << 10, count: connections)])
    _ = senders.turn(without: [0])
    #expect(senders.share.take(senders.users[0]) == 64 << 10, "alone again")
  }

  @Test(arguments: [1, 2, 15, 16, 17, 64, 500])
  func usersHaveEqualPartsWhateverTheirConnections(_ connections: Int) {
    var senders = Senders(connections, 1)
    _ = senders.turn()
    _ = senders.turn()
    var bytes = [0, 0]
    for _ in 0..<100 {
      let read = senders.turn()
      #expect(read[1] == [64 << 10])
      for user in 0..<2 { bytes[user] += read[user].reduce(0, +) }
    }
    #expect(abs(bytes[0] - bytes[1]) <= 64 << 10, "\(bytes)")
  }

  /// 4 KiB are the least that is worth a read; sixteen of them are a part.
  @Test(arguments: [16, 17, 64, 1_000])
  func connectionsForWhichThePartIsTooSmallTakeTurns(_ connections: Int) {
    var senders = Senders(connections, 1)
    _ = senders.turn()
    _ = senders.turn()
    var reads = Array(repeating: 0, count: connections)
    for _ in 0..<connections {
      for (index, bytes) in senders.turn()[0].enumerated() where bytes > 0 { reads[index] += 1 }
    }
    #expect(reads.max()! - reads.min()! <= 1, "\(reads)")
    #expect(abs(reads.reduce(0, +) - connections * 16) <= 16)
  }

  /// Many that have little to send do not wait for each other.
  @Test func whatIsNotReadIsGivenBack() {
    var share = ReadShare()
    let user = share.connected(1)
    for _ in 0..<5_000 {
      let bytes = share.take(user)
      #expect(bytes == 64 << 10)
      user.giveBack(bytes - 100)
    }
  }

  /// What comes at once, after a turn in which nothing was asked for.
  @Test(arguments: [false, true]) func aBurstIsBoundToo(_ isAlone: Bool) {
    var senders = Senders(1_000, 1)
    if isAlone {
      #expect(senders.turn(without: [1])[0].reduce(0, +) == 1 << 20)
    } else {
      for _ in 0..<3 { _ = senders.turn(without: [0]) }
      _ = senders.turn()
      for _ in 0..<3 { _ = senders.turn(without: [0]) }
      #expect(senders.turn()[0].reduce(0, +) == 128 << 10, "what it has not used counts once")
    }
  }

  @Test func manyUsersShareTheTurn() {
    var share = ReadShare()
    let users = (0..<64).map { share.connected($0) }
    for _ in 0..<3 {
      for user in users { _ = share.take(user) }
      share.endTurn()
    }
    #expect(users.map { share.take($0) } == Array(repeating: 16 << 10, count: 64))
  }

  /// Also one that has gone, and comes again: it is the same.
  @Test func aUserHasItsPartForAWhile() {
    var senders = Senders(64, 1)
    _ = senders.turn()
    senders.share.disconnected(senders.users[1])
    #expect(senders.share.connected(1) === senders.users[1])
    for _ in 0..<ReadShare.keptTurns { _ = senders.turn(without: [1]) }
    #expect(senders.turn(without: [1])[0].reduce(0, +) == 64 << 10)
    _ = senders.turn(without: [1])
    #expect(senders.turn(without: [1])[0].reduce(0, +) == 1 << 20, "alone again")
    senders.share.disconnected(senders.users[1])
    #expect(senders.share.connected(1) !== senders.users[1], "and forgotten")
  }

  /// Two that have a megabyte waiting come in turn.
  @Test func oneThatSendsMuchDoesNotHoldAnother() throws {
    let directory = TemporaryDirectory()
    let served = try Served(directory)
    let clients = try (0..<2).map { _ in try PlainClient(served.path) }
    for client in clients { client.send([UInt8](repeating: 1, count: 150_000)) }
    var order: [UInt64] = []
    served.onBytes = { connection in
      order.append(connection.number)
      if served.received.values.map(\.count) == [150_000, 150_000] {
        for connection in served.connections { connection.close() }
        served.endListening()
      }
    }
    served.loop.run()
    #expect(order.count == 6)
    for turn in 0..<3 { #expect(Set(order[2 * turn...2 * turn + 1]) == [1, 2]) }
    served.finish()
  }

  /// Sixty-four connections of one user, and one of another, who is read in three turns: but for
  /// the first, in which nobody knew of the other, they bring no more than that one does.
  @Test func aUserWithManyConnectionsDoesNotHoldAnother() throws {
    let directory = TemporaryDirectory()
    let served = try Served(directory)
    served.uid = { $0 == 65 ? 2 : 1 }
    let clients = try (0..<65).map { _ in try PlainClient(served.path) }
    for client in clients { client.send([UInt8](repeating: 1, count: 150_000)) }
    var turnEnd: TurnEnd?
    var others = 0
    turnEnd = try TurnEnd(served.loop) {
      let bytes = served.received.mapValues(\.count)
      guard bytes[65] == 150_000 else { return }
      others = bytes.values.reduce(0, +) - 150_000
      for connection in served.connections { connection.close() }
      served.endListening()
      turnEnd?.close()
    }
    served.loop.run()
    #expect(others <= ReadShare.turnBytes + 2 * ReadShare.bytesMax, "\(others)")
    #expect(others >= 150_000)
    served.finish()
  }
}
