import Basics
import EngineCore
import Messages

/// I27: no answer in a namespace shows anything of another one, nor of one that had its name; a
/// deleted one is gone at once, was not in use, and goes with all that it held.
final class NamespacesAreApart: Checker {
  static let name = "I27 namespaces are apart"

  /// Since when everybody knows that it is deleted, and nobody has asked for it anew.
  private var deletedUs: [String: Int64] = [:]
  /// When a client last asked for it, or was answered.
  private var createdUs: [String: Int64] = [:]
  /// A request that was sent may come as much later than a further one.
  private static let delayUs: Int64 = 5_000_000

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .sent(let request):
      if case .namespace(.create(let create)) = request.kind { note(create, scene) }
    case .answered(let request, let answer, let parts):
      guard case .namespace(let call) = request.kind else { return }
      check(call, request, answer, parts, scene)
    case .toWorker(_, .activation(let activation)):
      if activation.namespace != "default" {
        scene.found("a worker of default has a task of '\(activation.namespace)'")
      }
    case .committed(let writes): for write in writes { check(write, scene) }
    default: break
    }
  }

  /// From here on it may be there again.
  private func note(_ create: CreateNamespaceRequest, _ scene: Scene) {
    deletedUs[create.namespace] = nil
    createdUs[create.namespace] = scene.us
  }

  private func check(_ write: Write, _ scene: Scene) {
    switch write {
    case .putNamespace(let name, _):
      guard scene.ledger.namespaces[name]?.deleted ?? false else { return }
      let open = scene.ledger.others.values.count { $0.row.namespace == name && $0.isOpen }
      if open > 0 { scene.found("'\(name)' is deleted with \(open) open runs") }
    case .deleteNamespace(let name):
      let left = scene.ledger.others.values.count { $0.row.namespace == name }
      if left > 0 { scene.found("'\(name)' has gone, and left \(left) runs behind") }
    default: break
    }
  }

  private func check(
    _ call: NamespaceCall, _ request: ClientRequest, _ answer: Answer, _ parts: [[UInt8]],
    _ scene: Scene
  ) {
    if case .create(let create) = call { note(create, scene) }
    guard answer.isOK else { return }
    if let since = deletedUs[call.namespace], request.firstSentUs > since {
      return scene.found("\(request.name) finds '\(call.namespace)', which was deleted")
    }
    switch call {
    case .delete:
      if (createdUs[call.namespace] ?? .min / 2) + NamespacesAreApart.delayUs < request.sentUs {
        deletedUs[call.namespace] = scene.us
      }
    case .create:
      if scene.ledger.namespaces[call.namespace] == nil && !scene.ledger.wasThere(call.namespace) {
        scene.found("\(request.name) was acknowledged, and '\(call.namespace)' is not stored")
      }
    case .list:
      let infos = parts.flatMap { (try? ListWorkflowsResponse(bytes: $0))?.workflows ?? [] }
      for info in infos { check(info, call.namespace, request, scene) }
    case .lookAt:
      guard let response = try? DescribeWorkflowResponse(bytes: answer.message) else { return }
      if let info = response.info { check(info, call.namespace, request, scene) }
    case .update, .describe, .start, .terminate: break
    }
  }

  private func check(
    _ info: WorkflowInfo, _ namespace: String, _ request: ClientRequest, _ scene: Scene
  ) {
    let id = info.execution?.runID ?? .none
    guard let run = scene.ledger.otherRun(id), run.row.namespace == namespace else {
      return scene.found("\(request.name) in '\(namespace)' tells of \(id), which is not there")
    }
  }
}
