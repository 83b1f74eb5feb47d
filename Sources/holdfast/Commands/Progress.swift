import Glibc

/// What a long command is doing, for a person at a terminal; silent for programs.
enum Progress {
  static func say(_ text: String) { write(text + "\n") }

  /// Takes the place of what was shown before; an empty text leaves nothing.
  static func show(_ text: String) { write("\r\u{1B}[K" + text) }

  private static func write(_ text: String) {
    guard isatty(2) == 1 else { return }
    var text = text
    text.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
  }
}
