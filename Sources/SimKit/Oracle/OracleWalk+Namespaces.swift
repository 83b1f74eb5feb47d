import Basics
import EngineCore
import Messages
import SQLiteStore

/// What operators ask about namespaces: few, and most of it about the one that the runs are in.
extension OracleWalk {
  /// Drawn beside the walk: so a walk without it is the same.
  mutating func askOfNamespaces() throws(StoreError) {
    let request = drawNamespaceRequest()
    // Letters that wait for a commit may be about any namespace.
    if case .delete = request { try commit() }
    try ask(.namespace(request))
  }

  private mutating func drawNamespaceRequest() -> NamespaceRequest {
    let name = namespaceDice.pick(["n1", "n2", "default", ""])
    switch namespaceDice.int(0...9) {
    case 0..<3:
      var request = CreateNamespaceRequest()
      request.namespace = namespaceDice.pick(["n1", "n2", "N-1.x", "default", "", "-n", "n 1"])
      request.retentionMs = drawRetention()
      request.description = drawDescription()
      request.requestID = namespaceDice.pick(["", "r1", "r2", OracleWalk.tooLong])
      request.identity = namespaceDice.pick(["", "boss"])
      return .create(request)
    case 3..<5:
      var request = DescribeNamespaceRequest()
      request.namespace = name
      return .describe(request)
    case 5: return .list(ListNamespacesRequest())
    case 6..<8:
      var request = UpdateNamespaceRequest()
      request.namespace = name
      request.retentionMs = drawRetention()
      request.description = drawDescription()
      request.updateMask = namespaceDice.pick([
        [], ["retention_ms"], ["description"], ["retention_ms", "description"], ["name"],
      ])
      return .update(request)
    default:
      var request = DeleteNamespaceRequest()
      request.namespace = name
      return .delete(request)
    }
  }

  private mutating func drawRetention() -> Span {
    Span(ms: namespaceDice.pick([0, 1_000, 20_000, 600_000, 999, -1]))
  }

  private mutating func drawDescription() -> String {
    namespaceDice.pick(["", "", "bills", OracleWalk.tooLong])
  }
}
