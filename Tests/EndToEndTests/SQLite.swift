import Foundation
import Harness

/// Python's SQLite, so that nothing of ours looks at the file.
enum SQLite {
  /// Runs statements and gives the first column of the last one's rows. `isKilled`: by its own hand
  /// at the end, so that it does not close the file.
  @discardableResult
  static func run(_ path: String, _ statements: String..., isKilled: Bool = false) async throws
    -> [String]
  {
    let program = """
      import os, sqlite3, sys
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      for statement in sys.argv[3:]:
          rows = database.execute(statement).fetchall()
      print(*(row[0] for row in rows), sep="\\n", flush=True)
      if sys.argv[2] == "killed":
          os.kill(os.getpid(), 9)
      database.close()
      """
    return try await Scratch.directory { directory in
      let python = try ChildProcess(
        "/usr/bin/env",
        ["python3", "-c", program, path, isKilled ? "killed" : "closed"] + statements,
        output: directory + "/output")
      let code = try await python.end()
      let output = try String(contentsOfFile: directory + "/output", encoding: .utf8)
      guard code == (isKilled ? 137 : 0) else {
        throw NeverHappened(description: "python3 ended with \(code): \(output)")
      }
      return output.split(separator: "\n").map(String.init)
    }
  }
}
