import Messages

extension [Command] {
  /// SetCurrentDetails → a field of WorkflowTaskCompleted: the last one of a completion counts. It
  /// has no event of its own, so that code may give it anywhere.
  var currentDetails: CurrentDetails? {
    for command in reversed() {
      guard case .setCurrentDetails(let c) = command.kind else { continue }
      var details = CurrentDetails()
      details.text = c.text
      return details
    }
    return nil
  }

  /// How many of them have events.
  var recordedCount: Int {
    count { command in
      if case .setCurrentDetails = command.kind { false } else { true }
    }
  }
}
