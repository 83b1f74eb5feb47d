import ArgumentParser

struct WorkflowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workflow",
    abstract: "Start workflows, talk to them, look at them.",
    discussion: """
      holdfast workflow start --type order --id o-1 --task-queue orders --input '{"sku":"x"}'
      holdfast workflow signal --id o-1 --name approve
      holdfast workflow result --id o-1
      holdfast workflow show --id o-1

      \(ExitCodes.help)
      """,
    subcommands: [
      WorkflowStart.self, WorkflowExecute.self, WorkflowSignal.self, WorkflowUpdate.self,
      WorkflowQuery.self,
      WorkflowResult.self, WorkflowDescribe.self, WorkflowList.self, WorkflowCount.self,
      WorkflowShow.self, WorkflowCancel.self, WorkflowTerminate.self,
      WorkflowDelete.self, WorkflowPause.self, WorkflowUnpause.self, WorkflowReset.self,
      WorkflowFork.self, WorkflowReplay.self,
    ])
}
