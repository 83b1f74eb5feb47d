import Testing

@testable import EngineCore

@Suite("Turns of reads") struct ReadTurnsTests {
  private func id(_ connection: UInt64, _ stream: UInt64) -> RequestID {
    RequestID(connection: connection, stream: stream)
  }

  @Test func connectionsTakeTurnsAndFewReadsAreUnderWay() {
    var reads = ReadTurns()
    for stream in 1...3 as ClosedRange<UInt64> { reads.wait(id(1, stream)) }
    reads.wait(id(2, 1))
    #expect(reads.begin(max: 2) == id(1, 1))
    #expect(reads.begin(max: 2) == id(2, 1))
    #expect(reads.begin(max: 2) == nil)
    reads.end()
    reads.wait(id(2, 2))
    #expect(reads.begin(max: 2) == id(1, 2))
    reads.end()
    #expect(reads.begin(max: 2) == id(2, 2))
    reads.end()
    #expect(reads.begin(max: 2) == id(1, 3))
    reads.end()
    reads.end()
    #expect(reads.begin(max: 2) == nil)
    #expect(reads.underWay == 0)
  }
}
