import Glibc

/// The output of a program.
final class Pipe {
  private let file: UnsafeMutablePointer<FILE>

  /// `silent`: nobody sees its errors.
  init?(_ arguments: [String], silent: Bool = false) {
    let words = arguments.map(Pipe.quoted) + (silent ? ["2>/dev/null"] : [])
    let command = "exec " + words.joined(separator: " ")
    guard let file = popen(command, "r") else { return nil }
    self.file = file
  }

  deinit { pclose(file) }

  /// The next line, without its end; nil at the end of the output.
  func line() -> String? {
    var bytes: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(bytes) }
    guard getline(&bytes, &capacity, file) > 0, let bytes else { return nil }
    let line = String(cString: bytes)
    return line.hasSuffix("\n") ? String(line.dropLast()) : line
  }

  private static func quoted(_ word: String) -> String {
    "'" + word.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
  }
}
