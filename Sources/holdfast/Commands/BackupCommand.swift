import ArgumentParser
import Basics
import Glibc
import Messages
import SQLiteStore

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the engine's file while the engine serves.",
    discussion: ExitCodes.after(
      """
      holdfast backup create /var/backups/orders.db
      holdfast backup verify /var/backups/orders.db
      holdfast restore /var/backups/orders.db --db orders.db

      A backup holds everything that was acknowledged before it began. It is written beside its \
      name, as PATH.partial, and has its name only when it is whole and durable. The engine's user \
      writes it, for itself alone (mode 0600). To go on from it, restore it: only that tells the \
      new store apart from the one that it was taken of.
      """),
    subcommands: [BackupCreate.self, BackupVerify.self])
}

struct BackupCreate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Let the engine write a backup of its file.",
    discussion: ExitCodes.after(
      """
      holdfast backup create /var/backups/orders.db --overwrite

      The engine writes it, so PATH is where the engine's user may write. When this command ends \
      early, by Ctrl-C too, there is no backup.
      """))

  @OptionGroup var engine: EngineOptions
  @Argument(help: "The file to write, in a directory that is there.") var path: String
  @Flag(help: "Replace an earlier backup of that name.") var overwrite = false

  func run() throws {
    var request = BackupRequest()
    request.path = try Paths.absolute(path)
    request.overwrite = overwrite
    var done: BackupDone?
    defer { Progress.show("") }
    try engine.connect().stream(.operatorBackup, request) { (response: BackupResponse) in
      done = response.done
      let percent = response.pagesDone * 100 / max(1, response.pagesTotal)
      Progress.show("\(percent) % of \(response.pagesTotal) pages")
    }
    Progress.show("")
    guard let done else {
      throw Fault(text: "the engine did not tell the end of it", code: ExitCodes.refused)
    }
    if engine.output == .json { return print(done.json()) }
    print(
      Show.fields([
        ("backup", done.path), ("bytes", String(done.bytes)), ("pages", String(done.pages)),
        ("epoch", String(done.epoch)), ("took", Show.duration(done.durationMs)),
      ]))
  }
}

struct BackupVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read a backup, and check every page, row and history in it.",
    discussion: """
      holdfast backup verify /var/backups/orders.db

      No engine is asked, and nothing is written, neither to the file nor beside it.

      Exit codes: 0 it is whole, 65 it is damaged or no file of Holdfast, 73 it cannot be read, 78 a
      newer engine wrote it.
      """)

  @Argument(help: "The file.") var path: String
  @Option(name: .shortAndLong, help: "table for people, json for programs.")
  var output = OutputFormat.table

  func run() throws {
    do throws(StoreError) {
      print(try StoreFile.inspect(path).text(path, output))
    } catch { throw Fault(error) }
  }
}

extension StoreFile {
  /// What the file holds, a line for each fact or one document.
  func text(_ path: String, _ output: OutputFormat) -> String {
    let facts: [(name: String, value: String)] = [
      ("path", path), ("bytes", String(bytes)), ("format", String(format)),
      ("epoch", String(epoch)), ("runs", String(runs)), ("openRuns", String(openRuns)),
      ("schedules", String(schedules)), ("events", String(events)),
      ("newestEvent", Show.time(newestEvent)),
    ]
    guard output == .json else {
      let names = ["openRuns": "open runs", "newestEvent": "newest event", "path": "file"]
      return Show.fields(facts.map { (names[$0.name] ?? $0.name, $0.value) })
    }
    let fields = facts.map { name, value in
      guard Int64(value) == nil else { return "\"\(name)\":\(value)" }
      var field = "\"\(name)\":"
      JSONWriter.quote(value, into: &field)
      return field
    }
    return "{" + fields.joined(separator: ",") + "}"
  }
}
