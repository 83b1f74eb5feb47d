import Holdfast

/// Keeps so many bodies under way at a time, for so long; how long each took.
func drive(
  _ client: Client, flight: Int, seconds: Double, prefix: String,
  _ body: @escaping @Sendable (Client, String) async throws -> Void
) async throws -> Samples {
  let end = Device.nowUs + Int64(seconds * 1_000_000)
  return try await withThrowingTaskGroup(of: [Int64].self) { group in
    for lane in 0..<flight {
      group.addTask {
        var times: [Int64] = []
        var number = lane
        while true {
          let begin = Device.nowUs
          if begin >= end { return times }
          try await body(client, "\(prefix)-\(number)")
          times.append(Device.nowUs - begin)
          number += flight
        }
      }
    }
    var all: [Int64] = []
    for try await times in group { all += times }
    return Samples(all)
  }
}

/// Times in microseconds.
struct Samples {
  private let sorted: [Int64]
  init(_ times: [Int64]) { sorted = times.sorted() }

  var count: Int { sorted.count }
  func discard() {}

  static func += (a: inout Samples, b: Samples) { a = Samples(a.sorted + b.sorted) }

  func percentile(_ share: Double) -> Int64 {
    sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}

func micro(_ us: Int64) -> String {
  us < 1_000 ? "\(us) us" : fixed(Double(us) / 1_000) + " ms"
}

func fixed(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  let rest = String(hundredths % 100 + 100).dropFirst()
  return "\(hundredths / 100).\(rest)"
}
