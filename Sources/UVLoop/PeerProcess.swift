import CUV
import Glibc

/// Who called connect(), by the kernel's word.
public struct PeerProcess {
  public let uid: UInt32
  public let gid: UInt32
  /// The further groups that the process had when it connected.
  public let groups: [UInt32]
  /// 0: the peer lives in another pid namespace.
  public let pid: Int32
  /// A descriptor of the process, the caller's to close; nil without evidence.
  public let pidfd: Int32?
  /// Clock ticks since boot at which it started; tells it from a later process with its pid.
  public let startTicks: Int64

  /// Asks the kernel about the peer of a connected socket.
  public init(of fd: Int32) throws(UVError) { try self.init(of: fd, hasPeerPidfd: true) }

  /// `hasPeerPidfd` false: as on a kernel before 6.5, where only the pid leads to the process.
  init(of fd: Int32, hasPeerPidfd: Bool) throws(UVError) {
    var peer = holdfast_peer()
    guard holdfast_get_peer(fd, &peer) == 0 else { throw UVError.last("SO_PEERCRED") }
    uid = peer.uid
    gid = peer.gid
    groups = PeerProcess.groups(of: fd)
    pid = peer.pid
    var descriptor: Int32 = -1
    if peer.pid > 0 {
      if hasPeerPidfd { descriptor = holdfast_peer_pidfd(fd) }
      if descriptor < 0 { descriptor = holdfast_pidfd_open(peer.pid) }
    }
    guard descriptor >= 0, let start = PeerProcess.start(of: peer.pid, pidfd: descriptor) else {
      if descriptor >= 0 { CUV.close(descriptor) }
      pidfd = nil
      startTicks = 0
      return
    }
    pidfd = descriptor
    startTicks = start
  }

  private static func groups(of fd: Int32) -> [UInt32] {
    var groups = [UInt32](repeating: 0, count: 64)
    var size = socklen_t(groups.count * 4)
    var code = holdfast_peer_groups(fd, &groups, &size)
    if code != 0, errno == ERANGE {
      groups = [UInt32](repeating: 0, count: Int(size) / 4)
      code = holdfast_peer_groups(fd, &groups, &size)
    }
    return code == 0 ? Array(groups.prefix(Int(size) / 4)) : []
  }

  /// When the process started; nil if it has ended. Its pid may have been given to another process
  /// before the look at /proc, but not while it lives: so it must live after the look.
  static func start(of pid: Int32, pidfd: Int32) -> Int64? {
    guard let start = startTicks(of: pid) else { return nil }
    var look = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&look, 1, 0) == 0 ? start : nil
  }

  /// Field 22 of /proc/PID/stat; nil if there is no such process.
  public static func startTicks(of pid: Int32) -> Int64? {
    guard let text = readSmallFile("/proc/\(pid)/stat") else { return nil }
    // The command's name is in parentheses and may hold anything.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? Int64(fields[19]) : nil
  }

  public enum Found: Equatable {
    /// A descriptor of it, the caller's to close.
    case alive(pidfd: Int32)
    case gone
    case unknown
  }

  /// Looks for a process that was seen before, by its pid, its start, and `bootID` of that time.
  public static func find(_ pid: Int32, startTicks start: Int64, bootID then: String) -> Found {
    let now = bootID
    guard then == now else {
      // Of another namespace nothing is known, but no process outlives the boot.
      return then.prefix { $0 != "/" } == now.prefix { $0 != "/" } ? .unknown : .gone
    }
    guard pid > 0 else { return .unknown }
    let descriptor = holdfast_pidfd_open(pid)
    if descriptor < 0 { return errno == ESRCH ? .gone : .unknown }
    if PeerProcess.start(of: pid, pidfd: descriptor) == start { return .alive(pidfd: descriptor) }
    CUV.close(descriptor)
    return .gone
  }

  /// The id of this boot of the machine, and of the pid namespace that pids are looked up in.
  public static var bootID: String {
    let boot = (readSmallFile("/proc/sys/kernel/random/boot_id") ?? "").filter { !$0.isWhitespace }
    var status = stat()
    return stat("/proc/self/ns/pid", &status) == 0 ? "\(boot)/\(status.st_ino)" : boot
  }

  private static func readSmallFile(_ path: String) -> String? {
    let fd = holdfast_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard fd >= 0 else { return nil }
    defer { CUV.close(fd) }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = read(fd, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}
