import EngineCore
import Messages

extension NamespaceTests {
  /// One of each kind, well-formed but for the namespace.
  static func requests(in name: String) -> [Request] {
    runRequests(in: name) + activityRequests(in: name) + otherRequests(in: name)
  }

  private static func made<M: Message>(_ change: (inout M) -> Void) -> M {
    var message = M()
    change(&message)
    return message
  }

  private static let execution: WorkflowExecution = made { $0.workflowID = "o-1" }

  private static func start(in name: String) -> StartWorkflowRequest {
    made {
      $0.namespace = name
      $0.workflowID = "o-1"
      $0.workflowType = "order"
      $0.taskQueue = "q"
    }
  }

  private static func update(in name: String) -> UpdateWorkflowRequest {
    made {
      $0.namespace = name
      $0.execution = execution
      $0.updateName = "change"
      $0.updateID = "u"
    }
  }

  private static func runRequests(in name: String) -> [Request] {
    [
      .startWorkflow(start(in: name)),
      .signalWorkflow(
        made {
          ($0.namespace, $0.execution, $0.signalName) = (name, execution, "go")
        }),
      .signalWithStartWorkflow(
        made {
          $0.start = start(in: name)
          $0.signalName = "go"
        }),
      .queryWorkflow(
        made { ($0.namespace, $0.execution, $0.queryType) = (name, execution, "state") }),
      .updateWorkflow(update(in: name)),
      .updateWithStartWorkflow(
        made {
          $0.start = start(in: name)
          $0.update = update(in: "")
          $0.update?.execution = nil
        }),
      .pollUpdate(
        made { ($0.namespace, $0.execution, $0.updateID) = (name, execution, "u") }),
      .cancelWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .terminateWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .deleteWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .pauseWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .unpauseWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .resetWorkflow(
        made {
          ($0.namespace, $0.execution) = (name, execution)
          $0.point = made { $0.kind = .firstWorkflowTask }
        }),
      .forkWorkflow(
        made {
          ($0.namespace, $0.execution, $0.workflowID) = (name, execution, "o-2")
          $0.point = made { $0.kind = .firstWorkflowTask }
        }),
      .describeWorkflow(made { ($0.namespace, $0.execution) = (name, execution) }),
      .getWorkflowResult(made { ($0.namespace, $0.execution) = (name, execution) }),
      .getHistory(made { ($0.namespace, $0.execution) = (name, execution) }),
      .listWorkflows(made { $0.namespace = name }),
      .countWorkflows(made { $0.namespace = name }),
    ]
  }

  private static func activityRequests(in name: String) -> [Request] {
    let reference: ActivityReference = made {
      $0.execution = execution
      $0.activityID = "1"
    }
    let all: ActivitySelection = made { $0.which = .all(true) }
    return [
      .completeActivity(made { ($0.namespace, $0.activity) = (name, reference) }),
      .failActivity(
        made {
          ($0.namespace, $0.activity) = (name, reference)
          $0.failure = made { $0.info = made { $0.kind = .application(ApplicationFailure()) } }
        }),
      .reportActivityCancelled(made { ($0.namespace, $0.activity) = (name, reference) }),
      .heartbeatActivity(made { ($0.namespace, $0.activity) = (name, reference) }),
      .pauseActivity(
        made { ($0.namespace, $0.execution, $0.activities) = (name, execution, all) }),
      .unpauseActivity(
        made { ($0.namespace, $0.execution, $0.activities) = (name, execution, all) }),
      .resetActivity(
        made { ($0.namespace, $0.execution, $0.activities) = (name, execution, all) }),
      .updateActivityOptions(
        made {
          ($0.namespace, $0.execution, $0.activities) = (name, execution, all)
          $0.options = made { $0.taskQueue = "r" }
        }),
    ]
  }

  private static func otherRequests(in name: String) -> [Request] {
    [
      .describeTaskQueue(made { ($0.namespace, $0.taskQueue) = (name, "q") }),
      .setTaskQueueLimits(made { ($0.namespace, $0.taskQueue) = (name, "q") }),
      .attribute(
        .add(made { ($0.namespace, $0.name, $0.type) = (name, "Customer", .keyword) })),
      .attribute(.list(made { $0.namespace = name })),
      .attribute(.remove(made { ($0.namespace, $0.name) = (name, "Customer") })),
      .batch(
        .start(
          made {
            ($0.namespace, $0.batchID) = (name, "b")
            $0.query = "WorkflowType = 'order'"
            $0.operation = made { $0.operation = .terminateWorkflow(TerminateWorkflowRequest()) }
          })),
      .batch(.describe(made { ($0.namespace, $0.batchID) = (name, "b") })),
      .batch(.list(made { $0.namespace = name })),
      .batch(.stop(made { ($0.namespace, $0.batchID) = (name, "b") })),
      .schedule(.describe(made { ($0.namespace, $0.scheduleID) = (name, "s") })),
      .schedule(.list(made { $0.namespace = name })),
      .schedule(.delete(made { ($0.namespace, $0.scheduleID) = (name, "s") })),
      .schedule(.pause(made { ($0.namespace, $0.scheduleID) = (name, "s") })),
      .schedule(.unpause(made { ($0.namespace, $0.scheduleID) = (name, "s") })),
      .schedule(.trigger(made { ($0.namespace, $0.scheduleID) = (name, "s") })),
      .namespace(.describe(made { $0.namespace = name })),
      .namespace(.update(made { $0.namespace = name })),
      .namespace(.delete(made { $0.namespace = name })),
    ]
  }
}
