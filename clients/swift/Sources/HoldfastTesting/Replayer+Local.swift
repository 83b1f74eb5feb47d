import Holdfast

extension Replayer {
  /// A replayer with an engine of its own, which ends with it.
  ///
  ///     let replayer = try await Replayer.startLocal(workflows: [Order.self])
  ///     for path in recorded {
  ///       try await replayer.replay(WorkflowHistory(contentsOf: path)).check()
  ///     }
  public static func startLocal(
    workflows: [any Workflow.Type], options: TestEnvironment.Options = .init(),
    failsWorkflow: @escaping @Sendable (any Error) -> Bool = { _ in false }
  ) async throws -> Replayer {
    let environment = try await TestEnvironment.startLocal(options)
    return Replayer(
      workflows: workflows, client: environment.client, failsWorkflow: failsWorkflow,
      keeping: environment)
  }
}
