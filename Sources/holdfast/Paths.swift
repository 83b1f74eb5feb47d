import Glibc
import UVLoop

/// Where things are when nobody says.
enum Paths {
  /// $XDG_STATE_HOME/holdfast/holdfast.db, or under ~/.local/state; its directory is made.
  static func defaultStore() throws -> String {
    let base: String
    if let state = environment("XDG_STATE_HOME") {
      base = state
    } else if let home = environment("HOME") {
      base = home + "/.local/state"
    } else {
      throw Fault(text: "neither XDG_STATE_HOME nor HOME is set: name the file with --db", code: 73)
    }
    try makeDirectories(base + "/holdfast")
    return base + "/holdfast/holdfast.db"
  }

  static func defaultSocket() -> String {
    if let path = environment("HOLDFAST_SOCKET") { return path }
    if let runtime = environment("XDG_RUNTIME_DIR") { return runtime + "/holdfast/holdfast.sock" }
    return "/run/holdfast/holdfast.sock"
  }

  /// The socket that a service manager passes on; nil without one.
  static func inherited() -> SocketFile? {
    guard environment("LISTEN_PID") == String(getpid()), environment("LISTEN_FDS") == "1" else {
      return nil
    }
    return SocketFile(inherited: 3)
  }

  static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  private static func makeDirectories(_ path: String) throws {
    var made = ""
    for part in path.split(separator: "/") {
      made += "/" + part
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
        throw Fault(
          text: "mkdir of '\(made)': \(String(cString: strerror(errno)))", code: 73)
      }
    }
  }
}
