import Glibc
import Sidecar
import UVLoop

/// Structured lines on stderr: time, level, what, and fields as key=value.
struct Log {
  enum Level: String, CaseIterable {
    case debug, info, warning, error

    fileprivate var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
  }

  /// Lines below it are left out.
  var level = Level.info

  func write(_ level: Level, _ what: String, _ fields: [(String, String)] = []) {
    guard level.rank >= self.level.rank else { return }
    var line = "\(Log.time()) level=\(level.rawValue) msg=\(Log.quoted(what))"
    for (key, value) in fields { line += " \(key)=\(Log.quoted(value))" }
    line += "\n"
    line.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
  }

  func write(_ event: SidecarEvent) {
    switch event {
    case .ready(let socket): write(.info, "serving", [("socket", socket)])
    case .draining(let why): write(.info, "draining", [("why", why)])
    case .diskFull(true):
      write(.error, "disk full: starts are refused until there is space")
    case .diskFull(false): write(.info, "the disk has space again")
    case .refusedPeer(let uid): write(.warning, "peer refused", [("uid", String(uid))])
    case .failed(let text): write(.error, "the store failed", [("error", text)])
    case .backupBegun(let path): write(.info, "backup begun", [("path", path)])
    case .backupDone(let path, let pages):
      write(.info, "backup done", [("path", path), ("pages", String(pages))])
    case .backupFailed(let path, let why):
      write(.warning, "no backup was made", [("path", path), ("why", why)])
    }
  }

  /// One plain line for the person who ran the command.
  static func complain(_ text: String) {
    var line = "holdfast: \(text)\n"
    line.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
  }

  private static func quoted(_ text: String) -> String {
    let isPlain = text.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
    if isPlain && !text.isEmpty { return text }
    return "\"" + text.replacingQuotes + "\""
  }

  private static func time() -> String {
    var seconds = time_t(Clocks.wallMs / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let ms = String(Clocks.wallMs % 1_000 + 1_000).dropFirst()
    let bytes = buffer[..<count].map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self) + ".\(ms)Z"
  }
}

extension String {
  fileprivate var replacingQuotes: String {
    var result = ""
    for character in self {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result
  }
}
