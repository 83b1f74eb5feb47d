import Testing

@testable import UVLoop

@Suite("Shares of a turn") struct ReadShareTests {
  @Test(arguments: [(0, 64), (1, 64), (16, 64), (32, 32), (256, 4), (10_000, 4)])
  func theShareFollowsFromHowManyWereRead(_ readers: Int, _ kib: Int) {
    var share = ReadShare()
    for _ in 0..<readers { share.began() }
    share.endTurn()
    #expect(share.bytes == kib << 10)
    share.endTurn()
    #expect(share.bytes == 64 << 10, "alone again")
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
}
