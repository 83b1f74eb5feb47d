import Foundation
import OrderSaga

/// The orders of the CSV file.
struct OrderLine {
  let order: Order
  let isApproved: Bool
}

enum Orders {
  /// Unapproved orders time out after this while; approved ones never do in a demo.
  static let approvalTimeoutMs = 4_000

  static func read(_ path: String) throws -> [OrderLine] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(whereSeparator: \.isNewline).dropFirst().map { line in
      let fields = line.split(separator: ",").map(String.init)
      guard fields.count == 6, let quantity = Int(fields[2]), let price = Int(fields[3]) else {
        throw DemoError(text: "\(path): not an order: \(line)")
      }
      let isApproved = fields[5] == "yes"
      return OrderLine(
        order: Order(
          orderID: fields[0], sku: fields[1], quantity: quantity, card: fields[4],
          amountCents: quantity * price,
          approvalTimeoutMs: isApproved ? 600_000 : approvalTimeoutMs),
        isApproved: isApproved)
    }
  }
}

struct DemoError: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}
