import Basics
import EngineCore
import Messages
import Shell

/// What a checker can see of a simulation.
enum Observation {
  /// A client sends the request, for the first time or once more.
  case sent(ClientRequest)
  /// The last frame of a request's stream is leaving the engine.
  case answerLeaves(ClientRequest, Answer)
  /// A message of a streamed answer is leaving the engine.
  case partLeaves(ClientRequest, [UInt8])
  /// A message is leaving the engine on a worker's connection.
  case toWorker(ConnectionID, EngineMessage.Kind)
  /// A message of a worker has come to the engine.
  case fromWorker(ConnectionID, WorkerMessage.Kind)
  /// The client has its answer; of a streamed one, the messages before it.
  case answered(ClientRequest, Answer, [[UInt8]])
  /// A worker was told that its attempt's end is recorded, or that it counts for nothing.
  case activityRecorded(token: [UInt8], mark: String, answer: WorkerMessage.Kind?)
  case activityRefused(mark: String)
  /// A worker begins an attempt of a local activity; 0: as many as it takes.
  case localBegins(run: RunID, seq: UInt32, attempt: Int32, attemptsMax: Int32)
  /// A batch is durable; the ledger has it.
  case committed([Write])
  /// The store was opened again after a crash; the ledger was read from it.
  case reopened
  /// The engine keeps so many bytes for the peer: parts of frames, and what it has not read.
  case held(ConnectionID, received: Int, unread: Int)
  /// The engine knows that the peer is gone, by its connection or its process.
  case linkEnded(ConnectionID)
  case engineDied
  /// A backup is complete: whether it holds what the store holds, and what is wrong with its pages.
  case backedUp(isSame: Bool, faults: [String])
  /// Nothing is on its way to the store; some of the runs that the engine has in memory.
  case atRest([ResidentRun])
  /// There have been no faults since then, and these requests have no answer yet.
  case waiting(sinceUs: Int64, requests: [ClientRequest])
  /// Everything has come to its end.
  case finished
}

/// Watches one invariant. Each lives in a file of its own, which begins by saying it.
protocol Checker: AnyObject {
  /// The invariant's number in the fault model, and its name.
  static var name: String { get }
  func see(_ observation: Observation, _ scene: Scene)
}

/// What checkers are shown with each observation.
struct Scene {
  let us: Int64
  let ledger: Ledger
  /// The first call ends the simulation.
  let found: (String) -> Void
}

enum Checkers {
  static func all(_ options: Options) -> [any Checker] {
    [
      AcknowledgedIsStored(), OneEffectPerRequest(), HistoryIsWhole(), StateIsFold(),
      OneEndPerActivity(), StaleLeaseIsVoid(), TimersAreNotEarly(), OneOpenRun(),
      PoliciesAreFollowed(), SignalsOnceInOrder(), UpdatesHaveOneOutcome(), ChainIsWhole(),
      NothingLeavesEarly(), OneTaskOut(), OneEndPerRun(), RetriesKeepToPolicy(),
      RemovalIsWhole(retention: options.retention),
      AllWorkEnds(), LimitsHold(options.limits, options.shellLimits),
      OldFilesOpen(hasFile: options.file != nil),
      LettersCountOnce(), ResultsAreExpected(), ReadsAreTrue(), SchedulesKeepTime(),
      BackupsAreWhole(), DetailsAreKept(), CopiesAreTrue(), HistoriesProject(),
      LocalsBeginOnce(), RatesAreKept(), BatchesMeetEachOnce(), PermitsAreKept(),
      NamespacesAreApart(),
    ]
  }
}
