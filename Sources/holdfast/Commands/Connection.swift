import ArgumentParser
import CHoldfast
import Messages

/// Options of every command that asks a running engine.
struct EngineOptions: ParsableArguments {
  @Option(help: "The engine's socket.") var socket: String?
  @Option(help: "The namespace; else $HOLDFAST_NAMESPACE.")
  var namespace = Paths.environment("HOLDFAST_NAMESPACE") ?? "default"
  @Option(help: "How long to wait for an answer, like 10s or 5m.") var timeout: Interval?
  @Option(name: .shortAndLong, help: "table for people, json for programs.")
  var output = OutputFormat.table

  func connect() throws -> EngineConnection { try EngineConnection(socket ?? "", timeout) }
}

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table, json
}

/// A connection to an engine, in plain calls with the protocol's own messages.
final class EngineConnection {
  fileprivate let client: OpaquePointer
  fileprivate let timeoutMs: Int64

  init(_ socket: String, _ timeout: Interval?) throws {
    timeoutMs = timeout?.ms ?? 0
    var connected: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    var path = socket
    let status = path.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { bytes in
        var options = holdfast_client_options()
        options.struct_size = UInt32(MemoryLayout<holdfast_client_options>.size)
        options.socket_path = holdfast_string(ptr: bytes.baseAddress, len: bytes.count)
        options.connect_timeout_ms = 2_000
        return holdfast_client_connect(&options, &connected, &error)
      }
    }
    guard status == HOLDFAST_OK, let connected else { throw Fault(status, error) }
    client = connected
  }

  deinit { holdfast_client_close(client) }

  /// A unary call. `waits`: as long as it takes, unless --timeout says otherwise.
  func call<Response: Message>(
    _ method: Method, _ request: some Message, waits: Bool = false
  ) throws -> Response {
    var response = holdfast_bytes()
    var error: UnsafeMutablePointer<holdfast_error>?
    let status = request.serialized().withUnsafeBytes { bytes in
      holdfast_client_call(
        client, method.rawValue, holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count),
        waits && timeoutMs == 0 ? -1 : timeoutMs, &response, &error)
    }
    guard status == HOLDFAST_OK else { throw Fault(status, error) }
    defer { holdfast_bytes_free(&response) }
    return try Response(
      buffer: UnsafeRawBufferPointer(start: response.ptr, count: response.len))
  }

  /// A streamed answer, message by message.
  func stream<Response: Message>(
    _ method: Method, _ request: some Message, _ take: (Response) throws -> Void
  ) throws {
    var stream: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let opened = request.serialized().withUnsafeBytes { bytes in
      holdfast_client_open(
        client, method.rawValue, holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count),
        timeoutMs, &stream, &error)
    }
    guard opened == HOLDFAST_OK, let stream else { throw Fault(opened, error) }
    defer { holdfast_stream_close(stream) }
    while true {
      var message = holdfast_bytes()
      let status = holdfast_stream_next(stream, -1, &message, &error)
      if status == HOLDFAST_CLOSED { return }
      guard status == HOLDFAST_OK else { throw Fault(status, error) }
      try take(
        try Response(buffer: UnsafeRawBufferPointer(start: message.ptr, count: message.len)))
    }
  }
}

extension EngineConnection {
  /// A call whose sides take turns: what `answer` makes of a message is sent back.
  func takeTurns<Response: Message, Request: Message>(
    _ method: Method, _ first: Request, _ answer: (Response) throws -> Request?
  ) throws {
    var stream: OpaquePointer?
    var error: UnsafeMutablePointer<holdfast_error>?
    let opened = first.serialized().withUnsafeBytes { bytes in
      holdfast_client_open_two_way(
        client, method.rawValue, holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count),
        timeoutMs, &stream, &error)
    }
    guard opened == HOLDFAST_OK, let stream else { throw Fault(opened, error) }
    defer { holdfast_stream_close(stream) }
    while true {
      var message = holdfast_bytes()
      let status = holdfast_stream_next(stream, -1, &message, &error)
      if status == HOLDFAST_CLOSED { return }
      guard status == HOLDFAST_OK else { throw Fault(status, error) }
      let response = try Response(
        buffer: UnsafeRawBufferPointer(start: message.ptr, count: message.len))
      guard let next = try answer(response) else { continue }
      let sent = next.serialized().withUnsafeBytes { bytes in
        holdfast_stream_send(
          stream, holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count), false, &error)
      }
      guard sent == HOLDFAST_OK else { throw Fault(sent, error) }
    }
  }
}

/// Exit codes that scripts can use.
enum ExitCodes {
  static let workflowNotCompleted: Int32 = 1
  static let notFound: Int32 = 3
  static let alreadyExists: Int32 = 4
  static let unreachable: Int32 = 5
  static let deadline: Int32 = 6
  static let refused: Int32 = 7
  static let usage: Int32 = 64

  static let help = """
    Exit codes: 0 done, 1 the workflow did not complete (result and execute) or its code does \
    not agree (replay), 3 not found, 4 already exists, 5 no engine answers, 6 the time is up, 7 \
    refused for another reason, 64 a wrong option or value.
    """

  /// A command's help: an example, and what its exit codes mean.
  static func after(_ example: String) -> String { example + "\n\n" + help }
}

extension Fault {
  /// Takes over and frees `error`.
  init(_ status: holdfast_status, _ error: UnsafeMutablePointer<holdfast_error>?) {
    defer { holdfast_error_free(error) }
    let view = error?.pointee
    var text = view?.message.text ?? String(cString: holdfast_strerror(status))
    if let reason = view?.reason_name.map({ String(cString: $0) }), !reason.isEmpty {
      text = "\(reason): \(text)"
    }
    switch status {
    case HOLDFAST_INVALID_ARGUMENT, HOLDFAST_BAD_ARGUMENT, HOLDFAST_TOO_LARGE:
      self.init(text: text, code: ExitCodes.usage)
    case HOLDFAST_NOT_FOUND: self.init(text: text, code: ExitCodes.notFound)
    case HOLDFAST_ALREADY_EXISTS: self.init(text: text, code: ExitCodes.alreadyExists)
    case HOLDFAST_DISCONNECTED, HOLDFAST_SYSTEM_ERROR:
      self.init(
        text: text
          + ": is an engine running, and open to this user? Start one with `holdfast serve`,"
          + " or name its --socket",
        code: ExitCodes.unreachable)
    case HOLDFAST_TIMEOUT, HOLDFAST_DEADLINE_EXCEEDED:
      self.init(text: text, code: ExitCodes.deadline)
    default: self.init(text: text, code: ExitCodes.refused)
    }
  }
}

extension holdfast_string {
  var text: String {
    guard let ptr else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: ptr, count: len), as: UTF8.self)
  }
}
