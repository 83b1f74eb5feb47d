import CUV
import Glibc
import Testing

@testable import UVLoop

@Suite("Connections") struct ConnectionTests {
  private let directory = TemporaryDirectory()
  /// More than the kernel takes at once, and no two pages alike.
  private static let large: [UInt8] = (0..<(1 << 20)).map {
    UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8)
  }

  @Test func bytesComeAndGo() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    client.send([1, 2, 3])
    served.onBytes = {
      $0.send([4, 5])
      $0.closeWhenWritten()
      served.endListening()
    }
    served.loop.run()
    #expect(served.received == [1: [1, 2, 3]])
    #expect(served.closed == [1])
    #expect(client.readAll() == [4, 5])
    served.finish()
  }

  @Test func connectionsAreNumberedInTheOrderOfTheirComing() throws {
    let served = try Served(directory)
    let clients = try (0..<3).map { _ in try PlainClient(served.path) }
    for (index, client) in clients.enumerated() { client.send([UInt8(index)]) }
    served.onBytes = { connection in
      if served.received.count == 3 {
        for connection in served.connections { connection.close() }
        served.endListening()
      }
    }
    served.loop.run()
    #expect(served.received == [1: [0], 2: [1], 3: [2]])
    #expect(served.closed.sorted() == [1, 2, 3])
    served.finish()
  }

  @Test func aConnectionMayCloseInsideItsOwnCallback() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    client.send([1])
    served.onBytes = {
      $0.close()
      $0.close()
      $0.send([9])
      served.endListening()
    }
    served.loop.run()
    #expect(served.closed == [1], "told once")
    #expect(client.readAll() == [], "nothing is written after the close")
    served.finish()
  }

  /// Its last words count, also when something is written to it before they are read.
  @Test func aPeerThatHasGoneIsReadToItsEnd() throws {
    let served = try Served(directory)
    var client: PlainClient? = try PlainClient(served.path)
    client?.send([1, 2])
    client = nil
    served.onAccept = {
      $0.send([9])
      served.endListening()
    }
    served.loop.run()
    #expect(served.received == [1: [1, 2]])
    #expect(served.closed == [1])
    served.finish()
  }

  @Test func aConnectionMayCloseAsItIsAccepted() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    served.onAccept = {
      $0.close()
      served.endListening()
    }
    served.loop.run()
    #expect(served.closed == [1])
    #expect(client.readAll() == [])
    served.finish()
  }

  @Test func aPeerThatGoesAwayIsTold() throws {
    let served = try Served(directory)
    var client: PlainClient? = try PlainClient(served.path)
    client?.send([1, 2])
    client = nil
    #expect(client == nil)
    served.onClosed = { _ in served.endListening() }
    served.loop.run()
    #expect(served.received == [1: [1, 2]], "what it had sent is read first")
    #expect(served.closed == [1])
    served.finish()
  }

  /// The protocol has no half close: who ends its side is gone.
  @Test func aHalfCloseIsAClose() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    client.send([1])
    client.endWriting()
    served.onClosed = { _ in served.endListening() }
    served.loop.run()
    #expect(served.received == [1: [1]])
    #expect(client.readAll() == [])
    served.finish()
  }

  @Test func whatAReaderDoesNotReadIsCountedAndNotLost() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    served.onAccept = { connection in
      connection.send(ConnectionTests.large)
      let first = connection.queuedBytes
      #expect(first > 0 && first < ConnectionTests.large.count, "the kernel took a part")
      connection.send([1, 2, 3])
      #expect(connection.queuedBytes == first + 3, "behind it everything waits")
      connection.closeWhenWritten()
      served.endListening()
    }
    let reader = Reader(client)
    served.loop.run()
    #expect(served.closed == [1])
    #expect(served.connections[0].queuedBytes == 0)
    #expect(reader.result() == ConnectionTests.large + [1, 2, 3])
    served.finish()
  }

  @Test func writesPendingAtTheCloseAreGivenUp() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    var sent = 0
    served.onAccept = { connection in
      connection.send(ConnectionTests.large)
      sent = ConnectionTests.large.count - connection.queuedBytes
      connection.close()
      served.endListening()
    }
    served.loop.run()
    #expect(served.closed == [1])
    #expect(served.connections[0].queuedBytes == 0, "libuv has called back for each write")
    #expect(
      client.readAll() == Array(ConnectionTests.large[..<sent]),
      "what the kernel had taken still arrives")
    served.finish()
  }

  @Test func writesToAPeerThatIsGoneCloseTheConnection() throws {
    let served = try Served(directory)
    var client: PlainClient? = try PlainClient(served.path)
    served.onAccept = { connection in
      client = nil
      connection.send(ConnectionTests.large)
      served.endListening()
    }
    served.loop.run()
    #expect(client == nil)
    #expect(served.closed == [1])
    served.finish()
  }

  @Test func aConnectionThatStoppedReadingStillWrites() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    client.send([1])
    served.onAccept = {
      $0.stopReading()
      $0.send([7])
      $0.closeWhenWritten()
      served.endListening()
    }
    served.loop.run()
    #expect(served.received == [:])
    #expect(client.readAll() == [7])
    served.finish()
  }

  @Test func aConnectionIsFreedWhenItHasClosed() throws {
    let served = try Served(directory)
    let client = try PlainClient(served.path)
    final class Weak { weak var connection: Connection? }
    let held = Weak()
    let listener = try SocketFile(path: directory.path + "/run/other.sock", group: nil)
    let other = try Listener(served.loop, socket: listener) { connection in
      held.connection = connection
      connection.send(ConnectionTests.large)
      #expect(connection.queuedBytes > 0)
      connection.close()
    }
    let otherClient = try PlainClient(directory.path + "/run/other.sock")
    served.onAccept = { _ in }
    let end = Loops.afterTurns(3, served.loop) {
      other.close()
      served.endListening()
      for connection in served.connections { connection.close() }
    }
    served.loop.run()
    #expect(end.isDone)
    #expect(held.connection == nil)
    withExtendedLifetime((client, otherClient)) {}
    listener.remove()
    served.finish()
  }
}

/// Reads a socket on a thread of its own, so that the loop has somebody to write to.
private final class Reader: @unchecked Sendable {
  private let client: PlainClient
  private var thread = pthread_t()
  private var bytes: [UInt8] = []

  init(_ client: PlainClient) {
    self.client = client
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let reader = Unmanaged<Reader>.fromOpaque(context).takeRetainedValue()
        reader.bytes = reader.client.readAll()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    precondition(code == 0, "pthread_create: \(code)")
  }

  /// Waits for the end of the stream.
  func result() -> [UInt8] {
    pthread_join(thread, nil)
    return bytes
  }
}
