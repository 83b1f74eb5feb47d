import Glibc
import Harness

/// Counts the system calls of a process, by strace: slow, so never while times are taken.
struct Syscalls {
  private(set) var counts: [String: Int] = [:]

  /// The calls that `body` makes the process do; nil where strace is missing or may not attach.
  static func during(
    of pid: pid_t, in directory: String, _ body: () async throws -> Void
  ) async throws -> Syscalls? {
    let report = directory + "/strace"
    guard
      let strace = try? ChildProcess(
        "/usr/bin/strace", ["-f", "-c", "-o", report, "-p", String(pid)],
        output: directory + "/strace.log")
    else { return nil }
    defer {
      unlink(report)
      unlink(directory + "/strace.log")
    }
    while Device.tracer(of: pid) == 0 {
      guard strace.isRunning else { return nil }
      usleep(1_000)
    }
    try await body()
    strace.send(SIGINT)
    strace.wait()
    return Device.read(report).map(Syscalls.init)
  }

  /// From strace's table: "% time, seconds, usecs/call, calls, [errors,] name".
  private init(_ table: String) {
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 5, Double(fields[0]) != nil, let calls = Int(fields[3]),
        let name = fields.last, name != "total"
      else { continue }
      counts[String(name), default: 0] += calls
    }
  }
}
