import ArgumentParser
import Glibc

/// This program.
enum Program {
  static var path: String {
    let path = realpath("/proc/self/exe", nil)
    defer { free(path) }
    return path.map { String(cString: $0) } ?? ""
  }

  /// The commit of the source tree that the program lies in; `+` when it was changed since.
  static var commit: String {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let describe = ["describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    return Pipe(["git", "-C", folder.joined(separator: "/")] + describe, silent: true)?.line()
      ?? "unknown"
  }

  /// nil when it cannot be read.
  static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 {
      bytes += piece[..<count]
    }
    return bytes
  }

  static func store(_ bytes: [UInt8], to path: String) throws {
    guard !bytes.isEmpty else { throw ValidationError("the engine was down: take another seed") }
    let file = fopen(path, "wb")
    let written = file.map { fwrite(bytes, 1, bytes.count, $0) }
    guard let file, written == bytes.count, fclose(file) == 0 else {
      throw ValidationError("'\(path)' cannot be written")
    }
  }

  /// A line that is there even if the program ends in the middle of what follows.
  static func tell(_ line: String) {
    print(line)
    fflush(nil)
  }

  static var isOnTerminal: Bool { isatty(2) == 1 }

  /// Replaces the line of progress; empty: takes it away.
  static func showProgress(_ text: String) {
    guard isOnTerminal else { return }
    var line = "\r\u{1B}[K\(text)"
    _ = line.withUTF8 { write(2, $0.baseAddress, $0.count) }
  }
}
