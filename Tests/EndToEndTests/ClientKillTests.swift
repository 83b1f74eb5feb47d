import Foundation
import Harness
import Testing

/// Clients that are killed without warning.
@Suite(.serialized) struct ClientKillTests {
  @Test func whatAKilledClientWasToldIsThereAndNothingOfItStays() async throws {
    let engine = try EngineProcess()
    #expect(try await RawPeer.probe(engine.socket))
    let figures = try #require(EngineFigures(engine.socket))
    var told: Set<String> = []
    let clients = 60
    for number in 0..<clients {
      let output = engine.directory + "/client-\(number)"
      let client = try ChildProcess(
        EngineProcess.bin + "/holdfast",
        ["workflow", "start", "--id", "w-\(number)", "--type", "T", "--task-queue", "q"],
        environment: ["HOLDFAST_SOCKET": engine.socket], output: output)
      // What is waited for is the moment of the kill, anywhere in the client's short life.
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
      client.killNow()
      let text = try String(contentsOfFile: output, encoding: .utf8)
      if text.hasPrefix("started workflow 'w-\(number)', run ") { told.insert("w-\(number)") }
    }
    try await until("their connections are gone") { figures.counter("connections") == 1 }
    let listed = try await engine.run("workflow list --limit 0 -o json").documents()
    let there = listed.compactMap { ($0["execution"] as? [String: Any])?["workflowId"] as? String }
    #expect(Set(there).count == there.count)
    #expect(told.isSubset(of: there))
    print("\(clients) clients were killed; \(told.count) were told, \(there.count) had started")
    for id in there.sorted().prefix(5) {
      #expect(try await engine.run("workflow show --id \(id)").lines.count == 1)
    }
    #expect(try await RawPeer.probe(engine.socket))
  }
}
