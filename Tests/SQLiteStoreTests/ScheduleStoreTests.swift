import Basics
import EngineCore
import Glibc
import Testing

@testable import SQLiteStore

/// What the store keeps of schedules and time zones.
@Suite struct ScheduleStoreTests {
  /// A directory of its own, with zones in it.
  private final class Place {
    let directory: String
    var path: String { directory + "/holdfast.db" }

    init() {
      var template = Array("/tmp/holdfast-zones-XXXXXX".utf8CString)
      directory = String(cString: mkdtemp(&template))
    }

    deinit {
      for name in [
        "holdfast.db", "holdfast.db-wal", "holdfast.db-shm", "holdfast.db.lock", "A", "B",
      ] {
        unlink("\(directory)/\(name)")
      }
      rmdir(directory)
    }

    func put(_ name: String, _ bytes: [UInt8]) {
      let fd = Glibc.open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      _ = write(fd, bytes, bytes.count)
      close(fd)
    }

    func open() throws -> (Store, OpenedStore) {
      var options = StoreOptions()
      options.ballastBytes = 0
      options.zoneDirectory = directory
      return try Store.open(path: path, options: options)
    }
  }

  private func zone(_ name: String, _ store: Store) throws -> [UInt8]? {
    let loaded = try store.load(Load(id: Load.ID(1), subject: .zone(name)))
    guard case .zone(let bytes) = loaded.content else { return [0xFF] }
    return bytes
  }

  @Test func zonesAreReadFromTheDirectoryAndFromNowhereElse() throws {
    let place = Place()
    place.put("A", [1, 2, 3])
    let (store, _) = try place.open()
    #expect(try zone("A", store) == [1, 2, 3])
    for name in ["B", "", ".", "..", "../etc/passwd", "/etc/passwd", "A/..", "A\n"] {
      #expect(try zone(name, store) == nil, "'\(name)'")
    }
    #expect(mkfifo("\(place.directory)/B", 0o600) == 0)
    #expect(try zone("B", store) == nil, "a pipe")
    unlink("\(place.directory)/B")
    place.put("B", [UInt8](repeating: 1, count: 64 << 10 + 1))
    #expect(try zone("B", store) == nil, "too long")
    place.put("B", [])
    #expect(try zone("B", store) == nil, "empty")
  }

  @Test func zonesInUseAreToldAsTheyWereAndAsTheyAre() throws {
    let place = Place()
    place.put("A", [1])
    do {
      let (store, opened) = try place.open()
      #expect(opened.zones == [])
      try store.commit([
        .putZone(name: "A", bytes: [1]), .putZone(name: "Gone", bytes: [2]),
      ])
    }
    place.put("A", [3])
    let (_, opened) = try place.open()
    #expect(
      opened.zones == [
        StoredZone(name: "A", kept: [1], fresh: [3]),
        StoredZone(name: "Gone", kept: [2], fresh: nil),
      ])
  }

  @Test func schedulesAreThereAfterReopening() throws {
    let place = Place()
    do {
      let (store, opened) = try place.open()
      #expect(opened.schedules == [])
      for number in 1...2 as ClosedRange<Int64> {
        try store.commit([
          .putSchedule(ScheduleNumber(number), definition: [1]),
          .putScheduleProgress(ScheduleNumber(number), bytes: [2]),
        ])
      }
      try store.commit([
        .putScheduleProgress(ScheduleNumber(2), bytes: [3]), .deleteSchedule(ScheduleNumber(1)),
      ])
    }
    do {
      let (store, opened) = try place.open()
      #expect(
        opened.schedules == [
          StoredSchedule(number: ScheduleNumber(2), definition: [1], progress: [3])
        ])
      for table in ["schedule", "schedule_progress"] {
        #expect(try store.database.query("SELECT count(*) FROM \(table)") == 1)
      }
      try store.database.execute("UPDATE schedule_progress SET bytes = x'04'")
    }
    do {
      _ = try place.open()
      Issue.record("a damaged schedule was opened")
    } catch {
      #expect("\(error)".contains("schedule#2 does not match its checksum"), "\(error)")
    }
  }
}
