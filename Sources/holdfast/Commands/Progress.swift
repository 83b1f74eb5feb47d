import Glibc

/// What a long command is doing, for a person at a terminal; silent for programs.
enum Progress {
  static func say(_ text: String) {
    guard isatty(2) == 1 else { return }
    var line = text + "\n"
    line.withUTF8 { bytes in _ = write(2, bytes.baseAddress, bytes.count) }
  }
}
