import CUV
import Glibc
import Sidecar

/// Who has started the engine and wants to know how it goes (systemd's `Type=notify`).
enum ServiceManager {
  static func tell(_ event: SidecarEvent) {
    switch event {
    case .ready: tell("READY=1")
    case .draining: tell("STOPPING=1")
    case .diskFull, .refusedPeer, .failed, .backupBegun, .backupDone, .backupFailed: break
    }
  }

  /// Nobody has to listen: what cannot be told is left out.
  private static func tell(_ state: String) {
    guard let path = Paths.environment("NOTIFY_SOCKET") else { return }
    let fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { return }
    defer { close(fd) }
    guard holdfast_connect(fd, path) == 0 else { return }
    var state = state
    _ = state.withUTF8 { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }
}
