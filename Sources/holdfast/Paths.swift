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

  /// As the system's own tools: $TZDIR; nil where it is not set.
  static var zoneDirectory: String? { environment("TZDIR") }

  /// The socket that a service manager passes on; nil without one.
  static func inherited() throws -> SocketFile? {
    guard environment("LISTEN_PID") == String(getpid()), let count = environment("LISTEN_FDS")
    else { return nil }
    let socket = SocketFile(inherited: 3)
    guard count == "1", socket.servedPath != nil else {
      throw Fault(
        text: "the service manager passed on what is not one Unix socket with a path"
          + " (LISTEN_FDS=\(count)): it must listen on one, like ListenStream=/run/holdfast.sock",
        code: 73)
    }
    return socket
  }

  static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// As the engine must be told it: its own directory is another one.
  static func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    guard let current = getcwd(nil, 0) else {
      throw Fault(text: "getcwd: \(String(cString: strerror(errno)))", code: 73)
    }
    defer { free(current) }
    return String(cString: current) + "/" + path
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
