import Foundation
import Holdfast
import Testing

/// What the command says, and with which exit code, when something is wrong.
@Suite(.serialized) struct CommandLineErrorTests {
  private func check(
    _ ran: Ran, _ code: Int32, _ errors: String, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(ran.code == code, sourceLocation: location)
    #expect(ran.errors == "holdfast: \(errors)\n", sourceLocation: location)
    #expect(ran.output == "", sourceLocation: location)
  }

  @Test func withoutAnEngineItSaysHowToStartOne() async throws {
    let path = Scratch.path() + "/s.sock"
    let ran = try await holdfast(["health", "--socket", path])
    #expect(ran.code == 5)
    #expect(ran.output == "")
    #expect(ran.errors.contains(path))
    #expect(
      ran.errors.hasSuffix(
        ": is an engine running, and open to this user? Start one with `holdfast serve`,"
          + " or name its --socket\n"))
    #expect(ran.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test func whatIsNotThereIsNamed() async throws {
    let engine = try EngineProcess()
    let missing = "WORKFLOW_NOT_FOUND: no workflow 'x' in namespace 'default'"
    for command in [
      "workflow signal --name n", "workflow query --name n", "workflow result",
      "workflow describe", "workflow show", "workflow cancel", "workflow terminate",
      "activity complete --activity-id 1", "activity fail --reason r --activity-id 1",
    ] {
      check(try await engine.run(command + " --id x"), 3, missing)
    }
    check(
      try await engine.run("workflow list --namespace n"), 3,
      "NAMESPACE_NOT_FOUND: no namespace 'n'")
    try await engine.run("workflow start --id x --type T --task-queue q")
    let run = "01a212cc-f4ce-77f3-9058-35ecbefcba5f"
    check(
      try await engine.run("workflow describe --id x --run-id \(run)"), 3,
      "WORKFLOW_NOT_FOUND: no workflow 'x' with run id \(run) in namespace 'default'")
  }

  @Test func theRunThatHasTheIDIsNamed() async throws {
    let engine = try EngineProcess()
    let words = "workflow start --id x --type T --task-queue q"
    let started = try await engine.run(words + " -o json").documents()[0]
    let run = try #require(started["runId"] as? String)
    check(
      try await engine.run(words), 4,
      "WORKFLOW_ALREADY_STARTED: workflow 'x' is running (run \(run), RUNNING); choose another id"
        + " or another id policy")
    let used = try await engine.run(words + " --id-conflict-policy use-existing")
    #expect(used.output == "workflow 'x' was running already, run \(run)\n")
    #expect(used.code == 0)
  }

  @Test func aRequestIDMakesARepetitionHarmless() async throws {
    let engine = try EngineProcess()
    let words = "workflow start --id x --type T --task-queue q --request-id r-1"
    let first = try await engine.run(words)
    let again = try await engine.run(words)
    #expect(again.code == 0)
    #expect(again.output == first.output)
    #expect(try await engine.run("workflow count").output == "1\n")
    check(
      try await engine.run(words + " --input 1"), 64,
      "REQUEST_ID_REUSED: request id 'r-1' was used for another request; choose a new one")
  }

  @Test func whatIsNotJSONIsRefusedBeforeItIsSent() async throws {
    let engine = try EngineProcess()
    let words = "workflow start --id x --type T --task-queue q"
    let advice = "(a text needs its quotes: '\"text\"')"
    check(
      try await engine.run(words, ["--input", "card"]), 64,
      "--input 'card' is not JSON: line 1, column 1: a value should be here \(advice)")
    check(
      try await engine.run(words, ["--input-file", "-"], input: "{\"a\": 1,\n \"b\" 2}"), 64,
      "the standard input is not JSON: line 2, column 6: ':' should be here \(advice)")
    check(
      try await engine.run(words, ["--input-file", "/nowhere"]), 64,
      "'/nowhere': No such file or directory")
    check(
      try await engine.run("workflow describe --id x"), 3,
      "WORKFLOW_NOT_FOUND: no workflow 'x' in namespace 'default'")
  }

  @Test func aWrongFilterIsShownWithItsPlace() async throws {
    let engine = try EngineProcess()
    let filters = [
      ("WorkflowId ~ 'x'", "at character 12: expected one of = != < <= > >= IN BETWEEN "),
      ("Nope = 'x'", "at character 1: expected one of the attributes WorkflowId, RunId, "),
      ("WorkflowId = 'x", "at character 16: expected the ' that ends what begins at character 14"),
    ]
    for (filter, what) in filters {
      for command in ["workflow list", "workflow count"] {
        let ran = try await engine.run(command, ["--query", filter])
        #expect(ran.code == 64)
        #expect(ran.errors.hasPrefix("holdfast: FILTER_INVALID: query: \(what)"), "\(ran.errors)")
      }
    }
  }

  @Test(arguments: [
    ("workflow start --id x", "Missing expected argument '--type <type>'"),
    ("workflow nope", "Unexpected argument 'nope'"),
    ("workflow list --nope", "Unknown option '--nope'"),
    (
      "workflow list -o yaml",
      "The value 'yaml' is invalid for '-o <output>'. Please provide one of 'table' and 'json'."
    ),
    (
      "activity complete --id x",
      "name the activity with --activity-id, or with --token"
    ),
    (
      "activity complete --token AAAA --id x",
      "--token names the attempt: leave out --id, --run-id, --activity-id"
    ),
    (
      "serve --in-memory --db x",
      "--in-memory keeps no file: leave out --db, or leave out --in-memory"
    ),
  ])
  func wrongOptionsAreNamedWithTheUsage(_ words: String, _ what: String) async throws {
    let ran = try await holdfast(words.split(separator: " ").map(String.init))
    #expect(ran.code == 64)
    #expect(ran.output == "")
    #expect(ran.errors.hasPrefix("Error: \(what)\n"), "\(ran.errors)")
    #expect(ran.errors.contains("\nUsage: holdfast "))
  }

  @Test func idsAndTokensOfTheWrongFormAreRefused() async throws {
    let engine = try EngineProcess()
    check(
      try await engine.run("workflow result --id x --run-id 123"), 64,
      "--run-id '123' is not a run id")
    check(
      try await engine.run("activity complete --token A"), 64, "--token 'A' is not base64")
    check(
      try await engine.run("activity complete --token AAAA"), 64,
      "FIELD_INVALID: activity.token: this is not a token of an activity")
    let long = String(repeating: "x", count: 1_001)
    check(
      try await engine.run("workflow start --type T --task-queue q --id \(long)"), 64,
      "FIELD_INVALID: workflow_id: 1001 bytes; 1000 are allowed")
  }

  @Test func aQueryWithoutAWorkerSaysSoAtOnce() async throws {
    let engine = try EngineProcess()
    try await engine.run("workflow start --id x --type T --task-queue q")
    check(
      try await engine.run("workflow query --id x --name n"), 7,
      "NO_WORKER: no worker for workflow type 'T' is attached to task queue 'q'")
    try await engine.run("workflow terminate --id x")
    check(
      try await engine.run("workflow signal --id x --name n"), 7,
      "WORKFLOW_CLOSED: workflow 'x' is closed (TERMINATED)")
  }
}
