import Basics
import Messages

/// What runs say to each other, by letters: a run posts them, and each is taken in by the run that
/// it is for, in this step if that is in memory.
///
/// One that has to wait is kept in the store from the step that posted it to the one that takes it
/// in: so it counts once, whatever happens between.
extension Engine {
  mutating func post(_ letter: Letter) {
    var posted = PostedLetter(number: mail.nextNumber(), letter: letter, isStored: false)
    if mail.unread == nil { return mail.line.append(posted) }
    // Behind those that are in the store alone.
    store(&posted)
  }

  /// Answers the letter.
  mutating func reply(to letter: Letter, _ attributes: HistoryEvent.Attributes) {
    var reply = Letter()
    reply.namespace = letter.namespace
    reply.from = letter.to
    reply.to = letter.from
    reply.event = HistoryEvent()
    reply.event?.eventID = letter.event?.eventID ?? 0
    reply.event?.attributes = attributes
    post(reply)
  }

  private mutating func store(_ posted: inout PostedLetter) {
    guard !posted.isStored else { return }
    posted.isStored = true
    #if MUTANTS
      if Mutant.isOn(.letterIsLost) { return }
    #endif
    out.writes.append(.putLetter(number: posted.number, bytes: posted.letter.serialized()))
  }

  /// Takes letters in, as many as one step may, and keeps the others.
  mutating func deliverMail() {
    var left = limits.lettersPerStepMax
    while left > 0, mail.waiting < limits.lettersWaitingMax, let posted = mail.line.popFirst() {
      left -= 1
      take(posted)
      takeResumed()
    }
    guard !mail.line.isEmpty || mail.unread != nil else { return }
    keepMail()
  }

  private mutating func keepMail() {
    var line = Queue<PostedLetter>()
    while var posted = mail.line.popFirst() {
      store(&posted)
      line.append(posted)
    }
    mail.line = line
    mail.shorten(to: limits.lettersWaitingMax)
    if !mail.line.isEmpty && mail.waiting < limits.lettersWaitingMax {
      deadlines.set(.mail, at: now, order: .init(0))
    }
    if let unread = mail.unread, mail.line.isEmpty, !mail.isReading {
      mail.beginReading()
      let id = load(.letters(after: unread, countMax: limits.lettersWaitingMax), .engine)
      loading.purposes[id] = .letters
    }
  }

  mutating func takeLetters(_ content: Loaded.Content) {
    switch content {
    case .letters(let letters, let more): mail.take(letters, more: more)
    // What cannot be read stays where it is; nothing behind it may pass.
    case .corrupt: counters.corruptRuns += 1
    default: preconditionFailure("a load of letters was answered with something else")
    }
  }

  /// One that has waited is taken up again.
  mutating func takeAgain(_ posted: PostedLetter) {
    mail.waiting -= 1
    take(posted)
  }

  /// What it waited for cannot be read: it stays in the store, for the next start of the engine.
  mutating func abandon(_ posted: PostedLetter) { mail.waiting -= 1 }

  private mutating func take(_ posted: PostedLetter) {
    let letter = posted.letter
    let key = WorkflowKey(
      namespace: letter.namespace, workflowID: letter.to?.workflowID ?? "")
    var posted = posted
    var kept = posted
    kept.isStored = true
    let found = find(key, letter.to?.runID ?? .none, for: .letter(kept)).settled
    if let found, !(found.run.map { waitsForRedo($0, kept) } ?? false) {
      read(letter, key, found.run)
      #if MUTANTS
        if Mutant.isOn(.letterIsReadTwice) { return }
      #endif
      if posted.isStored { out.writes.append(.deleteLetter(number: posted.number)) }
    } else {
      mail.waiting += 1
      store(&posted)
    }
  }

  /// Signals and cancel requests of other runs wait like those of clients.
  private mutating func waitsForRedo(_ run: Run, _ posted: PostedLetter) -> Bool {
    switch posted.letter.event?.attributes {
    case .signalExternalWorkflowExecutionInitiated,
      .requestCancelExternalWorkflowExecutionInitiated, .workflowExecutionCancelRequested:
      openReceiver(of: posted.letter, run) != nil && park(.letter(posted), behindRedoOf: run)
    default: false
    }
  }

  /// `run`: the one that it is for; nil: there is none.
  private mutating func read(_ letter: Letter, _ key: WorkflowKey, _ run: Run?) {
    if letter.asks { return tellOfChild(letter, run) }
    switch letter.event?.attributes {
    case .startChildWorkflowExecutionInitiated(let e): startChild(e, letter, key, run)
    case .signalExternalWorkflowExecutionInitiated(let e): takeSignal(e, letter, run)
    case .requestCancelExternalWorkflowExecutionInitiated(let e): takeCancel(e, letter, run)
    case .workflowExecutionCancelRequested(let e):
      if let run = openReceiver(of: letter, run) { cancel(run, e) }
    case .workflowExecutionTerminated(let e):
      if let run = openReceiver(of: letter, run) {
        terminate(run, reason: e.reason, details: [], identity: "")
      }
    case let attributes?:
      guard let run, run.fold.isOpen else { return forward(letter, from: run) }
      hear(attributes, about: letter.event?.eventID ?? 0, of: letter.baseRunID, run)
    case nil: break
    }
  }

  /// An answer for a run that has closed, or is not there any more: after a reset another one waits
  /// for it in its place.
  private mutating func forward(_ letter: Letter, from run: Run?) {
    #if MUTANTS
      if Mutant.isOn(.resetForgetsAnswers) { return }
    #endif
    guard let to = letter.to, to.runID != .none else { return }
    if let run, run.resetRunID == .none { return }
    var letter = letter
    if letter.baseRunID == .none { letter.baseRunID = to.runID }
    letter.to?.runID = .none
    post(letter)
  }
}
