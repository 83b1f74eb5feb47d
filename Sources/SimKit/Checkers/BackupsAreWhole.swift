/// I22: a backup that was taken while commits went on is what the store held after one of them:
/// that before its last step.
final class BackupsAreWhole: Checker {
  static let name = "I22 backups are whole"

  func see(_ observation: Observation, _ scene: Scene) {
    guard case .backedUp(let isSame, let faults) = observation else { return }
    for fault in faults { scene.found("a backup is damaged: \(fault)") }
    if !isSame { scene.found("a backup is not what the store held when it ended") }
  }
}
