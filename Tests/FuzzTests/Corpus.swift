import FuzzTargets
import Glibc

/// The inputs that are kept, a folder for each target.
enum Corpus {
  struct Unreadable: Error { let path: String }

  static func path(_ target: FuzzTarget) -> String {
    #filePath.prefix(upTo: #filePath.lastIndex(of: "/")!) + "/Corpus/" + target.rawValue
  }

  static func inputs(_ target: FuzzTarget) throws -> [[UInt8]] {
    guard let folder = opendir(path(target)) else { throw Unreadable(path: path(target)) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return try names.filter { !$0.hasPrefix(".") }.sorted().map {
      try read(path(target) + "/" + $0)
    }
  }

  static func read(_ path: String) throws -> [UInt8] {
    let fd = open(path, O_RDONLY)
    guard fd >= 0 else { throw Unreadable(path: path) }
    defer { close(fd) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = Glibc.read(fd, &buffer, buffer.count), count > 0 {
      bytes += buffer[..<count]
    }
    return bytes
  }

  static func write(_ bytes: [UInt8], _ path: String) throws {
    let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard fd >= 0, Glibc.write(fd, bytes, bytes.count) == bytes.count else {
      throw Unreadable(path: path)
    }
    close(fd)
  }
}
