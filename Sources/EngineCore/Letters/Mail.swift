import Basics

/// The letters that have not been taken in: the first ones are here, the rest in the store alone.
struct Mail {
  /// In the order of their numbers.
  var line = Queue<PostedLetter>()
  /// The newest number that was given.
  private(set) var lastNumber: Int64
  /// Letters from the line that wait for a load or for the end of a redo.
  var waiting = 0
  /// Set while the store has letters that are not here: those after this number.
  private(set) var unread: Int64?
  /// While the store is asked for them: the newest number that it is sure to tell of.
  private var readThrough: Int64?
  /// Every letter that was posted has been taken in.
  var isQuiet: Bool { line.isEmpty && waiting == 0 && unread == nil }
  var isReading: Bool { readThrough != nil }

  /// `last`: the newest number in the store; 0: it has no letters.
  init(last: Int64) {
    lastNumber = last
    if last > 0 { unread = 0 }
  }

  mutating func nextNumber() -> Int64 {
    lastNumber += 1
    return lastNumber
  }

  /// What is over the bound is left to the store, which has it.
  mutating func shorten(to countMax: Int) {
    guard line.count > countMax else { return }
    let kept = line.elements.prefix(countMax)
    line = Queue()
    for posted in kept { line.append(posted) }
    unread = kept.last.map(\.number) ?? 0
  }

  mutating func beginReading() { readThrough = lastNumber }

  /// Takes what was read after `unread`; `more`: the store had further ones then.
  mutating func take(_ read: [PostedLetter], more: Bool) {
    for posted in read { line.append(posted) }
    // What was posted since went to the store alone, perhaps after it had been read.
    let isAll = !more && readThrough == lastNumber
    unread = isAll ? nil : more ? read.last.map(\.number) : readThrough
    readThrough = nil
  }
}
