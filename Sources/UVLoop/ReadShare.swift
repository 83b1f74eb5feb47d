/// How much is read in a turn of the loop, so that one who sends without end does not keep others
/// waiting: users have equal parts of a turn, and a user's connections equal shares of the part.
struct ReadShare {
  /// What all connections together are read in a turn, about.
  static let turnBytes = 1 << 20
  /// Of one connection.
  static let bytesMin = 4 << 10
  static let bytesMax = 64 << 10
  /// So many turns after it was read last, a user still has its part: else each of its requests
  /// would have to wait for a turn that others had for themselves.
  static let keptTurns = 1_000

  /// Those with a connection or a part of the turn.
  private var users: [UInt32: ReadingUser] = [:]
  /// Those with a part of the turn; most often there is one.
  private var present: [ReadingUser] = []

  /// A connection of the user comes, and is read from now on.
  mutating func connected(_ uid: UInt32) -> ReadingUser {
    let user = users[uid] ?? ReadingUser(uid: uid)
    user.connections += 1
    users[uid] = user
    return user
  }

  mutating func disconnected(_ user: ReadingUser) {
    user.connections -= 1
    forget(user)
  }

  private mutating func forget(_ user: ReadingUser) {
    if user.connections == 0 && !user.isPresent { users[user.uid] = nil }
  }

  /// What a connection of the user may be read now; it asks once a turn, and gives back what it has
  /// not needed. 0: in a later turn.
  mutating func take(_ user: ReadingUser) -> Int {
    if !user.isPresent {
      user.isPresent = true
      present.append(user)
    }
    return user.take()
  }

  /// The next turn's parts and shares follow from who was read in this one.
  mutating func endTurn() {
    var part = ReadShare.turnBytes / max(1, present.count)
    // No more than others make of theirs with one connection.
    if present.count > 1 { part = min(ReadShare.bytesMax, max(ReadShare.bytesMin, part)) }
    var isGone = false
    for user in present {
      user.endTurn(part: part)
      guard !user.isPresent else { continue }
      isGone = true
      forget(user)
    }
    if isGone { present.removeAll { !$0.isPresent } }
  }
}

/// A user whose connections are read.
final class ReadingUser {
  let uid: UInt32
  fileprivate var connections = 0
  fileprivate var isPresent = false
  private var idleTurns = 0
  /// What is left of the user's part of this turn, and what each connection may have of it.
  private var left = ReadShare.turnBytes
  private var share = ReadShare.bytesMax
  /// Connections that have asked in this turn. Where the part is too small for all, the next turn
  /// begins with the first that was left out: they ask in the same order.
  private var asked = 0
  private var first = 0
  private var next = 0

  fileprivate init(uid: UInt32) { self.uid = uid }

  fileprivate func take() -> Int {
    let place = asked
    asked += 1
    guard left > 0, place >= first else { return 0 }
    next = place + 1
    left -= share
    return share
  }

  /// So many bytes of a share were not there to be read.
  func giveBack(_ bytes: Int) { left += bytes }

  fileprivate func endTurn(part: Int) {
    idleTurns = asked == 0 ? idleTurns + 1 : 0
    isPresent = idleTurns < ReadShare.keptTurns
    first = left <= 0 && next < asked ? next : 0
    share = min(ReadShare.bytesMax, max(ReadShare.bytesMin, part / max(1, asked)))
    // What those at the end have left belongs to those at the beginning, who were left out.
    left = part + min(left, part, ReadShare.bytesMax)
    asked = 0
    next = 0
  }
}
