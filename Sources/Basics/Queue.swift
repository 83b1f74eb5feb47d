/// First in, first out, in a ring that grows: no element moves when the first one leaves.
///
/// Inlinable, like `DeadlineHeap`: other modules use them for types of their own, and without it
/// each call looks the generic type up at run time (a sixth of the throughput at 64 in flight).
public struct Queue<Element> {
  @usableFromInline var slots: [Element?] = []
  @usableFromInline var head = 0
  @usableFromInline var used = 0

  @inlinable public init() {}

  @inlinable public var count: Int { used }
  @inlinable public var isEmpty: Bool { used == 0 }
  @inlinable public var first: Element? { used == 0 ? nil : slots[head] }

  @inlinable public mutating func append(_ element: Element) {
    if used == slots.count { grow() }
    slots[(head + used) & (slots.count - 1)] = element
    used += 1
  }

  /// Takes an element in again that was the first one.
  @inlinable public mutating func prepend(_ element: Element) {
    if used == slots.count { grow() }
    head = (head + slots.count - 1) & (slots.count - 1)
    slots[head] = element
    used += 1
  }

  @inlinable public mutating func popFirst() -> Element? {
    guard used > 0 else { return nil }
    let element = slots[head]
    slots[head] = nil
    head = (head + 1) & (slots.count - 1)
    used -= 1
    return element
  }

  /// The elements from the first to the last.
  @inlinable public var elements: [Element] { prefix(used) }

  /// The first elements, at most `countMax`.
  @inlinable public func prefix(_ countMax: Int) -> [Element] {
    (0..<min(used, countMax)).compactMap { slots[(head + $0) & (slots.count - 1)] }
  }

  @inlinable mutating func grow() {
    var larger = [Element?](repeating: nil, count: max(8, slots.count * 2))
    for index in 0..<used { larger[index] = slots[(head + index) & (slots.count - 1)] }
    slots = larger
    head = 0
  }
}

extension Queue: Sendable where Element: Sendable {}
