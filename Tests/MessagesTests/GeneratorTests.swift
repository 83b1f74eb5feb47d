import Foundation
import Testing

@Suite("The generator") struct GeneratorTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let what: String
    let text: String
    /// Where and why, as the error says it.
    let error: String
    var testDescription: String { what }

    init(_ what: String, _ text: String, _ error: String) {
      self.what = what
      self.text = text
      self.error = error
    }
  }

  static let refusals: [Refusal] = [
    Refusal("optional", "message A { optional int32 b = 1; }", "t.A.b: .*: optional"),
    Refusal("a map", "message A { map<string, int32> b = 1; }", "t.A.b: .*: map"),
    Refusal("float", "message A { float b = 1; }", "t.A.b: .*: type"),
    Refusal("sint32", "message A { sint32 b = 1; }", "t.A.b: .*: type"),
    Refusal("sint64", "message A { sint64 b = 1; }", "t.A.b: .*: type"),
    Refusal("fixed32", "message A { fixed32 b = 1; }", "t.A.b: .*: type"),
    Refusal("sfixed64 in a list", "message A { repeated sfixed64 b = 1; }", "t.A.b: .*: type"),
    Refusal("recursion", "message A { A b = 1; }", "t.A.b: .*: recursion \\(t.A > t.A\\)"),
    Refusal(
      "mutual recursion", "message A { B b = 1; } message B { oneof x { A c = 1; } }",
      "t.B.c: .*: recursion \\(t.A > t.B > t.A\\)"),
    Refusal(
      "recursion through a nested message",
      "message A { message B { repeated A c = 1; } B b = 1; }",
      "t.A.B.c: .*: recursion"),
    Refusal(
      "an unpacked list", "message A { repeated int32 b = 1 [packed = false]; }",
      "t.A.b: .*: packed = false"),
    Refusal(
      "fields that collide", "message A { int32 b_id = 1; oneof b_ID { int32 c = 2; } }",
      "t.A: .*: two fields called 'bID'"),
    Refusal(
      "members that collide", "message A { oneof x { int32 b_id = 1; int32 bID = 2; } }",
      "t.A: .*: two members called 'bID'|test.proto:2:.* conflicts with field"),
    Refusal(
      // protoc itself sees this one first.
      "enumeration values that collide", "enum E { E_X = 0; X = 1; }",
      "t.E.X: .*: two values called 'x'|Enum name X has the same name as E_X"),
    Refusal(
      "an enumeration value called unrecognized", "enum E { E_NO = 0; E_UNRECOGNIZED = 1; }",
      "t.E.E_UNRECOGNIZED: .*: two values called 'unrecognized'"),
    Refusal(
      "allow_alias", "enum E { option allow_alias = true; E_A = 0; E_B = 0; }",
      "t.E: .*: allow_alias"),
    Refusal("a type of the runtime", "message Message {}", "Message: .*: another type"),
    Refusal(
      "a nested type that hides one of the runtime",
      "message A { message Span {} Span b = 1; int64 c_ms = 2; }", "t.A.Span: .*: another type"),
    Refusal(
      "a nested type called like a oneof's",
      "message A { message Kind {} oneof kind { Kind b = 1; } }",
      "t.A: .*: two types called 'Kind'"),
    Refusal(
      "a number between a oneof's",
      "message A { oneof x { int32 b = 1; int32 c = 3; } int32 d = 2; }",
      "t.A.x: .*: another field's number between its members"),
  ]

  @Test(arguments: refusals) func refuses(_ refusal: Refusal) throws {
    let outcome = try Protoc.generate("syntax = \"proto3\"; package t;\n" + refusal.text)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("test.proto"), "\(outcome.errors)")
    let pattern = try Regex(refusal.error)
    #expect(outcome.errors.contains(pattern), "\(outcome.errors)")
  }

  @Test(arguments: [
    "syntax = \"proto2\"; package t; message A { required int32 b = 1; }",
    "syntax = \"proto2\"; package t; message A { optional group B = 1 { optional int32 c = 1; } }",
    "syntax = \"proto2\"; package t; message A { extensions 5 to 9; }",
  ])
  func refusesProto2(_ text: String) throws {
    let outcome = try Protoc.generate(text)
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("only proto3"), "\(outcome.errors)")
  }

  @Test func takesTheWholeSubset() throws {
    let outcome = try Protoc.generate(
      """
      syntax = "proto3"; package t;
      message A {
        string s = 1; bytes b = 2; bool default = 3; int32 i = 4; int64 l = 5; uint32 u = 6;
        uint64 v = 7; double d = 8; E e = 9; B m = 10; repeated E es = 11; repeated B ms = 12;
        repeated double ds = 13; oneof kind { string x = 14; B y = 15; E z = 16; }
        repeated string run_ids = 17; repeated int64 fire_time_ms = 18;
        message B { E e = 1; } enum E { E_UNSPECIFIED = 0; E_SELF = 1; }
      }
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func theCommittedCodeIsFresh() throws {
    let protocolFiles = try Protoc.schema(["holdfast/v1"])
    let all = try Protoc.schema()
    let proto = Protoc.root.appending(path: "proto").path
    let plugin = "--plugin=protoc-gen-holdfast=\(Protoc.plugin.path)"
    try Protoc.withTemporaryDirectory { directory in
      for folder in ["types", "oracles", "c"] {
        try FileManager.default.createDirectory(
          at: directory.appending(path: folder), withIntermediateDirectories: true)
      }
      let types = directory.appending(path: "types").path
      let oracles = directory.appending(path: "oracles").path
      let c = directory.appending(path: "c").path
      let made = [
        try Protoc.run(["-I", proto, plugin, "--holdfast_out=\(types)"] + all),
        try Protoc.run(
          ["-I", proto, plugin, "--holdfast_opt=oracles", "--holdfast_out=\(oracles)"] + all),
        try Protoc.run(["-I", proto, "--c_out=\(c)"] + protocolFiles, tool: "protoc-c"),
      ]
      #expect(made.map(\.status) == [0, 0, 0], "\(made.map(\.errors))")
      try expectSame(types, "Sources/Messages/Generated")
      try expectSame(c, "clients/c/generated")
      try expectSame(oracles + "/Oracles.swift", "Tests/MessagesTests/Generated/Oracles.swift")
      try expectSame(oracles + "/descriptors.c", "Tests/CProtoOracle/Generated/descriptors.c")
    }
  }

  private func expectSame(_ fresh: String, _ committed: String) throws {
    let outcome = try Protoc.run(
      ["-rq", fresh, Protoc.root.appending(path: committed).path], tool: "diff")
    #expect(outcome.status == 0, "\(committed) is stale: run proto/generate")
  }
}
