import Foundation
import Holdfast
import Testing

/// The `holdfast` command as people and scripts use it: what it prints, and its exit codes.
@Suite(.serialized) struct CommandLineTests {
  private static let start = ["--type", "Greeting", "--task-queue", "q"]

  @Test(arguments: [
    "workflow", "workflow start", "workflow execute", "workflow signal", "workflow update",
    "workflow query", "workflow result", "workflow describe", "workflow list", "workflow count",
    "workflow show",
    "workflow cancel", "workflow terminate", "workflow delete", "workflow pause",
    "workflow unpause", "workflow reset", "workflow fork", "workflow replay", "activity",
    "activity start", "activity result", "activity describe", "activity list", "activity count",
    "activity cancel", "activity terminate", "activity delete",
    "activity complete", "activity fail",
    "activity pause", "activity unpause", "activity reset", "activity update-options",
    "search-attribute", "search-attribute create", "search-attribute list",
    "batch", "batch signal", "batch cancel", "batch terminate", "batch delete", "batch reset",
    "batch pause", "batch unpause", "batch pause-activities", "batch unpause-activities",
    "batch reset-activities", "batch describe", "batch list", "batch stop",
    "namespace", "namespace create", "namespace describe", "namespace list", "namespace update",
    "namespace delete", "search-attribute remove", "task-queue", "task-queue describe",
    "task-queue limits", "workflow-type", "workflow-type describe", "workflow-type list",
    "workflow-type limits", "health",
    "drain", "serve",
    "time", "time show", "time sleep", "time advance",
  ])
  func everyCommandExplainsItselfAndItsExitCodes(_ command: String) async throws {
    let ran = try await holdfast(command.split(separator: " ").map(String.init) + ["--help"])
    #expect(ran.code == 0)
    #expect(ran.errors == "")
    #expect(ran.output.contains("USAGE: holdfast \(command)"))
    #expect(ran.output.contains("Exit codes: 0 "))
  }

