/// Reads a zone's file in the TZif format (RFC 8536), as systems keep it in /usr/share/zoneinfo.
///
/// The bytes may be anything: each fault is found before what it would harm.
struct ZoneFile {
  enum Fault: Error, Equatable {
    case isNoZoneFile
    case ends
    case value(String)
  }

  /// Far more than any zone needs: the largest file of the system's has 4 KiB.
  static let bytesMax = 64 << 10

  private let bytes: [UInt8]
  private var place = 0

  /// The zone that the file describes.
  static func read(_ bytes: [UInt8]) throws(Fault) -> TimeZone {
    guard bytes.count <= bytesMax else { throw .value("\(bytes.count) bytes") }
    var file = ZoneFile(bytes: bytes)
    let first = try file.header()
    if first.version < UInt8(ascii: "2") { return try file.zone(first, timeBytes: 4) }
    // The first block is for readers of 32 bits.
    try file.skip(first.byteCount(timeBytes: 4))
    return try file.zone(try file.header(), timeBytes: 8)
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private struct Header {
    let version: UInt8
    let isUTCCount: Int
    let isStandardCount: Int
    let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    let nameBytes: Int

    func byteCount(timeBytes: Int) -> Int {
      timeCount * (timeBytes + 1) + typeCount * 6 + nameBytes + leapCount * (timeBytes + 4)
        + isStandardCount + isUTCCount
    }
  }

  private mutating func header() throws(Fault) -> Header {
    guard bytes.count - place >= 44 else { throw place == 0 ? .isNoZoneFile : .ends }
    guard bytes[place..<place + 4].elementsEqual("TZif".utf8) else { throw .isNoZoneFile }
    let version = bytes[place + 4]
    try skip(20)
    var counts: [Int] = []
    for _ in 0..<6 {
      let count = try number(4)
      // More than there are bytes; as a negative number it would be none at all.
      guard (0...Int64(ZoneFile.bytesMax)).contains(count) else { throw .value("a count") }
      counts.append(Int(count))
    }
    return Header(
      version: version, isUTCCount: counts[0], isStandardCount: counts[1], leapCount: counts[2],
      timeCount: counts[3], typeCount: counts[4], nameBytes: counts[5])
  }

  private mutating func skip(_ count: Int) throws(Fault) {
    guard bytes.count - place >= count else { throw .ends }
    place += count
  }

  /// Big-endian, signed.
  private mutating func number(_ byteCount: Int) throws(Fault) -> Int64 {
    guard bytes.count - place >= byteCount else { throw .ends }
    var value: UInt64 = bytes[place] & 0x80 != 0 ? .max : 0
    for byte in bytes[place..<place + byteCount] { value = value << 8 | UInt64(byte) }
    place += byteCount
    return Int64(bitPattern: value)
  }

  private mutating func zone(_ header: Header, timeBytes: Int) throws(Fault) -> TimeZone {
    // Times that count leap seconds are not those of the engine.
    guard header.leapCount == 0 else { throw .value("leap seconds") }
    guard header.typeCount > 0 else { throw .value("no offsets") }
    guard bytes.count - place >= header.byteCount(timeBytes: timeBytes) else { throw .ends }
    var times: [Int64] = []
    for _ in 0..<header.timeCount { times.append(try number(timeBytes)) }
    let types = bytes[place..<place + header.timeCount].map { Int($0) }
    try skip(header.timeCount)
    var offsets: [Int64] = []
    for _ in 0..<header.typeCount {
      let offset = try number(4)
      guard abs(offset) < TimeZone.offsetMax else { throw .value("an offset of \(offset) s") }
      offsets.append(offset)
      try skip(2)
    }
    try skip(header.nameBytes + header.isStandardCount + header.isUTCCount)
    guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .value("order") }
    guard types.allSatisfy({ $0 < offsets.count }) else { throw .value("an unknown offset") }
    // The engine's arithmetic has room for what is beyond them.
    guard times.allSatisfy({ abs($0 / 4) < .max / 8 }) else { throw .value("a time") }
    return TimeZone(
      firstOffset: offsets[0],
      transitions: zip(times, types).map { .init(time: $0, offset: offsets[$1]) },
      rule: timeBytes == 8 ? try rule() : nil)
  }

  /// The last line: a rule, or nothing.
  private func rule() throws(Fault) -> ZoneRule? {
    let line = bytes[place...]
    guard line.first == UInt8(ascii: "\n"),
      let end = line.dropFirst().firstIndex(of: UInt8(ascii: "\n"))
    else { throw .ends }
    let text = bytes[(place + 1)..<end]
    if text.isEmpty { return nil }
    guard let rule = ZoneRuleReader.read(text) else { throw .value("the last line") }
    return rule
  }
}
