/// Everything that happens in a simulation, as lines of text: hashed, and told when wanted.
final class Trace {
  private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  private let tell: ((String) -> Void)?

  init(tell: ((String) -> Void)?) { self.tell = tell }

  func add(_ us: Int64, _ line: String) {
    let text = "\(us) \(line)"
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    tell?(text)
  }
}
