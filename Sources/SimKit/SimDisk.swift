import CSimDisk

/// The disk of a simulation: its one owner. Files live in memory; see `sim_disk.h`.
final class SimDisk {
  private let disk: OpaquePointer
  /// Of its VFS.
  let name: String

  init() {
    guard let disk = sim_disk_new() else { preconditionFailure("no memory for a disk") }
    self.disk = disk
    name = String(cString: sim_disk_name(disk))
  }

  deinit { sim_disk_free(disk) }

  func put(_ name: String, _ bytes: [UInt8]) {
    let isThere = bytes.withUnsafeBytes {
      sim_disk_put(disk, name, $0.baseAddress, Int64($0.count))
    }
    precondition(isThere == 1, "no memory for a file of \(bytes.count) bytes")
  }

  func remove(_ name: String) { sim_disk_remove(disk, name) }

  /// Empty when there is no such file.
  func bytes(_ name: String) -> [UInt8] {
    var count: Int64 = 0
    let bytes = sim_disk_bytes(disk, name, &count)
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
  }

  var isFull = false { didSet { sim_disk_set_full(disk, isFull ? 1 : 0) } }

  /// A sync says that it is done, and does nothing.
  var isLying = false { didSet { sim_disk_set_lying(disk, isLying ? 1 : 0) } }

  /// After so many operations the machine stops.
  func stop(after operations: Int64) { sim_disk_stop_after(disk, operations) }
  func failSync(after count: Int64) { sim_disk_fail_sync(disk, count) }
  func failWrite(after count: Int64) { sim_disk_fail_write(disk, count) }

  /// The process is gone: what its connection still asks for fails.
  func stop() { sim_disk_stop(disk) }
  func losePower(_ seed: UInt64) { sim_disk_lose_power(disk, seed) }
  func restart() { sim_disk_restart(disk) }
}
