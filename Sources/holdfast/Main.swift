import ArgumentParser
import Glibc

@main
struct Holdfast: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holdfast",
    abstract: "Durable workflows beside your application: one process, one file, one socket.",
    discussion: """
      Start the engine, then workers, then workflows:

        holdfast serve --db orders.db --socket orders.sock
        holdfast workflow start --socket orders.sock --type order --id o-1 --task-queue orders
        holdfast workflow show --socket orders.sock --id o-1

      The socket is found by --socket, else $HOLDFAST_SOCKET, else
      $XDG_RUNTIME_DIR/holdfast/holdfast.sock, else /run/holdfast/holdfast.sock.
      """,
    version: Version.text,
    subcommands: [
      Serve.self, WorkflowCommand.self, ActivityCommand.self, ScheduleCommand.self,
      TaskQueueCommand.self, WorkflowTypeCommand.self, NamespaceCommand.self,
      SearchAttributeCommand.self, BatchCommand.self,
      HealthCommand.self, DrainCommand.self, BackupCommand.self, RestoreCommand.self,
      TimeCommand.self,
    ])

  /// Runs the command; a fault ends with one line on stderr and its own exit code.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let fault as Fault {
      Log.complain(fault.text)
      Glibc.exit(fault.code)
    } catch { exit(withError: error) }
  }
}

enum Version {
  static let text = "0.1.0"
}
