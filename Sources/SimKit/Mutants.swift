import Basics

/// Breaks the world of the engine on purpose: a checker must see it.
enum WorldMutant: String, CaseIterable {
  /// The shell is told that its batch is durable as soon as it has handed it over.
  case answersBeforeCommit
  /// The disk says that a sync is done, and has done nothing.
  case syncsNothing
  /// What was remembered of request ids does not reach the store.
  case forgetsRequestIDs
  /// One batch of events in eight does not reach the store.
  case losesEvents
  /// The engine's clock runs a tenth too fast.
  case clockRunsAhead
  /// A backup is the file as it lies on the disk, without what is in the log.
  case copiesWithoutLog
  /// A backup is one half of the file as it was when it began, and the other as it is at its end.
  case copiesAtTwoTimes

  /// The checker that is meant to see it.
  var checker: String {
    switch self {
    case .answersBeforeCommit: NothingLeavesEarly.name
    case .syncsNothing: AcknowledgedIsStored.name
    case .forgetsRequestIDs: OneEffectPerRequest.name
    case .losesEvents: HistoryIsWhole.name
    case .clockRunsAhead: TimersAreNotEarly.name
    case .copiesWithoutLog, .copiesAtTwoTimes: BackupsAreWhole.name
    }
  }
}

/// A fault by its name, and the checker that is meant to see it.
public struct NamedMutant: Sendable {
  public let name: String
  public let checker: String
  public let judge: Judge
  /// It shows in a world that begins with an old file.
  public let needsOldFile: Bool

  /// Where the checker looks.
  public enum Judge: Sendable, CaseIterable {
    /// Seeds of the world.
    case world
    /// Walks of the oracle.
    case oracle
  }

  public init(name: String, checker: String, judge: Judge = .world) {
    self.name = name
    self.checker = checker
    self.judge = judge
    needsOldFile = checker == OldFilesOpen.name
  }
}

public enum Mutants {
  /// Those of the world, and those of the engine where they were compiled in.
  public static let all = world + engine

  public static let world = WorldMutant.allCases.map {
    NamedMutant(name: $0.rawValue, checker: $0.checker)
  }

  #if MUTANTS
    public static let engine = Mutant.allCases.map {
      NamedMutant(
        name: $0.rawValue, checker: $0.checker,
        judge: $0.checker == Oracle.name ? .oracle : .world)
    }
  #else
    public static let engine: [NamedMutant] = []
  #endif

  /// Puts the engine's mutant of that name on in this process, and takes any other off.
  static func choose(_ name: String?) {
    #if MUTANTS
      Mutant.chosen = name.flatMap(Mutant.init)
    #endif
  }
}

