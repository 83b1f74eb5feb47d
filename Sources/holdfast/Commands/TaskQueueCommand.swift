import ArgumentParser
import Messages

struct TaskQueueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "task-queue", abstract: "Look at task queues.",
    discussion: ExitCodes.after("holdfast task-queue describe --task-queue orders"),
    subcommands: [TaskQueueDescribe.self])
}

struct TaskQueueDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show who is attached to a queue and what waits in it.",
    discussion: ExitCodes.after("holdfast task-queue describe --task-queue orders"))

  @OptionGroup var engine: EngineOptions
  @Option(help: "The task queue.") var taskQueue: String

  func run() throws {
    var request = DescribeTaskQueueRequest()
    request.namespace = engine.namespace
    request.taskQueue = taskQueue
    let response: DescribeTaskQueueResponse = try engine.connect().call(
      .operatorDescribeTaskQueue, request)
    guard engine.output == .table else { return print(response.json(pretty: true)) }
    let waiting = [
      ("workflow tasks", response.workflowTasks), ("activity tasks", response.activityTasks),
    ]
    print(
      Show.fields(
        waiting.map { name, backlog in
          let count = backlog?.count ?? 0
          let age = count == 0 ? "" : ", oldest for \(Show.duration(backlog?.oldestAgeMs ?? .zero))"
          return (name, "\(count) waiting\(age)")
        }))
    for warning in response.warnings { print("warning: \(warning)") }
    guard !response.workers.isEmpty else { return }
    let rows = response.workers.map { worker in
      [
        worker.identity, worker.buildID, "\(worker.sdkName) \(worker.sdkVersion)",
        "\(worker.workflowTasksOut) out, \(worker.workflowSlotsFree) free",
        "\(worker.activityTasksOut) out, \(worker.activitySlotsFree) free",
        (worker.workflowTypes + worker.activityTypes).joined(separator: " "),
      ]
    }
    print("")
    print(Show.table(["WORKER", "BUILD", "SDK", "WORKFLOW TASKS", "ACTIVITIES", "TYPES"], rows))
  }
}
