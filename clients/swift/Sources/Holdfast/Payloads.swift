import Basics
internal import Messages

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Values of the user's as `json/plain` payloads.
enum Payloads {
  static func encode<T: Encodable>(_ value: T) throws -> [Payload] {
    var payload = Payload()
    if value is Nothing {
      payload.encoding = "binary/null"
      return [payload]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    payload.encoding = "json/plain"
    payload.data = [UInt8](try encoder.encode(value))
    return [payload]
  }

  static func decode<T: Decodable>(_ payloads: [Payload], as type: T.Type) throws -> T {
    if let nothing = Nothing() as? T { return nothing }
    guard let payload = payloads.first else {
      throw ApplicationError(
        "no value where \(type) was expected", type: "PayloadError", nonRetryable: true)
    }
    guard payload.encoding == "json/plain" || payload.encoding.isEmpty else {
      throw ApplicationError(
        "a value in encoding '\(payload.encoding)' where json/plain was expected",
        type: "PayloadError", nonRetryable: true)
    }
    do {
      return try JSONDecoder().decode(type, from: Data(payload.data))
    } catch {
      throw ApplicationError(
        "a value that is not \(type): \(error)", type: "PayloadError", nonRetryable: true)
    }
  }
}

/// No value: the input of a workflow, an activity or a query that takes none.
public struct Nothing: Codable, Sendable, Equatable {
  public init() {}
}

extension Duration {
  /// In whole milliseconds, rounded up: a timer never fires early.
  var span: Span {
    let (seconds, attoseconds) = components
    let (ms, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    if overflow { return Span(ms: seconds > 0 ? .max : .min) }
    return Span(ms: ms + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
