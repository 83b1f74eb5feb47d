import SQLiteStore

/// Backups, a few pages after each order of the store, as its thread takes them.
extension EngineHost {
  private static let copyPath = "copy.db"

  func beginBackup() {
    guard let store, backup == nil, !isFull else { return }
    world.trace("a backup begins")
    removeCopy()
    if world.mutant == .copiesAtTwoTimes { backupHead = file() }
    do throws(StoreError) {
      backup = try store.backup(into: EngineHost.copyPath)
    } catch { world.trace("no backup can begin") }
  }

  /// What is copied of it is lost with the process.
  func endBackup() { backup = nil }

  private func removeCopy() {
    for beside in ["", "-wal", "-shm"] { disk.remove(EngineHost.copyPath + beside) }
  }

  func copySome() throws(StoreError) {
    guard let store, backup != nil else { return }
    do throws(StoreError) {
      let pages = Int32(world.time.dice.int(1...8))
      guard try backup?.step(pages: pages) == true else { return }
    } catch {
      // The disk is full or fails, under the copy alone.
      world.trace("the backup fails")
      return endBackup()
    }
    endBackup()
    world.trace("the backup is complete")
    replaceCopy()
    let digest = try store.digest()
    do throws(StoreError) {
      let copied = try Store.examine(EngineHost.copyPath, vfs: disk.name)
      world.observe(.backedUp(isSame: copied.digest == digest, faults: copied.faults))
    } catch {
      guard case .corrupt(_, let what) = error else { return }
      world.observe(.backedUp(isSame: false, faults: [what]))
    }
  }

  /// What a mutant gives out as the backup.
  private func replaceCopy() {
    let bytes: [UInt8]
    switch world.mutant {
    case .copiesWithoutLog: bytes = disk.bytes(EngineHost.path)
    case .copiesAtTwoTimes:
      let half = backupHead.count / 2
      bytes = Array(backupHead[..<half] + file().dropFirst(half))
    default: return
    }
    removeCopy()
    disk.put(EngineHost.copyPath, bytes)
  }
}
