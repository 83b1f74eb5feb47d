/// Everyone who connects under one uid: what they use together, so that none starves the others.
///
/// A class, like `Connection`, and shared by the connections of the user.
final class User {
  let uid: UInt32
  var connections = 0
  /// What their connections hold, and their requests that are under way.
  var heldBytes = 0
  var requestBytes = 0

  init(uid: UInt32) { self.uid = uid }
}