#if MUTANTS
  extension Mutant {
    /// The checker that is meant to see it.
    fileprivate var checker: String {
      switch self {
      case .syncsLess, .batchIsSkipped: AcknowledgedIsStored.name
      case .requestIsForgotten, .repetitionIsNew: OneEffectPerRequest.name
      case .eventIsSkipped, .startsTwice, .goesOnAfterItsEnd, .activityLeavesItsRun:
        HistoryIsWhole.name
      case .activityStays, .timerStays: OneEndPerActivity.name
      case .staleAttemptCounts, .refusedCounts: StaleLeaseIsVoid.name
      case .timerIsEarly, .loadedTimerIsEarly, .codeBeginsEarly: TimersAreNotEarly.name
      case .stateForgetsCancel, .stateForgetsSignals: StateIsFold.name
      case .openRunIsOverlooked: OneOpenRun.name
      case .duplicatesAreAllowed, .failTerminates: PoliciesAreFollowed.name
      case .rowTellsAnotherEnd, .endsTwice: OneEndPerRun.name
      case .removesOpenRuns, .removesEarly, .removalLeavesHistory, .retentionIsTheEngines:
        RemovalIsWhole.name
      case .usedIsDeleted, .deletedIsFound, .listsShowOthers, .namespaceIsNotWritten:
        NamespacesAreApart.name
      case .changeHoldsForNewOnes: Oracle.name
      case .signalsUnbounded, .historyUnbounded, .activitiesUnbounded, .payloadsUnbounded,
        .unreadUnbounded:
        LimitsHold.name
      case .chainLosesSignals, .chainForgetsItsFirst: ChainIsWhole.name
      case .signalIsTwice, .signalsTurnRound, .signalIsNotShown: SignalsOnceInOrder.name
      case .gateIsOpen, .attemptLeavesEarly: NothingLeavesEarly.name
      case .taskIsForgotten, .leaseGoesToAll: OneTaskOut.name
      case .retriesForEver, .retriesAtOnce, .workflowsRetryForEver, .workflowsRetryAtOnce:
        RetriesKeepToPolicy.name
      case .timerNeverFires, .attemptIsForgotten, .letterIsLost, .placeIsForgotten,
        .localsAreForgotten:
        AllWorkEnds.name
      case .localStartsAreNotWritten: LocalsBeginOnce.name
      case .batchForgetsItsPlace, .batchMeetsNewRuns: BatchesMeetEachOnce.name
      case .leasesInHashOrder, .sessionsInHashOrder: SameTrace.name
      case .updateIsForgotten: UpdatesHaveOneOutcome.name
      case .letterIsReadTwice: LettersCountOnce.name
      case .detailsAreNotWritten, .namesAreNotWritten: DetailsAreKept.name
      case .markersAreHidden: SimWorker.name
      case .queueRateIsIgnored: RatesAreKept.name
      case .typeLimitIsIgnored, .concurrencyKeyIsIgnored, .openRunsAreNotCounted,
        .permitIsNotFreed, .permitIsNotWritten:
        PermitsAreKept.name
      case .resetLosesSignals, .resetDoublesSignals: CopiesAreTrue.name
      case .resetLeavesOldRun: OneOpenRun.name
      case .copyIsShort: HistoryIsWhole.name
      case .pausedRunsGoOn, .resetLosesActivities, .resetForgetsRequests, .resetKeepsSeed,
        .resetKeepsPause, .resetForgetsExclusion, .resetForgetsAnswers, .resetAsksNobody,
        .resetLosesWaiters, .resetIsTwice, .forkKeepsParent, .localsAreMoved,
        .localAttemptsRepeat, .anyoneEndsLocals, .admittedIsLost, .resetEndsChildren,
        .batchMeetsClosed, .attemptsAreNotKept,
        .idsAreShared, .kindsAreListedTogether, .activityBeginsEarly,
        .waitingActivityIsNotCancelled, .activityNamesAWorkflow, .lastAttemptIsForgotten,
        .pausedActivitiesGoOn, .exhaustedIsNotHeld, .resetNumbersRepeat, .optionsAreForgotten,
        .updateLosesItsPlace, .rejectionLeavesTrace, .deprecatedIsRequired,
        .closedIsUnknown, .failureIsNotDescribed, .intervalDefaultIsLong, .youngestFirst,
        .orBindsFirst, .absentIsFalse, .descendsNever, .pagesOverlap, .wordsReachAnybody,
        .attributesAreNotIndexed, .memoIsReplaced, .attributesStay, .typesAreNotCompared,
        .chainForgetsMemo,
        .parentHearsOfEachRun, .closePolicyIsOverlooked, .cancelWaitsAlways,
        .skippedTimesAreLost,
        .repeatedTimesComeTwice, .bufferOneHoldsAll, .bufferAllHoldsOne, .cancelOtherWaits,
        .terminateOtherCancels, .allowAllWaits,
        .priorityIsIgnored, .priorityIsNotInherited, .keysPayNothing, .weightsAreIgnored,
        .keyRateIsIgnored, .waitingOrderIsIgnored, .permitIsNotHandedOver:
        Oracle.name
      case .shapeHoldsNothing, .firingNamesNoTimer: HistoriesProject.name
      case .sentPartIsLost: Oracle.name
      case .oldFileIsRefused, .oldStateIsDamaged, .oldActivitiesAreLost:
        OldFilesOpen.name
      case .clocksStayTheSame, .overlapIsIgnored, .missedTimesAreTaken, .progressIsNotWritten:
        SchedulesKeepTime.name
      case .changesNothing: "none"
      }
    }
  }
#endif
