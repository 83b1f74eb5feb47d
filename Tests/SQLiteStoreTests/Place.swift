import Basics
import EngineCore
import Glibc
import Messages

@testable import SQLiteStore

/// A store in a directory of its own.
final class Place {
  let directory: String
  var path: String { directory + "/holdfast.db" }

  init() {
    var template = Array("/tmp/holdfast-store-XXXXXX".utf8CString)
    directory = String(cString: mkdtemp(&template))
  }

  deinit {
    for name in ["", "-wal", "-shm", ".lock", ".ballast"] { unlink(path + name) }
    rmdir(directory)
  }

  var options: StoreOptions {
    var options = StoreOptions()
    options.ballastBytes = 1 << 20
    return options
  }
}

func row(_ number: Int64, _ workflowID: String, deadline: Instant? = RunRow.immediately)
  -> RunRow
{
  RunRow(
    number: RunNumber(number), namespace: "default", workflowID: workflowID,
    runID: RunID(high: UInt64(number), low: 7), workflowType: "order", taskQueue: "q",
    status: .running, startTime: Instant(ms: 1_000 + number), closeTime: nil, historyLength: 0,
    historySizeBytes: 0, deadline: deadline, summary: "s")
}

func append(_ run: Int64, _ first: Int64, _ last: Int64, _ text: String) -> Write {
  .appendHistory(run: RunNumber(run), first: first, last: last, bytes: Array(text.utf8))
}

func load(_ store: Store, _ subject: Load.Subject) throws -> Loaded.Content {
  try store.load(Load(id: Load.ID(1), subject: subject)).content
}

func run(_ store: Store, _ number: Int64) throws -> StoredRun? {
  guard case .run(let run, _) = try load(store, .run(RunNumber(number))) else { return nil }
  return run
}
