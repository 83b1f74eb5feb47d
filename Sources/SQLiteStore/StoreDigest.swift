import Basics
import CSQLite

/// What a store holds, in one number: two with the same digest have the same rows.
extension Store {
  public func digest() throws(StoreError) -> Fingerprint { try database.digest() }

  /// Of a file that nobody uses, and what is wrong with its pages.
  public static func examine(_ path: String, vfs: String?) throws(StoreError)
    -> (digest: Fingerprint, faults: [String])
  {
    let database = try Database(path: path, create: false, vfs: vfs)
    try database.execute("PRAGMA locking_mode = EXCLUSIVE")
    return (try database.digest(), try database.integrityFaults())
  }
}

extension Database {
  fileprivate func digest() throws(StoreError) -> Fingerprint {
    let names = try Statement(
      self, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    var digest = Fingerprint(of: "tables")
    while try names.step() {
      let name = names.text(0)
      digest = Fingerprint(of: Array(name.utf8) + digest.bytes)
      // In the order of their keys.
      let rows = try Statement(self, "SELECT * FROM \(name)")
      while try rows.step() {
        for column in 0..<rows.columns {
          digest = Fingerprint(of: rows.bytes(column) + digest.bytes)
        }
      }
    }
    return digest
  }
}

extension Fingerprint {
  fileprivate var bytes: [UInt8] {
    withUnsafeBytes(of: high) { Array($0) } + withUnsafeBytes(of: low) { Array($0) }
  }
}
