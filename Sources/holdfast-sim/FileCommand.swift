import ArgumentParser
import SimKit

/// Shows a store's file, as it stands, to the checkers.
struct FileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file",
    abstract: "Shows files of the store to the checkers, as they stand.",
    discussion: """
      Each file is one that an engine has left: a backup, a restored one, or that of an engine \
      which has ended. It is read into memory and not changed. What checkers see of runs and \
      histories is looked for; what they see of answers needs the world. It exits with 0 only if \
      they find nothing in any file.
      """)

  @Argument(help: "The files.")
  var paths: [String]

  func validate() throws {
    for path in paths where Program.read(path) == nil {
      throw ValidationError("'\(path)' cannot be read")
    }
  }

  func run() throws {
    var isWhole = true
    for path in paths {
      let outcome = SimRunner.examine(Program.read(path) ?? [])
      if let violation = outcome.violation {
        isWhole = false
        print("\(path): \(violation.checker): \(violation.what)")
      } else {
        print("\(path): \(outcome.runs) runs, nothing found")
      }
    }
    if !isWhole { throw ExitCode.failure }
  }
}
