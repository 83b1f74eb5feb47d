import Glibc
import Harness
import Holdfast

/// An engine as a child process, in a directory of its own that goes with it.
final class LocalEngine: Sendable {
  private let directory: String
  private let process: ChildProcess
  let socket: String

  init(_ options: TestEnvironment.Options, skipsTime: Bool) throws {
    let executable = try options.executable ?? LocalEngine.find("holdfast")
    directory = try LocalEngine.makeDirectory()
    socket = directory + "/s.sock"
    let store = options.database.map { ["--db", $0] } ?? ["--in-memory"]
    let mode = skipsTime ? ["--time-skipping"] : []
    do {
      process = try ChildProcess(
        executable, ["serve", "--socket", socket] + store + mode + options.arguments,
        // A service manager of the test's own process has nothing to do with it.
        environment: ["NOTIFY_SOCKET": "", "LISTEN_PID": ""], output: directory + "/engine.log")
    } catch {
      LocalEngine.remove(directory)
      throw error
    }
  }

  deinit {
    process.killNow()
    LocalEngine.remove(directory)
  }

  var wallMs: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// A client of the engine, once it serves.
  func connect() async throws -> Client {
    // It takes moments; but a machine under test may be a busy one.
    for _ in 0..<3_000 {
      if access(socket, F_OK) == 0 { return try Client(socket: socket) }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw TestEnvironmentError(description: "the engine does not serve: \(log)")
  }

  /// What it has said of itself.
  private var log: String {
    guard let file = fopen(directory + "/engine.log", "r") else { return "it said nothing" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  // MARK: - Files

  private static func find(_ name: String) throws -> String {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    for directory in path.split(separator: ":") {
      let candidate = "\(directory)/\(name)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    throw TestEnvironmentError(
      description: "there is no '\(name)' in $PATH: build or install it, or name it with"
        + " Options(executable:)")
  }

  private static func makeDirectory() throws -> String {
    var template = Array("/tmp/holdfast-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestEnvironmentError(
        description: "no directory in /tmp can be made: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The directory holds files only.
  private static func remove(_ directory: String) {
    guard let open = opendir(directory) else { return }
    while let entry = readdir(open) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { unlink(directory + "/" + name) }
    }
    closedir(open)
    rmdir(directory)
  }
}
