import Basics
import Messages
import Testing

@testable import EngineCore

/// A lane beside a list of what is in it: nothing is lost, whatever comes and goes.
@Suite struct LaneTests {
  private typealias Entry = TaskQueue.Entry<RunNumber>

  private struct Kept {
    let entry: Entry
    let type: String
    let key: String
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func nothingIsLostAndAKeysOwnComesInItsOrder(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    func draw(_ count: UInt64) -> Int { Int(random.next() % count) }
    var lane = Lane<RunNumber>()
    var kept: [Kept] = []
    let keys = seed % 3 == 0 ? [""] : ["", "a", "b", "c"]
    for ticket in 1...400 as ClosedRange<UInt64> {
      switch draw(10) {
      case 0..<5:
        let key = keys[draw(UInt64(keys.count))]
        let type = ["x", "y"][draw(2)]
        let entry = Entry(work: RunNumber(Int64(ticket)), since: .epoch, ticket: ticket)
        lane.add(entry, type: type, Rank(.of(0, key, [0, 0.5, 10][draw(3)])))
        kept.append(Kept(entry: entry, type: type, key: key))
      case 5..<9:
        let types = [["x"], ["y"], ["x", "y"]][draw(3)]
        let ahead = lane.first(8, types).first?.ticket
        let place = lane.next(types) { _, _ in true }
        let first = kept.filter { types.contains($0.type) && $0.key == place?.key }.min {
          $0.entry.ticket < $1.entry.ticket
        }
        #expect((place == nil) == !kept.contains { types.contains($0.type) }, "seed \(seed)")
        guard let place, let entry = lane.pop(type: place.type, key: place.key) else { break }
        #expect(entry.ticket == ahead && entry.ticket == first?.entry.ticket, "seed \(seed)")
        if draw(2) == 0 {
          lane.putBack(entry, type: place.type, key: place.key)
          let again = lane.next(types) { _, _ in true }
          #expect(again?.type == place.type && again?.key == place.key, "seed \(seed)")
        } else {
          kept.removeAll { $0.entry.ticket == entry.ticket }
          if draw(4) > 0 { lane.charge(place.key) }
        }
      default:
        let gone = UInt64(draw(5))
        lane.sweep { $0.ticket % 5 != gone }
        kept.removeAll { $0.entry.ticket % 5 == gone }
      }
      #expect(lane.count == kept.count, "seed \(seed)")
    }
  }
}
