import Testing

/// A word that the project does without.
struct BannedWord: Sendable {
  enum Place: Sendable {
    /// Everything that is written, comments and texts included.
    case text
    /// Code only.
    case code
  }

  let word: String
  let instead: String
  var place = Place.code
  var extensions: Set<String> = ["swift"]
  /// Empty: the whole project.
  var folders: [String] = []
  /// Where it may stand, each with its reason in the table.
  var except: [String] = []
}

extension BannedWord {
  private static let everywhere: Set<String> = [
    "swift", "c", "h", "cpp", "py", "md", "proto", "sh",
  ]
  /// What must come out the same from the same inputs, in the simulator too.
  private static let pure = [
    "Sources/Basics", "Sources/Messages", "Sources/EngineCore", "Sources/Wire", "Sources/Shell",
  ]
  /// What runs on the engine's two threads.
  private static let engine =
    pure + ["Sources/UVLoop", "Sources/SQLiteStore", "Sources/Sidecar"]
  /// What users link or run: it speaks through its log and its results.
  private static let library = engine + ["Sources/Harness", "clients/swift/Sources"]

  private static func text(_ word: String, _ instead: String) -> BannedWord {
    BannedWord(word: word, instead: instead, place: .text, extensions: everywhere)
  }

  private static func code(
    _ word: String, in folders: [String], except: [String] = [], _ instead: String
  ) -> BannedWord {
    BannedWord(word: word, instead: instead, folders: folders, except: except)
  }

  static let notes = [
    text("TODO", "do it, or say in the text what is missing and why"),
    text("FIXME", "fix it, or say in the text what is wrong and why it stays"),
    text("XXX", "say what is odd about it"),
    text("HACK", "say why it is done in this way"),
  ]

  /// One word per idea: the words are in Glossary.md.
  static let synonyms = [
    text("master", "primary, or main"),
    text("slave", "replica, or worker"),
    text("blacklist", "refused, or a list named after what it refuses"),
    text("whitelist", "allowed, or a list named after what it allows"),
    text("sanity", "say what is checked"),
    text("dummy", "say what it stands for"),
    text("decider", "workflow code"),
    text("poller", "session (a worker does not poll: it grants slots)"),
    text("pollers", "sessions (workers do not poll: they grant slots)"),
    text("tasklist", "task queue"),
    text("orchestrator", "workflow, or engine"),
    text("journal", "history"),
  ]

  static let swift = [
    code("try!", in: [], "throw, or `try #require` in a test"),
    code("as!", in: [], "a switch over the types that it can be"),
    code("fatalError", in: [], "preconditionFailure with the state that cannot be"),
    code("print", in: library, "the log, or an error that the caller gets"),
    code("NSLock", in: engine, "a queue between threads"),
    // There it is a list of 64 at most, and once per attempt.
    code(
      "removeFirst()", in: engine, except: ["Sources/EngineCore/Engine+Activities.swift"],
      "Queue, or a read index: it moves every element"),
    code("hashValue", in: engine, "Fingerprint: Swift's hashes differ between processes"),
    code("Hasher", in: engine, "Fingerprint: Swift's hashes differ between processes"),
    code("Date", in: pure, "the `now` that was handed in"),
    code("ContinuousClock", in: pure, "the `now` that was handed in"),
    code("clock_gettime", in: pure, "the `now` that was handed in"),
    code("getenv", in: pure, "a field of the configuration"),
    code("SystemRandomNumberGenerator", in: pure, "the seeded generator of the engine"),
    code("random", in: ["Sources/Wire", "Sources/Shell"], "the seeded generator of the engine"),
    code("async", in: engine, "an input and an effect: two threads, values through queues"),
    code("await", in: engine, "an input and an effect: two threads, values through queues"),
    code("actor", in: engine, "a struct that one thread owns"),
    code("DispatchQueue", in: engine, "the loop's thread, or the store's"),
    code("Mutex", in: engine, "Mailbox: values through queues"),
    code("Atomic", in: engine, "Mailbox: values through queues"),
    // The two ends of the queue between the two threads.
    code(
      "pthread_mutex_lock", in: engine, except: ["Sources/Sidecar/Mailbox.swift"],
      "Mailbox: values through queues"),
  ]

  private static let timeless = ["Tests", "clients/swift/Tests"]
  /// Real time is what end-to-end tests are about; the worker of theirs takes the time it is told.
  private static let timed = ["Tests/EndToEndTests", "Tests/TestWorker"]
  private static let wait = "a clock that the test moves, or a wait for what is to happen"

  static let tests = [
    code("Thread.sleep", in: timeless, except: timed, wait),
    code("Task.sleep", in: timeless, except: timed, wait),
    code("usleep", in: timeless, except: timed, wait),
    code("nanosleep", in: timeless, except: timed, wait),
    code("asyncAfter", in: timeless, except: timed, wait),
    code("expect(true", in: timeless, "an assertion that can fail"),
    code("withKnownIssue", in: timeless, "mend it; a failing test stays red until then"),
    code(".disabled", in: timeless, "mend it, or take it away"),
  ]

