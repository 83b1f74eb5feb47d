import CUV
import Glibc

/// A small parent that starts the engine again when it ends by a fault.
///
/// The parent runs nothing but this loop; the engine is its child and ends with it.
enum Supervisor {
  private static let backoffMsMax: UInt32 = 5_000
  /// Ends that another start would only repeat.
  static let finalCodes: Set<Int32> = [0, 64, 65, 69, 73, 78]

  /// Returns in the child; the parent ends the process with the child's last exit code.
  static func run() {
    var awaited = sigset_t()
    sigemptyset(&awaited)
    for signal in [SIGTERM, SIGINT, SIGCHLD] { sigaddset(&awaited, signal) }
    sigprocmask(SIG_BLOCK, &awaited, nil)
    var backoffMs: UInt32 = 100
    let parent = getpid()
    while true {
      let began = time(nil)
      let child = holdfast_fork()
      precondition(child >= 0, "fork: \(String(cString: strerror(errno)))")
      if child == 0 {
        _ = holdfast_die_with_parent()
        // It may have died before it was to be told.
        if getppid() != parent { exit(0) }
        sigprocmask(SIG_UNBLOCK, &awaited, nil)
        return
      }
      let (code, wasAsked) = watch(child, &awaited)
      if finalCodes.contains(code) || wasAsked { exit(code) }
      if time(nil) - began > 10 { backoffMs = 100 }
      if isAskedToEnd(within: backoffMs, &awaited) { exit(code) }
      backoffMs = min(backoffMs * 2, backoffMsMax)
    }
  }

  /// Waits, without a child; true as soon as SIGTERM or SIGINT comes.
  private static func isAskedToEnd(within ms: UInt32, _ awaited: inout sigset_t) -> Bool {
    var pause = timespec(tv_sec: Int(ms / 1_000), tv_nsec: Int(ms % 1_000) * 1_000_000)
    let signal = sigtimedwait(&awaited, nil, &pause)
    return signal == SIGTERM || signal == SIGINT
  }

  /// Passes signals on until the child has ended; its exit code, and whether it was asked to end.
  private static func watch(_ child: pid_t, _ awaited: inout sigset_t) -> (Int32, Bool) {
    var wasAsked = false
    while true {
      var signal: Int32 = 0
      sigwait(&awaited, &signal)
      if signal != SIGCHLD {
        wasAsked = true
        kill(child, signal)
        continue
      }
      var status: Int32 = 0
      guard waitpid(child, &status, WNOHANG) == child else { continue }
      let signalled = status & 0x7F
      return (signalled == 0 ? status >> 8 & 0xFF : 128 + signalled, wasAsked)
    }
  }
}
