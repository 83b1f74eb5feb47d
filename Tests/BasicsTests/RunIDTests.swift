import Basics
import Testing

@Suite("Run ids") struct RunIDTests {
  private let text = "0192f0a1-2b3c-7def-8123-456789abcdef"

  @Test func theTextFormIsReadAndWritten() throws {
    let id = try #require(RunID(parsing: text))
    #expect(id.high == 0x0192_f0a1_2b3c_7def)
    #expect(id.low == 0x8123_4567_89ab_cdef)
    #expect(id.description == text)
    #expect(RunID(parsing: text.uppercased()) == id)
  }

  @Test(arguments: [
    "", "0192f0a1", "0192f0a12b3c7def8123456789abcdef",
    "0192f0a1-2b3c-7def-8123-456789abcde", "0192f0a1-2b3c-7def-8123-456789abcdef0",
    "0192f0a1-2b3c-7def-8123_456789abcdef", "0192f0a1-2b3c-7def-8123-456789abcdeg",
    "{192f0a1-2b3c-7def-8123-456789abcde}", "0192f0a12-b3c-7def-8123-456789abcdef",
    " 192f0a1-2b3c-7def-8123-456789abcdef", "0192f0a1-2b3c-7def-8123-456789abcde\u{0}",
    "٠192f0a1-2b3c-7def-8123-456789abcde",
  ])
  func anyOtherTextIsRefused(_ text: String) {
    #expect(RunID(parsing: text) == nil)
  }

  @Test func aNewIDIsAUUIDOfVersion7() {
    let time = Instant(ms: 0x0192_f0a1_2b3c)
    let id = RunID(at: time, random: (.max, .max))
    #expect(id.description == "0192f0a1-2b3c-7fff-bfff-ffffffffffff")
    #expect(RunID(at: time, random: (0, 0)).description == "0192f0a1-2b3c-7000-8000-000000000000")
  }

  @Test func idsSortByTheTimeOfTheirMaking() {
    var random = SeededRandom(seed: 1)
    let ids = (0..<100).map {
      RunID(at: Instant(ms: 1_700_000_000_000 + $0), random: (random.next(), random.next()))
    }
    #expect(ids == ids.sorted())
    #expect(ids.map(\.description) == ids.map(\.description).sorted())
    #expect(ids.allSatisfy { RunID(parsing: $0.description) == $0 })
  }

  @Test func noneIsAllZeros() {
    #expect(RunID(parsing: "00000000-0000-0000-0000-000000000000") == RunID.none)
    #expect(RunID.none < RunID(high: 0, low: 1))
  }
}
