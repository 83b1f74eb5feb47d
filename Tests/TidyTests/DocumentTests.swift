import Foundation
import Testing

@Suite("Documents") struct DocumentTests {
  @Test func everyLinkToAFileLeadsToOne() {
    var seen = 0
    for file in SourceTree.files("md") {
      for link in Markdown(file.text).links {
        guard !link.target.contains("://"), !link.target.hasPrefix("mailto:") else { continue }
        seen += 1
        if let fault = fault(link.target, in: file) {
          Issue.record("\(file.path):\(link.line): '\(link.target)' \(fault)")
        }
      }
    }
    #expect(seen >= 6, "the READMEs link to each other")
  }

  private func fault(_ target: String, in file: SourceFile) -> String? {
    let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
    var path = file.path
    if !parts[0].isEmpty {
      path = URL(fileURLWithPath: "/" + folder + "/" + parts[0]).standardizedFileURL.path
      path.removeFirst()
      let whole = SourceTree.root.path + "/" + path
      guard FileManager.default.fileExists(atPath: whole) else { return "is not there" }
    }
    guard parts.count == 2, let text = SourceTree.files.first(where: { $0.path == path })?.text
    else { return nil }
    return Markdown(text).anchors.contains(String(parts[1])) ? nil : "names no heading"
  }

  /// The words that name files in the pages about the code: `Shell/Gate.swift`.
  @Test(arguments: ["Sources/README.md", "Sources/EngineCore/Glossary.md"])
  func everyFileNamedInThePagesOfTheEngineExists(_ path: String) throws {
    let page = try #require(SourceTree.files.first { $0.path == path })
    let folder = path.split(separator: "/").dropLast().joined(separator: "/")
    var seen = 0
    for (index, line) in page.lines.enumerated() {
      for word in Markdown.quoted(line) where word.hasSuffix(".swift") || word.hasSuffix(".md") {
        seen += 1
        let exists = ["\(folder)/\(word)", word].contains { candidate in
          SourceTree.files.contains { $0.path == candidate }
        }
        if !exists { Issue.record("\(path):\(index + 1): '\(word)' is not there") }
      }
    }
    #expect(seen >= 5)
  }

  @Test func linksInCodeDoNotCount() {
    let text = """
      # One *heading* of `two`!
      [a](b.md) and `[c](d.md)` and [e](f.md#g), [h][i]
      ```
      [j](k.md)
      # no heading
      ```
      """
    let markdown = Markdown(text)
    #expect(markdown.links.map(\.target) == ["b.md", "f.md#g"])
    #expect(markdown.links.map(\.line) == [2, 2])
    #expect(markdown.anchors == ["one-heading-of-two"])
  }
}

@Suite("The protocol's statements") struct StatementTests {
  private struct Statement {
    let prefix: String
    let number: Int
    let line: Int
    var id: String { "\(prefix)-\(String(number + 1_000).dropFirst())" }
  }

  private let page = SourceTree.files.first { $0.path == "proto/README.md" }

  /// `- FRM-001 …`
  private func statement(_ line: Substring, _ number: Int) -> Statement? {
    guard let match = line.prefixMatch(of: #/- ([A-Z]{3})-([0-9]{3}) /#),
      let value = Int(match.output.2)
    else { return nil }
    return Statement(prefix: String(match.output.1), number: value, line: number)
  }

  @Test func idsAreUniqueInOrderAndWithoutGaps() throws {
    let page = try #require(page)
    var last: [String: Int] = [:]
    var section: String?
    for (index, line) in page.lines.enumerated() {
      if line.hasPrefix("## ") { section = nil }
      guard let found = statement(line, index + 1) else { continue }
      let expected = (last[found.prefix] ?? 0) + 1
      if found.number != expected {
        Issue.record("proto/README.md:\(found.line): \(found.id) follows \(expected - 1)")
      }
      if let section, section != found.prefix {
        Issue.record("proto/README.md:\(found.line): \(found.id) is in the section of \(section)")
      }
      if section == nil && last[found.prefix] != nil {
        Issue.record("proto/README.md:\(found.line): \(found.prefix) has two sections")
      }
      section = found.prefix
      last[found.prefix] = found.number
    }
    #expect(last.count >= 14)
  }

  @Test func everyRuleHasAnID() throws {
    let page = try #require(page)
    for (index, line) in page.lines.enumerated() where line.hasPrefix("- ") {
      #expect(statement(line, index + 1) != nil, "line \(index + 1): a rule without an id")
    }
  }

  @Test func everyIDThatIsCitedExists() throws {
    let page = try #require(page)
    let known = Set(page.lines.enumerated().compactMap { statement($1, $0)?.id })
    let prefixes = Set(known.map { $0.prefix(3) })
    for file in SourceTree.files where file.path != page.path {
      for (index, line) in file.lines.enumerated() {
        for match in line.matches(of: #/\b([A-Z]{3})-[0-9]{3}\b/#)
        where prefixes.contains(match.output.1) && !known.contains(String(match.output.0)) {
          Issue.record("\(file.path):\(index + 1): \(match.output.0) is not in proto/README.md")
        }
      }
    }
  }
}

/// As much of Markdown as the checks need.
struct Markdown {
  private(set) var links: [(target: String, line: Int)] = []
  /// Of the headings, as GitHub makes them.
  private(set) var anchors: Set<String> = []

  init(_ text: String) {
    var isCode = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.hasPrefix("```") {
        isCode.toggle()
        continue
      }
      if isCode { continue }
      if line.hasPrefix("#") { anchors.insert(Markdown.anchor(line)) }
      let plain = line.replacing(#/`[^`]*`(?!\])/#, with: "")
      for match in plain.matches(of: #/\]\(([^)\s]+)[^)]*\)/#) {
        links.append((String(match.output.1), index + 1))
      }
    }
  }

  private static func anchor(_ heading: Substring) -> String {
    let text = heading.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
    return text.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
      .replacing(" ", with: "-")
  }

  /// What stands between backticks.
  static func quoted(_ line: Substring) -> [String] {
    line.matches(of: #/`([^`]+)`/#).map { String($0.output.1) }
  }
}