  @Test func aWorkflowIsFollowedFromItsStartToItsResult() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let started = try await engine.run(
      "workflow start --id g-1", CommandLineTests.start + ["--input", "\"hi\""])
    let run = try #require(started.output.split(separator: " ").last).dropLast()
    #expect(started.output == "started workflow 'g-1', run \(run)\n")
    let signaled = try await engine.run(
      "workflow signal --id g-1 --name name", ["--input", "\"ann\""])
    #expect(signaled.output == "signaled 'g-1', run \(run)\n")
    #expect(try await engine.run("workflow query --id g-1 --name names").output == "[\"ann\"]\n")
    try await engine.run("workflow signal --id g-1 --name done")
    let result = try await engine.run("workflow result --id g-1")
    #expect(result.output == "[\"hi ann!\"]\n")
    #expect(result.code == 0)
    let described = try await engine.run("workflow describe", ["--id", "g-1"])
    #expect(described.lines[0] == "workflow id  g-1")
    #expect(described.lines[4] == "status       COMPLETED")
    let listed = try await engine.run("workflow list")
    #expect(listed.lines.count == 2)
    #expect(listed.lines[0].hasPrefix("WORKFLOW ID  TYPE      STATUS     STARTED"))
    #expect(listed.lines[1].hasPrefix("g-1          Greeting  COMPLETED  20"))
    #expect(try await engine.run("workflow count").output == "1\n")
    let shown = try await engine.run("workflow show --id g-1")
    let names = shown.lines.map { $0.split(separator: " ")[2] }
    #expect(names.first == "WorkflowExecutionStarted")
    #expect(names.last == "WorkflowExecutionCompleted")
  }

  @Test func workflowsAreListedInAnOrderAndCountedInGroups() async throws {
    let engine = try EngineProcess()
    for id in ["b", "c", "a"] {
      try await engine.run("workflow start --id \(id)", CommandLineTests.start)
    }
    try await engine.run("workflow terminate --id c")
    let ordered = try await engine.run(
      "workflow list --limit 0 --query", ["WorkflowId IN ('a', 'b')", "--order-by", "WorkflowId"])
    #expect(ordered.lines.dropFirst().map { $0.prefix(1) } == ["a", "b"])
    let last = try await engine.run(
      "workflow list -o json --limit 1 --order-by", ["WorkflowId DESC"])
    #expect(
      try last.documents().compactMap { ($0["execution"] as? [String: String])?["workflowId"] }
        == ["c"])
    let grouped = try await engine.run(
      "workflow count --group-by", ["ExecutionStatus, TaskQueue"])
    #expect(
      grouped.lines == [
        "EXECUTIONSTATUS  TASKQUEUE  COUNT", "RUNNING          q          2",
        "TERMINATED       q          1", "all                         3",
      ])
    let open = try await engine.run(
      "workflow count --query", ["CloseTime IS NULL GROUP BY WorkflowType"])
    #expect(open.lines == ["GROUP     COUNT", "Greeting  2", "all       2"])
    let document = try await engine.run(
      "workflow count -o json --group-by", ["ExecutionStatus"]
    ).documents()[0]
    #expect((document["groups"] as? [[String: Any]])?.count == 2)
    let wrong = try await engine.run("workflow list --query", ["WorkflowId = 5"])
    #expect(wrong.code == 64)
    #expect(wrong.errors.contains("at character 14: expected a text in quotes"))
  }

  @Test func programsGetWholeDocuments() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let executed = try await engine.run(
      "workflow execute -o json --type Sleeper --task-queue q --id s-1 --input 1")
    #expect(executed.code == 0)
    #expect(try executed.documents()[0]["status"] as? String == "COMPLETED")
    let described = try await engine.run("workflow describe -o json --id s-1").documents()[0]
    let info = try #require(described["info"] as? [String: Any])
    let length = try #require(info["historyLength"] as? Int)
    let events = try await engine.run("workflow show -o json --id s-1").documents()
    #expect(events.map { $0["eventId"] as? Int } == Array(1...length))
    for command in [
      "workflow start --type Sleeper --task-queue q --id s-2 --input 1",
      "workflow list", "workflow count", "workflow result --id s-1",
      "workflow start --type Greeting --task-queue q --id g-1 --input \"x\"",
      "workflow signal --id g-1 --name x", "workflow query --id g-1 --name names",
      "workflow cancel --id g-1",
      "workflow start --type Nobodys --task-queue q --id n-1", "workflow terminate --id n-1",
      "task-queue describe --task-queue q", "health", "drain",
    ] {
      let ran = try await engine.run(command, ["-o", "json"])
      #expect(ran.code == 0, "\(command): \(ran.errors)")
      #expect(try !ran.documents().isEmpty, "\(command)")
    }
    #expect(try await engine.process?.end() == 0, "drained")
  }

  @Test func valuesComeFromOptionsFilesAndTheStandardInput() async throws {
    let engine = try EngineProcess()
    try "{\"c\": 3}".write(
      toFile: engine.directory + "/c.json", atomically: false, encoding: .utf8)
    try await engine.run(
      "workflow start --id i-1",
      CommandLineTests.start + [
        "--input", "\"a\"", "--input", "-2", "--input-file", engine.directory + "/c.json",
        "--input-file", "-",
      ], input: "[4,\n5]")
    let shown = try await engine.run("workflow show --id i-1")
    #expect(
      shown.output.hasSuffix("WorkflowExecutionStarted  Greeting \"a\", -2, {\"c\": 3}, [4,\n5]\n"))
  }

  @Test func aHistoryIsFollowedUntilItsEnd() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    try await engine.run("workflow start --id f-1 --type Sleeper --task-queue q --input 200")
    let followed = try await engine.run("workflow show --follow --id f-1")
    #expect(followed.code == 0)
    #expect(followed.output == (try await engine.run("workflow show --id f-1").output))
    #expect(followed.lines.last?.contains("  WorkflowExecutionCompleted  ") == true)
  }

  @Test func listsAreFilteredAndCut() async throws {
    let engine = try EngineProcess()
    for number in 1...5 {
      try await engine.run("workflow start --id eu-\(number) --type A --task-queue q")
    }
    try await engine.run("workflow start --id us-1 --type B --task-queue q --summary hello")
    try await engine.run("workflow terminate --id eu-1")
    let query = "ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'eu-'"
    let listed = try await engine.run("workflow list", ["--query", query])
    #expect(
      listed.lines.dropFirst().map { $0.prefix(4) } == ["eu-5", "eu-4", "eu-3", "eu-2"])
    #expect(try await engine.run("workflow count", ["--query", query]).output == "4\n")
    let cut = try await engine.run("workflow list --limit 2", ["--query", query])
    #expect(cut.lines.dropFirst().map { $0.prefix(4) } == ["eu-5", "eu-4"])
    let none = try await engine.run("workflow list", ["--query", "WorkflowType = 'C'"])
    #expect(none.output == "no workflows\n")
    #expect(none.code == 0)
  }

  @Test func executeWaitsAndTellsHowItEnded() async throws {
    let engine = try EngineProcess()
    let worker = RunningWorker(makeWorker(engine.socket))
    defer { worker.stop() }
    let done = try await engine.run(
      "workflow execute --type Sleeper --task-queue q --id s-1 --input 1")
    #expect(done.output == "\"2\"\n")
    #expect(done.code == 0)
    let failed = try await engine.run(
      "workflow execute --type Sleeper --task-queue q --id s-2", ["--input", "\"not a number\""])
    #expect(failed.code == 1)
    #expect(failed.output == "")
    #expect(failed.errors.hasPrefix("holdfast: the workflow ended as FAILED\n  "))
  }

  @Test func cancelAndTerminateSayWhatTheyDid() async throws {
    let engine = try EngineProcess()
    for id in ["c-1", "t-1"] {
      try await engine.run("workflow start --id \(id)", CommandLineTests.start)
    }
    let cancelled = try await engine.run("workflow cancel --id c-1 --reason enough")
    #expect(cancelled.output == "asked 'c-1' to end\n")
    let described = try await engine.run("workflow describe --id c-1")
    #expect(described.lines.contains("cancel requested  yes"))
    let terminated = try await engine.run("workflow terminate --id t-1", ["--reason", "a mistake"])
    #expect(terminated.output == "terminated 't-1'\n")
    let result = try await engine.run("workflow result --id t-1")
    #expect(result.code == 1)
    #expect(
      result.errors == """
        holdfast: the workflow ended as TERMINATED
          the workflow was terminated: a mistake

        """)
    let deleted = try await engine.run("workflow delete --id t-1")
    #expect(deleted.output.hasPrefix("deleted 't-1', run "))
    #expect(try await engine.run("workflow describe --id t-1").code == 3)
  }

  @Test func timesAreWrittenAsPeopleWriteThem() async throws {
    let engine = try EngineProcess()
    try await engine.run(
      "workflow start --id t-1 --run-timeout 1h30m --task-timeout 30s", CommandLineTests.start)
    let described = try await engine.run("workflow describe --id t-1")
    #expect(described.lines.contains("run timeout  1h30m"))
    let late = try await engine.run("workflow result --id t-1 --timeout 50ms")
    #expect(late.code == 6)
    #expect(late.errors == "holdfast: TIMED_OUT: the request's timeout_ms has passed\n")
    let wrong = try await engine.run("workflow result --id t-1 --timeout 30")
    #expect(wrong.code == 64)
    #expect(
      wrong.errors.hasPrefix(
        """
        Error: The value '30' is invalid for '--timeout <timeout>'
        Help:  --timeout <timeout>  How long to wait for an answer, like 10s or 5m.

        """))
  }

  @Test func theEngineIsAskedHowItIsAndToEnd() async throws {
    let engine = try EngineProcess()
    let health = try await engine.run("health")
    #expect(health.code == 0)
    #expect(health.lines[0].split(separator: " ") == ["state", "SERVING"])
    #expect(health.lines[3].split(separator: " ") == ["store", engine.database[...]])
    let drained = try await engine.run("drain", ["--reason", "new version"])
    #expect(drained.output == "draining\n")
    #expect(try await engine.process?.end() == 0)
    #expect(try await engine.run("health").code == 5)
  }
}
