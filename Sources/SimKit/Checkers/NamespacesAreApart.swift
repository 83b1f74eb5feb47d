import Basics
import EngineCore
import Messages

/// I27: no answer in a namespace shows anything of another one, nor of one that had its name; a
/// deleted one is gone at once, was not in use, and goes with all that it held.
final class NamespacesAreApart: Checker {
  static let name = "I27 namespaces are apart"

  /// Since when it is stored as deleted, or is not stored any more.
  private var deletedUs: [String: Int64] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .answered(let request, let answer, let parts):
      guard case .namespace(let call) = request.kind else { return }
      check(call, request, answer, parts, scene)
    case .toWorker(_, .activation(let activation)):
      if activation.namespace != "default" {
        scene.found("a worker of default has a task of '\(activation.namespace)'")
      }
    case .committed(let writes):
      for write in writes { check(write, scene) }
      note(scene)
    case .reopened: note(scene)
    default: break
    }
  }

  private func note(_ scene: Scene) {
    let stored = scene.ledger.namespaces
    for name in scene.ledger.namesEver {
      if stored[name].map({ !$0.deleted }) ?? false {
        deletedUs[name] = nil
      } else if deletedUs[name] == nil {
        deletedUs[name] = scene.us
      }
    }
  }

  private func check(_ write: Write, _ scene: Scene) {
    switch write {
    case .putNamespace(let name, let bytes):
      // A batch may hold that it is made, an answer that names it, and that it is deleted again.
      if (try? NamespaceDefinition(bytes: bytes))?.deleted == false { deletedUs[name] = nil }
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
    guard answer.isOK else { return }
    if let since = deletedUs[call.namespace], request.firstSentUs > since {
      return scene.found("\(request.name) finds '\(call.namespace)', which was deleted")
    }
    switch call {
    case .create:
      let name = call.namespace
      if scene.ledger.namespaces[name] == nil, !scene.ledger.namesEver.contains(name) {
        scene.found("\(request.name) was acknowledged, and '\(call.namespace)' is not stored")
      }
    case .list:
      let infos = parts.flatMap { (try? ListWorkflowsResponse(bytes: $0))?.workflows ?? [] }
      for info in infos { check(info, call.namespace, request, scene) }
    case .lookAt:
      guard let response = try? DescribeWorkflowResponse(bytes: answer.message) else { return }
      if let info = response.info { check(info, call.namespace, request, scene) }
    case .delete, .update, .describe, .start, .terminate: break
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
