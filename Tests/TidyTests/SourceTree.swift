import Foundation

/// A text file of the project.
struct SourceFile: Sendable {
  /// From the project's root.
  let path: String
  let text: String

  init(path: String, text: String) {
    self.path = path
    self.text = text
  }

  /// Whether the bytes stand anywhere in it: quick, for a first look.
  func holds(_ word: String) -> Bool {
    text.withCString { text in word.withCString { strstr(text, $0) != nil } }
  }

  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  var fileExtension: String { String(path.split(separator: ".").last ?? "") }

  func isUnder(_ folders: [String]) -> Bool {
    folders.contains { path == $0 || path.hasPrefix($0 + "/") }
  }
}

/// The project's own files: what a person wrote, without what is generated, built or installed.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let folders = [
    "Sources", "Tests", "clients", "examples", "packaging", "proto", "scripts",
  ]
  private static let generated: Set<String> = ["Generated", "generated", "_proto"]
  private static let made: Set<String> = ["build", "__pycache__", "node_modules"]

  static let files: [SourceFile] = {
    var paths: [String] = []
    for folder in folders { collect(folder, into: &paths) }
    let top = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    paths += top.filter { $0.hasSuffix(".md") || $0.hasSuffix(".swift") }
    return paths.sorted().compactMap { path in
      guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else {
        return nil  // Not a text: nothing of it is checked.
      }
      return SourceFile(path: path, text: text)
    }
  }()

  static func files(_ extensions: String...) -> [SourceFile] {
    files.filter { extensions.contains($0.fileExtension) }
  }

  private static func collect(_ folder: String, into paths: inout [String]) {
    let place = root.appending(path: folder).path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    for name in names where !name.hasPrefix(".") {
      if generated.contains(name) || made.contains(name) { continue }
      let path = folder + "/" + name
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: root.path + "/" + path, isDirectory: &isDirectory)
      if isDirectory.boolValue { collect(path, into: &paths) } else { paths.append(path) }
    }
  }
}
