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

  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1),
      ("2023-11-14T22:13:20Z", 1_700_000_000_000), ("2023-11-14T22:13:20.250Z", 1_700_000_000_250),
      ("2023-11-14T22:13:20.2Z", 1_700_000_000_200),
      ("2023-11-14t22:13:20.25099z", 1_700_000_000_250),
      ("2023-11-15T00:13:20+02:00", 1_700_000_000_000),
      ("2023-11-14T16:43:20-05:30", 1_700_000_000_000),
      ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2000-02-29T00:00:00Z", 951_782_400_000),
      ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ] as [(String, Int64)])
  func anInstantIsRead(_ text: String, _ ms: Int64) {
    #expect(Instant(iso8601: text) == Instant(ms: ms))
  }

  @Test(arguments: [
    "", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-13-01T00:00:00Z",
    "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-11-00T00:00:00Z",
    "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z", "2023-11-14T22:13:61Z", "2023-11-14T22:13:20.Z",
    "2023-11-14T22:13:20+0200", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20Zx",
    "2023-11-14T22:13:20.25", "+023-11-14T22:13:20Z", "2023-11-14T22:13:2\u{0660}Z",
  ])
  func whatIsNoInstantIsNotRead(_ text: String) {
    #expect(Instant(iso8601: text) == nil)
  }

  @Test(
    arguments: [
      ("250ms", 250), ("10s", 10_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("0s", 0),
      ("1m1m", 120_000), ("9223372036854775807ms", Int64.max),
    ] as [(String, Int64)])
  func aSpanIsRead(_ text: String, _ ms: Int64) {
    #expect(Span(written: text) == Span(ms: ms))
  }

  @Test(arguments: [
    "", "5", "ms", "-5s", "1.5s", "5 s", "5x", "s5", "9223372036854775808ms",
    "9223372036854775807s",
    "9223372036854775807ms1ms",
  ])
  func whatIsNoSpanIsNotRead(_ text: String) {
    #expect(Span(written: text) == nil)
  }
}
