import Basics
import Messages

#if canImport(Glibc)
  import Glibc
#endif

/// The seed of the random tests: 1, or what HOLDFAST_SEED says. A failure prints it.
let seed: UInt64 = {
  let seed = getenv("HOLDFAST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
  print("MessagesTests: HOLDFAST_SEED=\(seed)")
  return seed
}()

/// Protobuf's wire format written forwards and naively: a second opinion on our encoder.
struct WireBytes {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func tag(_ number: UInt32, _ wireType: UInt32) {
    varint(UInt64(number) << 3 | UInt64(wireType))
  }

  mutating func fixed64(_ value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  mutating func block(_ content: [UInt8]) {
    varint(UInt64(content.count))
    bytes += content
  }
}

/// Makes random messages from their tables.
struct RandomMessages {
  var random: SeededRandom
  /// NaN has no place in tests that compare values.
  var allowsNaN = true
  /// How many minus zeros were made: not all codecs keep them.
  var minusZeros = 0

  /// The bytes of a random message, its fields in the order of their numbers.
  mutating func message(_ table: MessageTable, depth: Int = 0) -> [UInt8] {
    var wire = WireBytes()
    var chosen: [String: UInt32] = [:]
    for field in table.fields {
      guard let oneof = field.oneof, chosen[oneof] == nil else { continue }
      let members = table.fields.filter { $0.oneof == oneof }
      chosen[oneof] = members[Int(random.next() % UInt64(members.count))].number
    }
    for field in table.fields {
      if let oneof = field.oneof, chosen[oneof] != field.number { continue }
      // Deep messages would grow without bound: a field is likelier near the root.
      if random.next() % 8 < UInt64(2 + depth) { continue }
      append(field, to: &wire, depth: depth)
    }
    return wire.bytes
  }

  private mutating func append(_ field: FieldTable, to wire: inout WireBytes, depth: Int) {
    guard field.isRepeated else {
      wire.tag(field.number, wireType(field))
      return value(field, to: &wire, depth: depth)
    }
    let count = Int(random.next() % 4)
    guard wireType(field) == 2 else {
      var packed = WireBytes()
      for _ in 0..<count { value(field, to: &packed, depth: depth) }
      wire.tag(field.number, 2)
      return wire.block(packed.bytes)
    }
    for _ in 0..<count {
      wire.tag(field.number, 2)
      value(field, to: &wire, depth: depth)
    }
  }

  func wireType(_ field: FieldTable) -> UInt32 {
    switch field.kind {
    case .double: return 1
    case .string, .bytes, .runID, .message: return 2
    case .bool, .int32, .int64, .uint32, .uint64, .enumeration: return 0
    }
  }

  private mutating func value(_ field: FieldTable, to wire: inout WireBytes, depth: Int) {
    switch field.kind {
    case .string: wire.block(Array(text().utf8))
    case .runID: wire.block(Array(runID().description.utf8))
    case .bytes: wire.block((0..<random.next() % 20).map { _ in UInt8(random.next() & 255) })
    case .bool: wire.varint(random.next() & 1)
    case .int32: wire.varint(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: number()))))
    case .uint32: wire.varint(UInt64(UInt32(truncatingIfNeeded: number())))
    case .int64, .uint64: wire.varint(number())
    case .double: wire.fixed64(double().bitPattern)
    case .enumeration(let names):
      let known = names[Int(random.next() % UInt64(names.count))].number
      let number = random.next() % 8 == 0 ? Int32(truncatingIfNeeded: number()) : known
      wire.varint(UInt64(bitPattern: Int64(number)))
    case .message(let table): wire.block(message(table(), depth: depth + 1))
    }
  }

  /// Numbers of all sizes, the edges among them.
  private mutating func number() -> UInt64 {
    switch random.next() % 8 {
    case 0: return 0
    case 1: return .max
    case 2: return 1 << 63
    default: return random.next() >> (random.next() % 64)
    }
  }

  private mutating func double() -> Double {
    let edges = [0, -0.0, 1.5, .infinity, -.infinity, .leastNonzeroMagnitude]
    let place = Int(random.next() % 12)
    if place == 1 { minusZeros += 1 }
    if place < edges.count { return edges[place] }
    let value = Double(bitPattern: random.next())
    return value.isNaN && !allowsNaN ? 0.1 : value
  }

  private mutating func text() -> String {
    let alphabet: [Unicode.Scalar] = [
      "a", "Z", "\"", "\\", "\n", "\u{1}", "ß", "漢", "😀", "\u{7F}",
    ]
    let length = random.next() % 8 == 0 ? 300 : random.next() % 24
    let isPlain = random.next() & 1 == 0
    var text = ""
    for _ in 0..<length {
      text.unicodeScalars.append(isPlain ? "x" : alphabet[Int(random.next() % 10)])
    }
    return text
  }

  private mutating func runID() -> RunID {
    RunID(at: Instant(ms: Int64(random.next() >> 20)), random: (random.next(), random.next()))
  }

  /// The bytes with one to four faults: a byte changed, put in, taken out, the end cut off, or a
  /// part written twice.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next() % 4 where !bytes.isEmpty {
      let place = Int(random.next() % UInt64(bytes.count))
      switch random.next() % 6 {
      case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
      case 1: bytes[place] = [0x00, 0x7F, 0x80, 0xFF][Int(random.next() % 4)]
      case 2: bytes.insert(UInt8(random.next() & 255), at: place)
      case 3: bytes.remove(at: place)
      case 4: bytes.removeLast(min(bytes.count, Int(random.next() % 8)))
      default:
        let end = min(bytes.count, place + Int(random.next() % 40))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      }
    }
    return bytes
  }
}
