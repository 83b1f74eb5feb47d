import Glibc

/// A process that this one has started: for the benchmark, the demo and the tests, which start,
/// kill and wait for real engines and workers.
public final class ChildProcess: @unchecked Sendable {
  public let pid: pid_t
  // Touched only while `mutex` is held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var status: Int32?

  public struct SpawnError: Error, CustomStringConvertible {
    public let description: String
  }

  /// Starts a program. `output`: a file that takes its stdout and stderr, appended; nil: this
  /// process's own. `errors`: a file for stderr alone. `input`: a file that is its stdin. Signals
  /// are unblocked in the child, whatever the calling thread blocks.
  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    output: String? = nil, errors: String? = nil, input: String? = nil
  ) throws {
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output {
      posix_spawn_file_actions_addopen(
        &actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      posix_spawn_file_actions_adddup2(&actions, 1, 2)
    }
    if let errors {
      posix_spawn_file_actions_addopen(
        &actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    if let input { posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let argv = ([executable] + arguments).map { strdup($0) } + [nil]
    let envp = ChildProcess.merged(environment).map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var child = pid_t()
    let code = posix_spawn(&child, executable, &actions, &attributes, argv, envp)
    guard code == 0 else {
      throw SpawnError(description: "\(executable): \(String(cString: strerror(code)))")
    }
    pid = child
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  private static func merged(_ changes: [String: String]) -> [String] {
    var all = changes.map { "\($0.key)=\($0.value)" }
    var entry = environ
    while let text = entry.pointee {
      let line = String(cString: text)
      let name = String(line.prefix { $0 != "=" })
      if changes[name] == nil { all.append(line) }
      entry += 1
    }
    return all
  }

  public func send(_ signal: Int32) { if exitCode(waiting: false) == nil { kill(pid, signal) } }

  public var isRunning: Bool { exitCode(waiting: false) == nil }

  /// Waits for the end: the exit code, or 128 + the signal.
  @discardableResult
  public func wait() -> Int32 { exitCode(waiting: true) ?? -1 }

  private func exitCode(waiting: Bool) -> Int32? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let status { return status }
    var raw: Int32 = 0
    var result: pid_t
    repeat { result = waitpid(pid, &raw, waiting ? 0 : WNOHANG) } while result < 0 && errno == EINTR
    guard result == pid else { return nil }
    let signal = raw & 0x7F
    status = signal == 0 ? raw >> 8 & 0xFF : 128 + signal
    return status
  }

  /// kill -9, and wait.
  public func killNow() {
    send(SIGKILL)
    wait()
  }

  /// SIGTERM, and wait.
  public func terminate() {
    send(SIGTERM)
    wait()
  }
}
