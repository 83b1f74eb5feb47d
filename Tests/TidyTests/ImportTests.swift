import Testing

/// What each target may import: the floors, once more than in Package.swift, because a target can
/// import what its dependencies bring along.
@Suite("Imports") struct ImportTests {
  static let allowed: [String: Set<String>] = [
    // The standard library only, and each other, downward.
    "Sources/Basics": [],
    "Sources/Messages": ["Basics"],
    "Sources/EngineCore": ["Basics", "Messages"],
    "Sources/Wire": ["Basics", "Messages", "EngineCore"],
    "Sources/Shell": ["Basics", "Messages", "EngineCore", "Wire"],
    // The machine.
    "Sources/UVLoop": ["CUV", "Glibc"],
    "Sources/SQLiteStore": ["CLogGather", "CSQLite", "Glibc", "Basics", "Messages", "EngineCore"],
    "Sources/Sidecar": ["Glibc", "Basics", "EngineCore", "Shell", "UVLoop", "SQLiteStore"],
    // The simulator in its place: neither clocks nor threads nor the machine's files.
    "Sources/TemporalShape": ["Basics", "Messages"],
    "Sources/SimKit": [
      "Basics", "CSimDisk", "EngineCore", "Messages", "Shell", "SQLiteStore", "TemporalShape",
      "Wire",
    ],
    "Sources/holdfast-sim": ["ArgumentParser", "Glibc", "SimKit"],
    // The roof: no Foundation here either, it doubles the idle memory.
    "Sources/holdfast": [
      "ArgumentParser", "Basics", "CHoldfast", "CTOML", "CUV", "EngineCore", "Glibc", "Messages",
      "Shell", "Sidecar", "SQLiteStore", "UVLoop",
    ],
    // Beside the engine.
    "Sources/Harness": ["CHoldfast", "Glibc", "Messages"],
    "Sources/holdfast-bench": [
      "Basics", "EngineCore", "Glibc", "Harness", "Holdfast", "Messages", "SQLiteStore", "Shell",
      "Wire",
    ],
    "Sources/protoc-gen-holdfast": ["SwiftProtobuf", "SwiftProtobufPluginLibrary"],
    // Its JSON is Foundation's: the small part of it, where the platform has that apart.
    "clients/swift/Sources/Holdfast": [
      "Basics", "CHoldfast", "CTaskExit", "Foundation", "FoundationEssentials", "Glibc",
      "Messages",
    ],
    "clients/swift/Sources/HoldfastTesting": ["Glibc", "Harness", "Holdfast"],
  ]

  @Test func aTargetImportsOnlyWhatItsFloorMay() {
    for file in SourceTree.files("swift") where file.isUnder(["Sources", "clients/swift/Sources"]) {
      let target = ImportTests.target(file.path)
      guard let allowed = ImportTests.allowed[target] else {
        Issue.record("\(file.path): '\(target)' has no line in ImportTests: add its floor")
        continue
      }
      for (index, line) in SwiftCode(file.text).lines.enumerated() {
        guard let module = ImportTests.module(line), !allowed.contains(module) else { continue }
        let may = allowed.isEmpty ? "nothing" : allowed.sorted().joined(separator: ", ")
        Issue.record("\(file.path):\(index + 1): imports '\(module)'; it may import \(may)")
      }
    }
  }

  @Test(arguments: [
    ("import Foundation", "Foundation"), ("@testable import Shell", "Shell"),
    ("internal import Messages", "Messages"), ("public import struct Glibc.stat", "Glibc"),
    ("import Foundation.NSDate", "Foundation"), ("let important = 1", nil), ("  importer()", nil),
  ])
  func everyFormOfAnImportIsSeen(_ line: String, _ module: String?) {
    #expect(ImportTests.module(Substring(line)) == module)
  }

  /// Modules and the C targets have none of their own to check.
  private static func target(_ path: String) -> String {
    let parts = path.split(separator: "/")
    return parts.prefix(path.hasPrefix("Sources/") ? 2 : 4).joined(separator: "/")
  }

  private static func module(_ line: Substring) -> String? {
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
    let words = line.split(separator: " ")
    guard let place = words.firstIndex(of: "import"), place <= 2 else { return nil }
    let named = words[(place + 1)...].drop { kinds.contains($0) }.first
    return named?.split(separator: ".").first.map(String.init)
  }
}