  private static func c(_ word: String, _ instead: String) -> BannedWord {
    BannedWord(
      word: word, instead: instead, extensions: ["c", "h", "cpp"],
      folders: ["clients/c/src", "clients/c/adapters", "Sources"])
  }

  static let clients = [
    c("gets(", "a read with a length"),
    c("strcpy(", "memcpy with the length that was checked"),
    c("strcat(", "snprintf, or memcpy with the length that was checked"),
    c("sprintf(", "snprintf"),
    c("printf(", "an error that the caller gets: a library prints nothing"),
    c("signal(", "MSG_NOSIGNAL: a library has no signal handlers"),
    c("alloca(", "the arena"),
    BannedWord(
      word: "except:", instead: "name the exception", extensions: ["py"],
      folders: ["clients/python", "examples"]),
    BannedWord(
      word: "eval(", instead: "a parser", extensions: ["py"],
      folders: ["clients/python", "examples"]),
    BannedWord(
      word: "print(", instead: "logging, or an exception", extensions: ["py"],
      folders: ["clients/python/holdfast"]),
  ]

  static let all = notes + synonyms + swift + tests + clients
}

extension BannedWord {
  /// Whole words only: `usleep` is not in `usleeping`, `print(` not in `footprint(`.
  func stands(in line: some StringProtocol) -> Bool {
    let line = Array(line.utf8)
    let word = Array(word.utf8)
    guard line.count >= word.count else { return false }
    return (0...line.count - word.count).contains { place in
      guard line[place..<place + word.count].elementsEqual(word) else { return false }
      let end = place + word.count
      return !(place > 0 && BannedWord.isWord(line[place - 1]) && BannedWord.isWord(word[0]))
        && !(end < line.count && BannedWord.isWord(line[end]) && BannedWord.isWord(word.last ?? 0))
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      return true
    default: return false
    }
  }

  func isLookedFor(in file: SourceFile) -> Bool {
    extensions.contains(file.fileExtension) && (folders.isEmpty || file.isUnder(folders))
      && !file.isUnder(except)
  }

  /// `path:line: 'word'; instead: …` for each line that holds it.
  func findings(in file: SourceFile, code: [Substring]) -> [String] {
    let lines = place == .code ? code : file.lines
    return lines.indices.filter { stands(in: lines[$0]) }
      .map { "\(file.path):\($0 + 1): '\(word)'; instead: \(instead)" }
  }
}

@Suite("Words") struct WordTests {
  /// The table itself, which names every word.
  private static let table = "Tests/TidyTests/WordTests.swift"

  @Test func noBannedWordIsUsed() {
    for file in SourceTree.files where file.path != WordTests.table {
      let words = BannedWord.all.filter { $0.isLookedFor(in: file) && file.holds($0.word) }
      guard !words.isEmpty else { continue }
      let code = file.fileExtension == "swift" ? SwiftCode(file.text).lines : file.lines
      for finding in words.flatMap({ $0.findings(in: file, code: code) }) {
        Issue.record("\(finding)")
      }
    }
  }

  @Test func aFindingNamesThePlaceTheWordAndWhatToUse() throws {
    let file = SourceFile(path: "Sources/Shell/A.swift", text: "let a = 1\nlet b = try! c()  // x")
    let word = try #require(BannedWord.swift.first { $0.word == "try!" })
    #expect(
      word.findings(in: file, code: SwiftCode(file.text).lines) == [
        "Sources/Shell/A.swift:2: 'try!'; instead: throw, or `try #require` in a test"
      ])
  }

  @Test(arguments: [
    ("Task.sleep", "try await Task.sleep(for: a)", true), ("usleep", "usleep(1)", true),
    ("usleep", "usleeping()", false), ("sleep", "usleep(1)", false), ("print(", "  print(a)", true),
    ("print(", "footprint(a)", false),
    ("TODO", "// TODO: more", true), ("XXX", "/tmp/a-XXXXXX", false), ("as!", "a as! B", true),
    ("as!", "canvas!", false), ("removeFirst()", "a.removeFirst()", true),
    ("removeFirst()", "a.removeFirst(3)", false),
  ])
  func onlyWholeWordsCount(_ word: String, _ line: String, _ stands: Bool) {
    #expect(BannedWord(word: word, instead: "").stands(in: line) == stands)
  }

  @Test func everyFolderOfTheTableExists() {
    let paths = SourceTree.files.map(\.path)
    for word in BannedWord.all {
      for place in word.folders + word.except {
        #expect(paths.contains { $0 == place || $0.hasPrefix(place + "/") }, "\(place)")
      }
    }
  }
}
