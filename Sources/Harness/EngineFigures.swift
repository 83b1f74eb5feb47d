import CHoldfast
import Messages

/// What an engine says of itself and of its workflows, asked over its socket in plain calls.
public final class EngineFigures {
  private let client: OpaquePointer

  /// Connects within five seconds; nil if no engine answers.
  public init?(_ socket: String) {
    var path = socket
    var connected: OpaquePointer?
    path.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { bytes in
        var options = holdfast_client_options()
        options.struct_size = UInt32(MemoryLayout<holdfast_client_options>.size)
        options.socket_path = holdfast_string(ptr: bytes.baseAddress, len: bytes.count)
        _ = holdfast_client_connect(&options, &connected, nil)
      }
    }
    guard let connected else { return nil }
    client = connected
  }

  deinit { holdfast_client_close(client) }

  /// One of the counters of the operator's Describe; 0 if there is none of that name.
  public func counter(_ name: String) -> Int {
    let description = call(.operatorDescribe, DescribeRequest(), DescribeResponse.self)
    return Int(description?.counters.first { $0.name == name }?.value ?? 0)
  }

  /// A unary call; nil when it is refused.
  public func call<Response: Message>(
    _ method: Method, _ request: some Message, _ type: Response.Type
  ) -> Response? {
    var response = holdfast_bytes()
    let status = request.serialized().withUnsafeBytes { bytes in
      holdfast_client_call(
        client, method.rawValue, holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count), 10_000,
        &response, nil)
    }
    guard status == HOLDFAST_OK else { return nil }
    defer { holdfast_bytes_free(&response) }
    return try? Response(
      buffer: UnsafeRawBufferPointer(start: response.ptr, count: response.len))
  }

  /// A workflow's whole history; nil when it cannot be read.
  public func history(_ workflowID: String) -> [HistoryEvent]? {
    var request = GetHistoryRequest()
    var execution = WorkflowExecution()
    execution.workflowID = workflowID
    request.execution = execution
    var stream: OpaquePointer?
    let opened = request.serialized().withUnsafeBytes { bytes in
      holdfast_client_open(
        client, Method.workflowGetHistory.rawValue,
        holdfast_bytes(ptr: bytes.baseAddress, len: bytes.count), 10_000, &stream, nil)
    }
    guard opened == HOLDFAST_OK, let stream else { return nil }
    defer { holdfast_stream_close(stream) }
    var events: [HistoryEvent] = []
    while true {
      var message = holdfast_bytes()
      let status = holdfast_stream_next(stream, 10_000, &message, nil)
      if status == HOLDFAST_CLOSED { return events }
      guard status == HOLDFAST_OK,
        let batch = try? HistoryBatch(
          buffer: UnsafeRawBufferPointer(start: message.ptr, count: message.len))
      else { return nil }
      events += batch.events
    }
  }
}
