import Foundation
import Harness
import Holdfast
import Testing

/// Namespaces on the command line and in Swift, over a kill of the engine.
@Suite(.serialized) struct NamespaceTests {
  private static let start = "workflow start --type T --task-queue q --id w-1"

  @Test func theCommandsDoWhatTheySay() async throws {
    let engine = try EngineProcess()
    let create = "namespace create bills --retention 30d --description owed"
    #expect(try await engine.run(create).output == "'bills' is created\n")
    #expect(try await engine.run(create).output == "'bills' is there already\n")
    let other = try await engine.run("namespace create bills")
    #expect(other.code == 4 && other.errors.contains("NAMESPACE_ALREADY_EXISTS"))
    for space in ["default", "bills"] {
      let started = try await engine.run("\(NamespaceTests.start) --namespace \(space)")
      #expect(started.code == 0, "\(started.errors)")
    }
    let refused = try await engine.run("namespace delete bills")
    #expect(refused.code == 7 && refused.errors.contains("1 open workflows"), "\(refused.errors)")
    let ended = try await engine.run("workflow terminate --id w-1 --namespace bills --reason r")
    #expect(ended.code == 0, "\(ended.errors)")
    let list = try await engine.run("namespace list").lines
    #expect(list.count == 3 && list[1].hasPrefix("bills ") && list[1].hasSuffix(" owed"), "\(list)")
    #expect(list[1].contains("720h0m") && list[2].contains("72h0m (engine's)"), "\(list)")
    let updated = try await engine.run("namespace update bills --retention 7d").lines
    #expect(updated.contains { $0.hasPrefix("retention ") && $0.hasSuffix(" 168h0m") })
    #expect(updated.contains { $0.hasSuffix(" 0 open, 1 closed") }, "\(updated)")
    #expect(try await engine.run("namespace delete bills").output == "'bills' is deleted\n")
    #expect(try await engine.run("namespace describe bills").code == 3)
    #expect(try await engine.run("workflow describe --id w-1 --namespace bills").code == 3)
    #expect(try await engine.run("workflow describe --id w-1").code == 0)
    #expect(try await engine.run("namespace delete default").code == 64)
    #expect(try await engine.run("namespace update default").code == 64)
  }

  @Test func eachNamespaceKeepsItsOwn() async throws {
    let engine = try EngineProcess()
    let client = try Client(socket: engine.socket)
    #expect(try await client.createNamespace("short", retention: .seconds(1)))
    #expect(try await client.createNamespace("long", retention: .seconds(3_600)))
    for space in ["short", "long"] {
      _ = try await engine.run("\(NamespaceTests.start) --namespace \(space)")
      _ = try await engine.run("workflow terminate --id w-1 --namespace \(space) --reason r")
    }
    engine.kill()
    try engine.restart()
    let again = try Client(socket: engine.socket)
    while try await again.describeNamespace("short").closedWorkflows > 0 {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try await again.describeNamespace("long").closedWorkflows == 1)
    try await again.setRetention(.seconds(1), ofNamespace: "long")
    while try await again.describeNamespace("long").closedWorkflows > 0 {
      try await Task.sleep(for: .milliseconds(20))
    }
    try await again.deleteNamespace("long")
    #expect(try await again.listNamespaces().map(\.name) == ["default", "short"])
  }

  /// A worker and a client of one namespace, in Swift.
  @Test func aWorkerServesItsNamespaceOnly() async throws {
    let engine = try EngineProcess()
    let operations = try Client(socket: engine.socket)
    try await operations.createNamespace("bills")
    var worker = Worker(taskQueue: "q", socket: engine.socket, namespace: "bills")
    worker.register(Greeter.self)
    let running = RunningWorker(worker)
    defer { running.stop() }
    let client = try Client(socket: engine.socket, namespace: "bills")
    let handle = try await client.start(Greeter.self, "ann", id: "g-1", taskQueue: "q")
    #expect(try await handle.result() == "hello, ann")
    let here = try await engine.run("task-queue describe --task-queue q -o json").documents()
    #expect(here[0]["workers"] == nil)
  }
}

private final class Greeter: Workflow, @unchecked Sendable {
  init() {}

  func run(_ context: WorkflowContext, _ name: String) async throws -> String { "hello, \(name)" }
}
