import Foundation

/// A story told to the engine, kept in a file: what it is told, and what it orders the world to do.
///
///     # A signal reaches the run.            prose, for the reader
///     > signal o-1 approve                   an input
///     < write 2: append run#1 2...2          the effects that it had
///     < after 2 reply signal#1: run_id=run#1
///
/// `after 2`: leaves when the writes of step 2 are durable; `free`: at once. Times count from the
/// start of the trace. With RECORD=1 in the environment the effects in the file are written anew.
struct Trace {
  let path: String

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Traces").path

  static var isRecording: Bool { ProcessInfo.processInfo.environment["RECORD"] == "1" }

  /// All traces, by name.
  static func all() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
  }

  init(named name: String) { path = "\(Trace.folder)/\(name).txt" }

  /// Plays the trace. The result: how the file differs from what the engine did; nil when it does
  /// not, or was just recorded.
  func check() throws -> String? {
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    let actual: String
    do { actual = try play(expected) } catch {
      // What went well up to there helps to put the line right.
      if Trace.isRecording { try write(error.played) }
      throw error
    }
    if actual == expected { return nil }
    guard Trace.isRecording else {
      return "\(path) does not tell what the engine does (- the file, + the engine):\n"
        + Trace.difference(expected, actual)
    }
    try write(actual)
    return nil
  }

  private func write(_ text: String) throws {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// The text with the effects that the engine has now.
  func play(_ text: String) throws(BadTrace) -> String {
    let player = TracePlayer()
    var lines: [String] = []
    let old = text.components(separatedBy: "\n")
    for (index, line) in old.enumerated() where !line.hasPrefix("< ") {
      lines.append(line)
      do throws(TraceFault) {
        if line.hasPrefix("> ") {
          lines += try player.play(String(line.dropFirst(2))).map { "< \($0)" }
        } else if !line.isEmpty, !line.hasPrefix("#") {
          throw TraceFault("a line begins with '# ', '> ' or '< '")
        }
      } catch {
        throw BadTrace(
          description: "\(path):\(index + 1): \(error.text)",
          played: (lines + old[(index + 1)...]).joined(separator: "\n"))
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The lines that differ, with a few around them.
  static func difference(_ old: String, _ new: String) -> String {
    let before = old.components(separatedBy: "\n")
    let after = new.components(separatedBy: "\n")
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in after.difference(from: before) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var lines: [String] = []
    var (i, j) = (0, 0)
    while i < before.count || j < after.count {
      if removed.contains(i) {
        lines.append("- \(before[i])")
        i += 1
      } else if inserted.contains(j) {
        lines.append("+ \(after[j])")
        j += 1
      } else {
        lines.append("  \(i < before.count ? before[i] : "")")
        (i, j) = (i + 1, j + 1)
      }
    }
    let near = lines.indices.filter { index in
      lines[max(0, index - 2)...min(lines.count - 1, index + 2)].contains { !$0.hasPrefix(" ") }
    }
    return near.map { lines[$0] }.joined(separator: "\n")
  }
}

/// A trace that cannot be played, by file and line.
struct BadTrace: Error, CustomStringConvertible {
  let description: String
  /// The text with what was played before.
  let played: String
}
