import Foundation
import Testing

/// What the loader brings into the process with the command.
@Suite("The binary") struct BinaryTests {
  /// The libraries of the debug binary, whose Swift runtime is shared; `make size` looks at the
  /// static one. Foundation as a whole is not among them: it doubles the idle memory.
  static let allowed: Set<String> = [
    // The system's.
    "libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    // Ours to choose.
    "libuv.so.1", "libsqlite3.so.0", "libprotobuf-c.so.1", "libtomlplusplus.so.3",
    // Swift's runtime, and the part of Foundation that argument-parser uses.
    "libswiftCore.so", "libswiftGlibc.so", "libswift_Concurrency.so",
    "libswift_StringProcessing.so", "libswift_RegexParser.so", "libswiftSynchronization.so",
    "libswiftSwiftOnoneSupport.so", "libswift_Builtin_float.so", "libFoundationEssentials.so",
    "lib_FoundationCollections.so", "libswiftObservation.so",
  ]

  /// The tests' bundle lies beside it.
  private static var binary: URL? {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appending(path: "holdfast")
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isDirectory),
        !isDirectory.boolValue
      {
        return candidate
      }
      folder.deleteLastPathComponent()
    }
    return nil
  }

  @Test func theCommandLoadsNoLibraryThatIsNotMeant() throws {
    let binary = try #require(BinaryTests.binary, "the command was not built")
    let needed = try #require(ELF([UInt8](Data(contentsOf: binary, options: .alwaysMapped))).needed)
    #expect(needed.contains("libc.so.6"), "the list was read")
    for library in needed where !BinaryTests.allowed.contains(library) {
      Issue.record("holdfast needs '\(library)': link without it, or add it with its reason")
    }
    #expect(!needed.contains("libFoundation.so"))
  }

  @Test func otherFilesHaveNoList() {
    #expect(ELF([]).needed == nil)
    #expect(ELF(Array("#!/bin/sh\n".utf8)).needed == nil)
    let head: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1]
    #expect(ELF(head + [UInt8](repeating: 0xFF, count: 200)).needed == nil)
  }
}

/// The dynamic section of an ELF file: 64 bits, little-endian.
struct ELF {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private struct Segment {
    let type: UInt64
    let offset: UInt64
    let address: UInt64
    let size: UInt64
  }

  /// The libraries that the loader must find; nil for anything that is not such a file.
  var needed: [String]? {
    guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let segments else { return nil }
    guard let dynamic = segments.first(where: { $0.type == 2 }) else { return [] }
    var names: [UInt64] = []
    var strings: UInt64?
    for entry in 0..<dynamic.size / 16 {
      guard let tag = number(dynamic.offset + entry * 16, 8),
        let value = number(dynamic.offset + entry * 16 + 8, 8)
      else { return nil }
      if tag == 0 { break }
      if tag == 1 { names.append(value) }
      if tag == 5 { strings = value }
    }
    // The table of texts is given by its address in memory.
    guard let strings,
      let segment = segments.first(where: {
        $0.type == 1 && strings >= $0.address && strings - $0.address < $0.size
      })
    else { return nil }
    return names.compactMap { text(segment.offset + strings - segment.address + $0) }
  }

  private var segments: [Segment]? {
    guard let table = number(32, 8), let size = number(54, 2), let count = number(56, 2) else {
      return nil
    }
    var segments: [Segment] = []
    for index in 0..<count {
      let (place, overflow) = table.addingReportingOverflow(index * size)
      guard !overflow, let type = number(place, 4), let offset = number(place + 8, 8),
        let address = number(place + 16, 8), let bytes = number(place + 32, 8)
      else { return nil }
      segments.append(Segment(type: type, offset: offset, address: address, size: bytes))
    }
    return segments
  }

  private func number(_ place: UInt64, _ count: UInt64) -> UInt64? {
    guard place <= UInt64(bytes.count), UInt64(bytes.count) - place >= count else { return nil }
    return (0..<count).reduce(0) { $0 | UInt64(bytes[Int(place + $1)]) << (8 * $1) }
  }

  private func text(_ place: UInt64) -> String? {
    guard place < UInt64(bytes.count) else { return nil }
    return String(decoding: bytes[Int(place)...].prefix { $0 != 0 }, as: UTF8.self)
  }
}
