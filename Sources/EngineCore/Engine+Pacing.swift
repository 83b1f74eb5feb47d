import Basics
import Messages

/// Queues whose activities are given out at a rate: what comes waits its turn there even if a
/// worker has room, and what a bucket keeps back goes when its time comes.
extension Engine {
  /// Gives out what the rate allows, each one to the session with the most room.
  mutating func fillPaced(_ key: QueueKey) {
    guard let queue = queues[key] else { return }
    var left = queue.sessions
    while let place = left.indices.max(by: { slots(left[$0]) < slots(left[$1]) }) {
      if !takeAttempt(left[place]) { left.remove(at: place) }
    }
    watchPace(of: queue, key)
  }

  private func slots(_ id: SessionID) -> UInt64 { sessions[id]?.activitySlots ?? 0 }

  /// Sees to it that the queue is looked at when a rate lets something go.
  mutating func watchPace(of queue: TaskQueue, _ key: QueueKey) {
    guard queue.pacing != nil else { return }
    // Every session is asked, in this step.
    if queue.takeWoken() { paced.insert(key) }
    // Without a worker there is nothing to be in time for.
    if !queue.sessions.isEmpty, let time = queue.paceTime(now) {
      deadlines.set(.pace(key), at: time, order: .init(0))
    } else {
      deadlines.remove(.pace(key))
    }
  }
}
