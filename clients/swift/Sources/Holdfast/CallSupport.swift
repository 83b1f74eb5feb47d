import CHoldfast
internal import Messages

extension holdfast_string {
  var text: String {
    guard let ptr, len > 0 else { return "" }
    let bytes = UnsafeRawBufferPointer(start: ptr, count: len)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension holdfast_bytes {
  /// A copy.
  var array: [UInt8] {
    guard let ptr else { return [] }
    return Array(UnsafeRawBufferPointer(start: ptr, count: len))
  }
}

extension String {
  /// The text as a view that is valid during the call.
  func withView<R>(_ body: (holdfast_string) throws -> R) rethrows -> R {
    var copy = self
    return try copy.withUTF8 { bytes in
      try bytes.withMemoryRebound(to: CChar.self) {
        try body(holdfast_string(ptr: $0.baseAddress, len: $0.count))
      }
    }
  }
}

extension [UInt8] {
  /// The bytes as a view that is valid during the call.
  func withView<R>(_ body: (holdfast_bytes) throws -> R) rethrows -> R {
    try withUnsafeBytes { try body(holdfast_bytes(ptr: $0.baseAddress, len: $0.count)) }
  }
}

extension HoldfastError {
  /// Takes over and frees `error`.
  init(_ status: holdfast_status, _ error: UnsafeMutablePointer<holdfast_error>?) {
    self.init(status, view: UnsafePointer(error))
    holdfast_error_free(error)
  }

  init(_ status: holdfast_status, view: UnsafePointer<holdfast_error>?) {
    code = Int(status.rawValue)
    reason = view.map { String(cString: $0.pointee.reason_name) } ?? ""
    field = view?.pointee.field.text ?? ""
    message = view?.pointee.message.text ?? String(cString: holdfast_strerror(status))
  }

  /// One that the engine tells of, for a request of its own.
  init(_ status: Status?) {
    code = Int(status?.code.rawValue ?? 0)
    reason = status.map { $0.reason == .unspecified ? "" : $0.reason.name } ?? ""
    field = status?.field ?? ""
    message = status?.message ?? ""
  }
}
