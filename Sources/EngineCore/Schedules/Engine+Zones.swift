import Messages

/// Zones that no run and no schedule has used so far: the store's thread reads their files.
extension Engine {
  /// True when the zone is in memory; else the input waits in its line until it is, or it is known
  /// that there is no such zone: then `zoneFault` tells.
  mutating func hasZone(_ name: String, for input: Input, in line: Loading.Target) -> Bool {
    if zones[name] != nil || zoneFault(name, "") != nil { return true }
    if loading.parked[line]?.isEmpty ?? true {
      let id = load(.zone(name), .free)
      loading.purposes[id] = .zone(name, line)
    }
    _ = park(input, on: line)
    return false
  }

  func zoneFault(_ name: String, _ field: String) -> Status? {
    guard zones[name] == nil else { return nil }
    guard !StoredZone.isName(name) || loading.missingZone == name else { return nil }
    return .invalid(field, "no time zone '\(name.cut(to: 100))' is known to this system")
  }

  mutating func takeZone(_ content: Loaded.Content, _ name: String, _ line: Loading.Target) {
    guard case .zone(let bytes) = content else {
      preconditionFailure("a load of a zone was answered with something else")
    }
    if let bytes, zones.add(name, bytes) {
      // Kept, so that a system that loses the file does not stop what uses it.
      out.writes.append(.putZone(name: name, bytes: bytes))
    } else {
      loading.missingZone = name
    }
    let waiting = loading.parked.removeValue(forKey: line)?.inputs ?? []
    takeUp(waiting, line, nil)
    loading.missingZone = nil
  }
}
