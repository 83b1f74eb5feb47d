import CHoldfast
import Messages

/// The engine's own counters, asked over the socket.
enum EngineFigures {
  static func commits(_ socket: String) -> Int { counter("store_commits_total", socket) }

  private static func counter(_ name: String, _ socket: String) -> Int {
    var path = socket
    return path.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { bytes in
        var options = holdfast_client_options()
        options.struct_size = UInt32(MemoryLayout<holdfast_client_options>.size)
        options.socket_path = holdfast_string(ptr: bytes.baseAddress, len: bytes.count)
        var client: OpaquePointer?
        guard holdfast_client_connect(&options, &client, nil) == HOLDFAST_OK else { return 0 }
        defer { holdfast_client_close(client) }
        var response = holdfast_bytes()
        guard
          holdfast_client_call(
            client, Method.operatorDescribe.rawValue, holdfast_bytes(), 5_000, &response, nil)
            == HOLDFAST_OK
        else { return 0 }
        defer { holdfast_bytes_free(&response) }
        let buffer = UnsafeRawBufferPointer(start: response.ptr, count: response.len)
        guard let description = try? DescribeResponse(buffer: buffer) else { return 0 }
        return Int(description.counters.first { $0.name == name }?.value ?? 0)
      }
    }
  }
}
