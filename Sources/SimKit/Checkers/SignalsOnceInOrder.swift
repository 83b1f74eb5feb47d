import EngineCore
import Messages

/// I9: signals stand in a history once each, and never before one that was acknowledged before they
/// were sent; a program that came to its end has seen them all, in that order.
final class SignalsOnceInOrder: Checker {
  static let name = "I9 signals once each, in order"

  private struct Sent {
    let firstSentUs: Int64
    let answeredUs: Int64
  }

  private var acknowledged: [String: Sent] = [:]

  func see(_ observation: Observation, _ scene: Scene) {
    switch observation {
    case .answered(let request, let answer, _):
      guard answer.isOK, case .signal = request.kind else { return }
      acknowledged[request.requestID] = Sent(
        firstSentUs: request.firstSentUs, answeredUs: scene.us)
    case .reopened: for run in scene.ledger.runs { check(run, scene) }
    case .finished:
      for run in scene.ledger.runs {
        check(run, scene)
        checkSeen(run, scene)
      }
    default: break
    }
  }

  private func check(_ run: Ledger.Run, _ scene: Scene) {
    var seen: Set<String> = []
    var latest: (id: String, us: Int64) = ("", -1)
    // Those of other runs and of batches have no id; `LettersCountOnce` and `BatchesMeetEachOnce`
    // look at them.
    for signal in run.events.compactMap(\.signal) where !signal.requestID.isEmpty {
      if !seen.insert(signal.requestID).inserted {
        scene.found("\(run.row.number) holds signal \(signal.requestID) twice")
      }
      guard let sent = acknowledged[signal.requestID] else { continue }
      if sent.answeredUs < latest.us {
        scene.found(
          "\(run.row.number): \(latest.id) stands before \(signal.requestID), which was"
            + " acknowledged before the other was sent")
      }
      if sent.firstSentUs > latest.us { latest = (signal.requestID, sent.firstSentUs) }
    }
  }

  private func checkSeen(_ run: Ledger.Run, _ scene: Scene) {
    guard let summary = run.summary else { return }
    let seen = summary.split(separator: "|", omittingEmptySubsequences: false).dropFirst().first
    let signals = run.events.compactMap { $0.signal?.input.first?.text }.joined(separator: ",")
    if seen ?? "" != signals {
      scene.found("\(run.row.number) saw '\(summary)'; its signals are '\(signals)'")
    }
  }
}
