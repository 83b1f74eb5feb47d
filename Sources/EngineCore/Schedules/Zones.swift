/// The time zones that are in use. All of them stay in memory, so that what follows from one is
/// known in the step that asks for it.
struct Zones {
  private var known: [String: TimeZone] = [:]

  /// `stored`: those that runs and schedules have used.
  init(_ stored: [StoredZone]) {
    for zone in stored {
      // The system may have newer rules, or none any more.
      guard let rules = zone.fresh.flatMap(Zones.read) ?? Zones.read(zone.kept) else {
        preconditionFailure("zone '\(zone.name)' was read before it was stored")
      }
      known[zone.name] = rules
    }
  }

  subscript(name: String) -> TimeZone? { Zones.isUTC(name) ? .utc : known[name] }

  /// False if the bytes are no zone.
  mutating func add(_ name: String, _ bytes: [UInt8]) -> Bool {
    known[name] = Zones.read(bytes)
    return known[name] != nil
  }

  private static func read(_ bytes: [UInt8]) -> TimeZone? { try? ZoneFile.read(bytes) }

  /// UTC needs no file.
  private static func isUTC(_ name: String) -> Bool { name.isEmpty || name == "UTC" }
}

extension StoredZone {
  /// A name that stays within the directory of the zones: `America/New_York`.
  public static func isName(_ name: String) -> Bool {
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "_-+/".utf8.contains(byte)
      }
    }
    return allowed && (1...100).contains(name.utf8.count) && !name.hasPrefix("/")
  }
}
