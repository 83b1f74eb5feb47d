import Basics

/// Says of a key either "certainly not in the store" or "perhaps": no false negatives.
///
/// It spares a new workflow id or request id the read of the store. A chain of Bloom filters, each
/// twice as large as the one before, so that it grows without being rebuilt; with 10 bits a key it
/// is wrong about one new key in a hundred.
public struct IDFilter: Sendable {
  private var layers: [Layer]
  /// How many keys were added.
  public private(set) var count = 0

  /// `expected`: how many keys to make room for at once.
  public init(expected: Int = 0) {
    layers = [Layer(capacity: max(expected, 4_096))]
  }

  /// The key of a workflow id.
  public static func key(namespace: String, workflowID: String) -> Fingerprint {
    Fingerprint(of: namespace, workflowID)
  }

  public mutating func insert(_ key: Fingerprint) {
    // An id that is used again, and again, takes no more room.
    if mayContain(key) { return }
    if layers[layers.count - 1].isFull {
      layers.append(Layer(capacity: layers[layers.count - 1].capacity * 2))
    }
    layers[layers.count - 1].insert(key)
    count += 1
  }

  public func mayContain(_ key: Fingerprint) -> Bool {
    layers.contains { $0.mayContain(key) }
  }

  /// Memory held, in bytes.
  public var byteCount: Int { layers.reduce(0) { $0 + $1.byteCount } }
}

private struct Layer: Sendable {
  let capacity: Int
  private var used = 0
  private var words: [UInt64]
  private var bits: UInt64 { UInt64(words.count) * 64 }

  private static let probes: UInt64 = 7

  init(capacity: Int) {
    self.capacity = capacity
    words = [UInt64](repeating: 0, count: (capacity * 10 + 63) / 64)
  }

  var isFull: Bool { used >= capacity }
  var byteCount: Int { words.count * 8 }

  /// Spreads the probe's hash over the bits, whatever their number is.
  private func bit(_ key: Fingerprint, _ probe: UInt64) -> UInt64 {
    (key.high &+ probe &* (key.low | 1)).multipliedFullWidth(by: bits).high
  }

  mutating func insert(_ key: Fingerprint) {
    for probe in 0..<Layer.probes {
      let bit = bit(key, probe)
      words[Int(bit >> 6)] |= 1 << (bit & 63)
    }
    used += 1
  }

  func mayContain(_ key: Fingerprint) -> Bool {
    for probe in 0..<Layer.probes {
      let bit = bit(key, probe)
      if words[Int(bit >> 6)] & 1 << (bit & 63) == 0 { return false }
    }
    return true
  }
}
