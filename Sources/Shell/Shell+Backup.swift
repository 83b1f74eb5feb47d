import Basics
import EngineCore
import Messages
import Wire

/// What the store is told of backups.
public enum BackupOrder: Sendable, Equatable {
  /// Answered by `Shell.backup(_:)`: any number of `copied`, and one end.
  case begin(path: String, overwrite: Bool)
  /// The one that is under way is not wanted any more; it ends with its answer all the same.
  case cancel
}

/// What the store tells of the backup under way.
public enum BackupNews: Sendable, Equatable {
  case copied(pages: Int64, of: Int64)
  /// The file is there, whole and durable.
  case done(bytes: Int64, pages: Int64)
  /// There is no file.
  case failed(BackupFault, String)
}

public enum BackupFault: Sendable {
  /// Something has the name already.
  case exists
  /// No backup may be written there.
  case refused
  /// The disk was full, or an I/O error.
  case failed
  /// It was told to end.
  case cancelled
}

/// The backup under way; one at a time, so that what it costs is bounded.
struct RunningBackup {
  let path: String
  let began: Instant
  /// Who waits for it; nil once they have gone, and the store is to end it.
  var request: RequestID?
}

extension Shell {
  /// Why no backup can begin; what only the machine's files show, the store finds out.
  func refusal(of wanted: BackupRequest) -> Status? {
    let path = wanted.path
    if path.isEmpty { return .of(.invalidArgument, .fieldMissing, "path is empty", "path") }
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    guard path.hasPrefix("/"), !["", ".", ".."].contains(name),
      path.utf8.count <= configuration.limits.backupPathBytesMax
    else {
      return .of(
        .invalidArgument, .fieldInvalid,
        "path: it must be the absolute path of a file on the engine's machine", "path")
    }
    if configuration.storePath.isEmpty {
      return .of(.failedPrecondition, .backupFailed, "the engine keeps no file (--in-memory)")
    }
    if isDiskFull {
      return .of(.resourceExhausted, .diskFull, "the engine's disk is full", retryAfterMs: 1_000)
    }
    guard let backup else { return nil }
    return .of(
      .resourceExhausted, .backupRunning, "a backup to '\(backup.path)' is under way",
      retryAfterMs: 1_000)
  }

  mutating func beginBackup(_ wanted: BackupRequest, _ request: RequestID) {
    backup = RunningBackup(path: wanted.path, began: clock.now, request: request)
    output.backup = .begin(path: wanted.path, overwrite: wanted.overwrite)
  }

  /// Nobody waits for it any more.
  mutating func abandonBackup(_ request: RequestID) {
    guard backup?.request == request else { return }
    backup?.request = nil
    if case .begin = output.backup {
      // The store has not heard of it.
      output.backup = nil
      backup = nil
    } else {
      output.backup = .cancel
    }
  }

  /// Ends the backup under way, if there is one, and tells why.
  mutating func endBackup(_ status: Status) {
    guard let request = backup?.request else { return }
    abandonBackup(request)
    guard let connection = connections[ConnectionID(request.connection)] else { return }
    end(connection, request.stream, status)
  }

  /// The store tells how the backup goes.
  public mutating func backup(_ news: BackupNews) {
    guard let running = backup else { preconditionFailure("news of no backup: \(news)") }
    if case .copied(let pages, let total) = news {
      var response = BackupResponse()
      response.pagesDone = pages
      response.pagesTotal = total
      return tell(response, running.request)
    }
    backup = nil
    guard let request = running.request,
      let connection = connections[ConnectionID(request.connection)]
    else { return }
    switch news {
    case .copied: break
    case .done(let bytes, let pages):
      var response = BackupResponse()
      response.pagesDone = pages
      response.pagesTotal = pages
      response.done = done(running, bytes: bytes, pages: pages)
      tell(response, request)
      end(connection, request.stream, Status())
    case .failed(let fault, let text): end(connection, request.stream, fault.status(text))
    }
  }

  private func done(_ running: RunningBackup, bytes: Int64, pages: Int64) -> BackupDone {
    var done = BackupDone()
    done.path = running.path
    done.bytes = bytes
    done.pages = pages
    done.epoch = epoch
    done.durationMs = clock.now - running.began
    return done
  }

  /// The last of a stream's credit is kept for the end: progress waits for nobody.
  private mutating func tell(_ response: BackupResponse, _ request: RequestID?) {
    guard let request, let connection = connections[ConnectionID(request.connection)],
      case .backup(let credit) = connection.stream(request.stream),
      credit > (response.done == nil ? 1 : 0)
    else { return }
    withOutgoing(connection) { $0.append(stream: request.stream, body: response, to: &$1) }
    connection.streams[request.stream]?.stream = .backup(credit: credit - 1)
  }
}

extension BackupFault {
  fileprivate func status(_ text: String) -> Status {
    switch self {
    case .exists: .of(.alreadyExists, .backupExists, text)
    case .refused: .of(.invalidArgument, .fieldInvalid, "path: \(text)", "path")
    case .failed: .of(.aborted, .backupFailed, text)
    case .cancelled: .of(.cancelled, .unspecified, text)
    }
  }
}
