import Basics
import EngineCore
import Foundation
import Messages
import Testing
import Wire

@testable import Shell

/// The frames that proto/README.md spells out, byte by byte.
@Suite("The example of the protocol's page") struct ExampleTests {
  struct Example {
    var isClients: Bool
    /// The bytes of each line, and the words beside them.
    var lines: [(bytes: [UInt8], words: String)] = []
    var bytes: [UInt8] { lines.flatMap(\.bytes) }
  }

  private static let examples: [Example] = {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try? String(contentsOf: root.appending(path: "proto/README.md"), encoding: .utf8)
    var examples: [Example] = []
    var isInside = false
    for line in (text ?? "").split(separator: "\n") {
      if line.hasPrefix("```") {
        isInside = line.hasPrefix("```frame ")
        if isInside { examples.append(Example(isClients: line.hasSuffix(" client"))) }
      } else if isInside {
        // Two blanks and more part the bytes from the words.
        let part = line.drop { $0 == " " }.firstRange(of: "  ")
        let hex = part.map { line[..<$0.lowerBound] } ?? line
        let words = part.map { line[$0.upperBound...] } ?? ""
        examples[examples.count - 1].lines.append(
          (
            hex.split(separator: " ").map { UInt8($0, radix: 16) ?? 0xEE },
            words.trimmingCharacters(in: .whitespaces)
          ))
      }
    }
    return examples
  }()

  private func decoded(_ bytes: [UInt8]) throws -> Frame {
    var decoder = FrameDecoder(frameBytesMax: 4 << 20)
    bytes.withUnsafeBytes { decoder.feed($0) }
    let frame = try #require(try decoder.next())
    #expect(decoder.pendingBytes == 0)
    return frame
  }

  private func encoded(_ frame: Frame) -> [UInt8] {
    var encoder = FrameEncoder()
    var bytes: [UInt8] = []
    encoder.append(frame, to: &bytes)
    return bytes
  }

  @Test func eachIsOneFrameThatIsEncodedToTheSameBytes() throws {
    #expect(ExampleTests.examples.map(\.isClients) == [true, false, true, false])
    for example in ExampleTests.examples {
      #expect(encoded(try decoded(example.bytes)) == example.bytes)
    }
  }

  @Test func theyHoldWhatThePageSays() throws {
    let frames = try ExampleTests.examples.map { try decoded($0.bytes) }
    #expect(frames.map(\.stream) == [0, 0, 1, 1])
    guard case .hello(let hello) = frames[0].kind, case .welcome(let welcome) = frames[1].kind,
      case .open(let open) = frames[2].kind, case .end(let end) = frames[3].kind
    else {
      Issue.record("\(frames)")
      return
    }
    #expect(hello.protocolVersions == [1])
    #expect(hello.clientName == "demo")
    #expect(welcome.protocolVersion == 1)
    #expect(open.method == Method.workflowStartWorkflow.rawValue)
    #expect(open.end)
    let request = try StartWorkflowRequest(bytes: open.message)
    #expect(request.workflowID == "o-1")
    #expect(request.workflowType == "Order")
    #expect(request.taskQueue == "orders")
    #expect(request.input.map(\.encoding) == ["json/plain"])
    #expect(request.input.map(\.data) == [Array("7".utf8)])
    #expect(end.status == nil)
    #expect(try StartWorkflowResponse(bytes: end.message).started)
  }

  /// The client's bytes go to the engine; its answers are the page's.
  @Test func theEngineAnswersWithTheseBytes() throws {
    var peers = Peers { $0.serverVersion = "0.1.0" }
    let id = peers.connect(1)
    for pair in stride(from: 0, to: 4, by: 2) {
      peers.send(id, ExampleTests.examples[pair].bytes)
      var frames = peers.take(id)
      #expect(frames.count == 1)
      let page = ExampleTests.examples[pair + 1].bytes
      // The run's id is the engine's to choose.
      if case .end(var end) = frames[0].kind, case .end(let shown) = try decoded(page).kind {
        var answer = try StartWorkflowResponse(bytes: end.message)
        #expect(answer.runID != .none)
        answer.runID = try StartWorkflowResponse(bytes: shown.message).runID
        end.message = answer.serialized()
        frames[0].kind = .end(end)
      }
      #expect(encoded(frames[0]) == page)
    }
  }

  /// `Hello.client_name, 4 bytes` stands beside that field's tag and length, and so on.
  @Test func eachLineNamesTheFieldThatItBegins() throws {
    let tables = [
      Frame.table, Hello.table, Welcome.table, Limits.table, Open.table, End.table, Payload.table,
      StartWorkflowRequest.table, StartWorkflowResponse.table,
    ]
    var named = 0
    for example in ExampleTests.examples {
      for (bytes, words) in example.lines {
        guard let match = words.prefixMatch(of: #/(\w+)\.(\w+)(?: = (\w+)|, (\d+) bytes?)/#) else {
          continue
        }
        named += 1
        let (_, message, name, value, length) = match.output
        let table = tables.first { $0.name == "holdfast.v1.\(message)" }
        let field = try #require(table?.field(named: String(name)), "\(words)")
        #expect(bytes[0] == UInt8(field.number << 3) | (length == nil ? 0 : 2), "\(words)")
        let number = try varint(bytes.dropFirst())
        if let length { #expect(number == UInt64(length), "\(words)") }
        if let value { #expect(number == (value == "true" ? 1 : UInt64(value)), "\(words)") }
      }
    }
    #expect(named == 30)
  }

  private func varint(_ bytes: ArraySlice<UInt8>) throws -> UInt64 {
    var value: UInt64 = 0
    for (index, byte) in bytes.enumerated() { value |= UInt64(byte & 0x7F) << (7 * UInt64(index)) }
    #expect(bytes.last.map { $0 < 0x80 } == true, "the number is whole")
    return value
  }
}
