import Foundation
import Testing

@Suite struct TraceTests {
  @Test(arguments: try Trace.all()) func theEngineDoesWhatTheTraceTells(_ name: String) throws {
    let difference = try Trace(named: name).check()
    if let difference { Issue.record("\(difference)") }
  }

  /// The sources of commands, each of which has a trace of its name.
  @Test(arguments: ["Commands", "WorkflowCommands"]) func everyCommandHasItsTrace(
    _ folder: String
  ) throws {
    let sources = "\(Trace.folder)/../../../Sources/EngineCore/\(folder)"
    let commands = try FileManager.default.contentsOfDirectory(atPath: sources)
      .filter { $0.hasSuffix(".swift") }.map { String($0.dropLast(6)) }
    #expect(!commands.isEmpty)
    let traces = try Trace.all()
    #expect(commands.filter { !traces.contains($0) }.sorted() == [])
  }

  @Test func aBadLineIsNamedByFileAndLine() {
    let trace = Trace(named: "None")
    #expect { try trace.play("# A story.\n> begin o-1") } throws: { error in
      "\(error)".hasSuffix("None.txt:2: 'begin' is no verb of a trace")
    }
  }

  @Test func aChangedEngineShowsAsADifferenceOfLines() {
    #expect(
      Trace.difference("> a\n< b\n< c\n> d\n> e\n> f", "> a\n< b\n< x\n> d\n> e\n> f")
        == "  > a\n  < b\n- < c\n+ < x\n  > d\n  > e")
  }
}
