import Glibc

func closeDescriptor(_ fd: Int32) { close(fd) }

func ignoreSignals(_ numbers: [Int32]) {
  for number in numbers { signal(number, SIG_IGN) }
}

/// The exit code for an unknown outcome of a commit; a service manager starts the engine again.
public let storeFailureExitCode: Int32 = 74

/// Ends the process at once: no reply that waits may leave.
func abortProcess() -> Never { _exit(storeFailureExitCode) }
