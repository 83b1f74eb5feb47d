import Holdfast

/// One order of the CSV file.
public struct Order: Codable, Sendable {
  public var orderID: String
  public var sku: String
  public var quantity: Int
  public var card: String
  public var amountCents: Int
  public var approvalTimeoutMs: Int

  public init(
    orderID: String, sku: String, quantity: Int, card: String, amountCents: Int,
    approvalTimeoutMs: Int
  ) {
    self.orderID = orderID
    self.sku = sku
    self.quantity = quantity
    self.card = card
    self.amountCents = amountCents
    self.approvalTimeoutMs = approvalTimeoutMs
  }
}

/// How an order ended.
public enum Outcome: String, Codable, Sendable {
  case completed
  /// Something failed; what had been done was undone.
  case compensated
  /// Nobody approved it in time; what had been done was undone.
  case timedOut = "timed_out"
}

/// Reserve stock → charge → wait for the approval → ship. Before each step its compensation is
/// noted; when a step fails they run in reverse.
public final class OrderWorkflow: Workflow, @unchecked Sendable {
  public static let type = "order"

  private var state = "new"
  private var isApproved = false

  public init() {}

  public static func handlers(_ handlers: inout Handlers<OrderWorkflow>) {
    handlers.signal("approve") { workflow in workflow.isApproved = true }
    handlers.query("status") { workflow in workflow.state }
  }

  public func run(_ context: WorkflowContext, _ order: Order) async throws -> Outcome {
    var compensations: [@Sendable () async throws -> Void] = []
    do {
      state = "reserving"
      let stock = Stock(order_id: order.orderID, sku: order.sku, quantity: order.quantity)
      compensations.append {
        try await context.activity("release", stock, options: .inventory)
      }
      try await context.activity("reserve", stock, options: .inventory)

      state = "charging"
      let payment = Payment(
        order_id: order.orderID, card: order.card, amount_cents: order.amountCents)
      compensations.append {
        try await context.activity("refund", payment, options: .payments)
      }
      try await context.activity("charge", payment, options: .payments)

      state = "waiting for approval"
      let approved = try await context.wait(timeout: .milliseconds(order.approvalTimeoutMs)) {
        self.isApproved
      }
      guard approved else { throw NotApproved() }

      state = "shipping"
      try await context.activity(
        "ship", Shipment(order_id: order.orderID), options: .inventory)
      state = "completed"
      return .completed
    } catch {
      state = "compensating"
      try await context.shielded { [compensations] in
        for compensate in compensations.reversed() { try await compensate() }
      }
      state = "compensated"
      return error is NotApproved ? .timedOut : .compensated
    }
  }
}

private struct NotApproved: Error {}

// What the payments and inventory workers read; they are written in C and in Python.

private struct Stock: Codable, Sendable {
  let order_id: String
  let sku: String
  let quantity: Int
}

private struct Payment: Codable, Sendable {
  let order_id: String
  let card: String
  let amount_cents: Int
}

private struct Shipment: Codable, Sendable {
  let order_id: String
}

extension ActivityOptions {
  fileprivate static let inventory = ActivityOptions(
    startToClose: .seconds(30), retry: Retry(initial: .milliseconds(200), maximum: .seconds(2)),
    taskQueue: "inventory")
  fileprivate static let payments = ActivityOptions(
    startToClose: .seconds(30), retry: Retry(initial: .milliseconds(200), maximum: .seconds(2)),
    taskQueue: "payments")
}
