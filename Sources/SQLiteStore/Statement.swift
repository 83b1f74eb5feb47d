import Basics
import CSQLite

/// One prepared statement, kept for the connection's life and used by one thread.
final class Statement {
  private let handle: OpaquePointer
  private let database: Database

  init(_ database: Database, _ sql: String) throws(StoreError) {
    self.database = database
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(
      database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw database.error("prepare: \(sql)") }
    handle = statement
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: - Binding, from 1

  func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

  func bind(_ index: Int32, _ value: Int64?) {
    if let value { bind(index, value) } else { sqlite3_bind_null(handle, index) }
  }

  func bind(_ index: Int32, _ text: String) {
    var text = text
    text.withUTF8 { bytes in
      _ = bytes.withMemoryRebound(to: CChar.self) {
        holdfast_bind_text(handle, index, $0.baseAddress, UInt64($0.count))
      }
    }
  }

  /// The bytes must stay valid until the step.
  func bind(_ index: Int32, static bytes: UnsafeRawBufferPointer) {
    holdfast_bind_static(handle, index, bytes.baseAddress, UInt64(bytes.count))
  }

  /// Binds a copy of two words, as 16 big-endian bytes: a key that sorts like the number.
  func bind(_ index: Int32, high: UInt64, low: UInt64) {
    var words = (high.bigEndian, low.bigEndian)
    withUnsafeBytes(of: &words) { bytes in
      _ = sqlite3_bind_blob64(
        handle, index, bytes.baseAddress, 16, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }
  }

  // MARK: - Running

  /// True if there is a row.
  func step() throws(StoreError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw database.error(String(cString: sqlite3_sql(handle)))
    }
  }

  /// Runs a statement without rows, and makes it ready for its next use.
  func run() throws(StoreError) {
    defer { sqlite3_reset(handle) }
    while try step() {}
  }

  func reset() { sqlite3_reset(handle) }

  // MARK: - Columns of the row, from 0

  var columns: Int32 { sqlite3_column_count(handle) }

  func int(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func optionalInt(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : int(column)
  }

  func text(_ column: Int32) -> String {
    guard let start = sqlite3_column_text(handle, column) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(handle, column) else { return [] }
    return Array(
      UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
  }

  func words(_ column: Int32) -> (high: UInt64, low: UInt64) {
    let bytes = bytes(column)
    guard bytes.count == 16 else { return (0, 0) }
    return bytes.withUnsafeBytes {
      (
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }
}
