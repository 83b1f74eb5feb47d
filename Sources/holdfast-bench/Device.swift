import Glibc

/// What the machine says.
enum Device {
  static var nowUs: Int64 { nowNs / 1_000 }

  static var nowNs: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The median time of a 4 KiB append with fdatasync.
  static func syncUs(in directory: String) -> Int64 {
    mkdir(directory, 0o700)
    let path = directory + "/sync"
    let fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard fd >= 0 else { return 0 }
    defer {
      close(fd)
      unlink(path)
    }
    let block = [UInt8](repeating: 7, count: 4_096)
    var times: [Int64] = []
    for _ in 0..<200 {
      let begin = nowUs
      _ = write(fd, block, block.count)
      fdatasync(fd)
      times.append(nowUs - begin)
    }
    return times.sorted()[100]
  }

  /// What is added to each sync of the store, by the library of `Tests/DiskFaults`; empty: nothing.
  static var delay: String {
    getenv("SYNC_DELAY_US").map { "; \(String(cString: $0)) us longer for the store" } ?? ""
  }

  /// User and system time of a process in milliseconds.
  static func cpuMs(of pid: pid_t) -> Int {
    guard let text = read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return 0 }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
      return 0
    }
    return (user + system) * 1_000 / sysconf(Int32(_SC_CLK_TCK))
  }

  /// Bytes that a process has given to write calls.
  static func bytesWritten(by pid: pid_t) -> Int {
    guard let text = read("/proc/\(pid)/io") else { return 0 }
    for line in text.split(separator: "\n") where line.hasPrefix("write_bytes:") {
      return Int(line.split(separator: " ").last ?? "0") ?? 0
    }
    return 0
  }

  /// Memory of a process that is in use now.
  static func residentBytes(of pid: pid_t) -> Int {
    guard let text = read("/proc/\(pid)/statm") else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }

  /// The process that traces this one; 0: none.
  static func tracer(of pid: pid_t) -> Int {
    guard let text = read("/proc/\(pid)/status") else { return 0 }
    for line in text.split(separator: "\n") where line.hasPrefix("TracerPid:") {
      return Int(line.split(whereSeparator: \.isWhitespace).last ?? "0") ?? 0
    }
    return 0
  }

  static func fileBytes(_ path: String) -> Int {
    var file = stat()
    return stat(path, &file) == 0 ? Int(file.st_size) : 0
  }

  static func read(_ path: String) -> String? {
    let fd = open(path, O_RDONLY)
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: 8_192)
    let count = Glibc.read(fd, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
