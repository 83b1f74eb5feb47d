import Testing

@Suite("Sizes") struct SizeTests {
  static let fileLinesMax = 600
  static let columnsMax = 100
  static let functionLinesMax = 70

  /// Files that may be longer, each with its reason.
  static let longFiles = [
    // The one header that a C caller reads: cut up, it would be several places to look.
    "clients/c/include/holdfast.h"
  ]

  @Test func noFileIsLong() {
    for file in SourceTree.files("swift", "c", "h", "cpp", "py") {
      if SizeTests.longFiles.contains(file.path) { continue }
      let count = file.lines.count - 1
      if count > SizeTests.fileLinesMax {
        Issue.record("\(file.path): \(count) lines; cut along a noun at \(SizeTests.fileLinesMax)")
      }
    }
  }

  /// A file that is short again needs no exemption.
  @Test(arguments: longFiles) func exemptionsAreNeeded(_ path: String) throws {
    let file = try #require(SourceTree.files.first { $0.path == path })
    #expect(file.lines.count - 1 > SizeTests.fileLinesMax)
  }

  /// swift-format leaves comments and texts as they are; here they count.
  @Test func noLineIsWide() {
    for file in SourceTree.files("swift", "c", "h", "cpp", "py") {
      for (index, line) in file.lines.enumerated() where line.utf8.count > SizeTests.columnsMax {
        if line.count > SizeTests.columnsMax {
          Issue.record("\(file.path):\(index + 1): \(line.count) columns of at most 100")
        }
      }
    }
  }

  @Test func noFunctionIsLong() {
    for file in SourceTree.files("swift") {
      for function in SwiftCode(file.text).functions
      where function.lineCount > SizeTests.functionLinesMax {
        Issue.record(
          """
          \(file.path):\(function.line): \(function.name) has \(function.lineCount) lines of at \
          most \(SizeTests.functionLinesMax)
          """)
      }
    }
  }

  @Test func theWholeTreeIsLookedAt() {
    let paths = Set(SourceTree.files.map(\.path))
    for path in [
      "README.md", "Package.swift", "proto/README.md", "Sources/Shell/Shell.swift",
      "Tests/TidyTests/SizeTests.swift", "clients/c/src/worker.c",
      "clients/python/holdfast/worker/_worker.py", "clients/swift/Sources/Holdfast/Worker.swift",
      "examples/order-saga/README.md",
    ] {
      #expect(paths.contains(path))
    }
    for path in paths {
      let parts = path.split(separator: "/")
      #expect(!parts.contains { $0.lowercased() == "generated" || $0.hasPrefix(".") }, "\(path)")
    }
  }
}
