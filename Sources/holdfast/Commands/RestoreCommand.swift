import ArgumentParser
import SQLiteStore

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup where an engine will open it.",
    discussion: """
      holdfast restore /var/backups/orders.db --db orders.db
      holdfast serve --db orders.db

      No engine may run on the file. The backup is read and checked as `holdfast backup verify`
      does, and copied; until the copy is whole and durable, --db is what it was. Without --force
      nothing is replaced.

      What the engine did after the backup is not known to the restored one, which will do it
      again: activities that are done twice have the same idempotency key. Workers may stay; what
      they still hold from before the backup counts, and what they were given after it is refused.

      Exit codes: 0 done, 65 the backup is damaged or no file of Holdfast, 69 an engine uses the
      file, 73 it is there already, or cannot be read or made, 74 no space is left, 78 a newer
      engine wrote the backup.
      """)

  @Argument(help: "The backup.") var from: String
  @Option(help: "The file to make.") var db: String
  @Flag(help: "Replace the file if it is there, whatever it holds.") var force = false
  @Option(name: .shortAndLong, help: "table for people, json for programs.")
  var output = OutputFormat.table

  func run() throws {
    do throws(StoreError) {
      let file = try Restore.copy(
        from, to: db, overwrite: force, branch: .random(in: 1...Restore.branchMax))
      print(file.text(db, output))
    } catch { throw Fault(error) }
  }
}
