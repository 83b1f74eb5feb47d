import Basics
import Testing

@Suite("Instants and spans") struct InstantTests {
  @Test func anInstantBeyondTheRangeIsTheLastOne() {
    #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
    #expect(Instant(ms: 5) + .longest == .distantFuture)
    #expect(Instant.distantPast + Span(ms: -1) == .distantPast)
    #expect(Instant.distantPast - .seconds(1) == .distantPast)
    #expect(Instant(ms: 5) - Span(ms: .min) == .distantFuture)
  }

  @Test func theDistanceOfTwoInstantsSaturates() {
    #expect(Instant(ms: 7) - Instant(ms: 10) == Span(ms: -3))
    #expect(Instant.distantFuture - Instant(ms: -1) == .longest)
    #expect(Instant.distantPast - Instant(ms: 1) == Span(ms: .min))
  }

  @Test func spansSaturate() {
    #expect(Span.seconds(2) + .milliseconds(5) == Span(ms: 2_005))
    #expect(Span.seconds(2) - .milliseconds(5) == Span(ms: 1_995))
    #expect(Span.longest + Span(ms: 1) == .longest)
    #expect(Span(ms: .min) + Span(ms: -1) == Span(ms: .min))
    #expect(Span(ms: .min) - Span(ms: 1) == Span(ms: .min))
    #expect(Span.longest - Span(ms: -1) == .longest)
    #expect(Span.longest * -2 == Span(ms: .min))
    #expect(Span(ms: .min) * -1 == .longest)
    #expect(Span.seconds(.max) == .longest)
  }

  @Test func theyAreOrderedByTime() {
    #expect(Instant.distantPast < .epoch)
    #expect(Instant.epoch < .distantFuture)
    #expect(Span.zero < .milliseconds(1))
  }
}
