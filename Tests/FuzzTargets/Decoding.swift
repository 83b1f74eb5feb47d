import EngineCore
import Messages
import Wire

func fuzzFrames(_ input: inout FuzzInput) {
  let frameBytesMax = 1 << 12
  var decoder = FrameDecoder(frameBytesMax: frameBytesMax)
  while !input.isAtEnd {
    let piece = input.piece()
    piece.withUnsafeBytes { decoder.feed($0) }
    do {
      while let frame = try decoder.next() { checkAgain(frame) }
    } catch { return }
    precondition(
      decoder.pendingBytes < 4 + frameBytesMax, "\(decoder.pendingBytes) bytes wait for a frame")
  }
}

/// What is stored and what travels inside other messages; requests come by their methods.
private let messages: [any Message.Type] = [
  Frame.self, WorkerMessage.self, EngineMessage.self, HistoryBatch.self, RunState.self,
  ActivityRow.self, Failure.self,
]

func fuzzMessage(_ input: inout FuzzInput) {
  let choice = Int(input.byte()) % (messages.count + Method.allCases.count)
  let bytes = input.rest()
  if choice < messages.count { return checkDecoding(messages[choice], bytes) }
  _ = try? Call(Method.allCases[choice - messages.count], bytes)
}

private func checkDecoding<M: Message>(_ type: M.Type, _ bytes: [UInt8]) {
  guard let message = try? M(bytes: bytes) else { return }
  checkAgain(message)
}

/// What was decoded is encoded in one way only. Bytes are compared, because NaN differs from NaN.
private func checkAgain<M: Message>(_ message: M) {
  let bytes = message.serialized()
  guard let again = try? M(bytes: bytes) else {
    preconditionFailure("\(M.self) does not decode what it encoded")
  }
  precondition(again.serialized() == bytes, "\(M.self) is encoded in two ways")
}
