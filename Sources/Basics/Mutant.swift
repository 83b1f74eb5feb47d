#if MUTANTS
  /// A fault that is put into the engine on purpose, so that the simulator's checkers are seen to
  /// see it. Only `make mutants` builds with these: any other binary has none of it.
  public enum Mutant: String, CaseIterable, Sendable {
    // I1: the store loses what was acknowledged.
    case syncsLess, batchIsSkipped
    // I2: a request id is forgotten, at once or for other runs.
    case requestIsForgotten, repetitionIsNew
    // I3: a history with a gap, two starts, a life after its end.
    case eventIsSkipped, startsTwice, goesOnAfterItsEnd
    // I4: the state row is not the state.
    case stateForgetsCancel, stateForgetsSignals
    // I5: what has ended is still there to end.
    case activityStays, timerStays
    // I6: a report of an attempt that is over counts.
    case staleAttemptCounts, refusedCounts
    // I7: timers fire early, when they are set or when they are loaded; code begins early.
    case timerIsEarly, loadedTimerIsEarly, codeBeginsEarly
    // I8: a start beside an open run; a policy that is not followed.
    case openRunIsOverlooked, duplicatesAreAllowed, failTerminates
    // I9: a signal twice, out of order, never shown.
    case signalIsTwice, signalsTurnRound, signalIsNotShown
    // Updates: an id that is not kept, a place among signals that is lost, a trace.
    case updateIsForgotten, updateLosesItsPlace, rejectionLeavesTrace
    // Letters from run to run: read twice, lost, for anybody; a parent that is told too much.
    case letterIsReadTwice, letterIsLost, wordsReachAnybody, parentHearsOfEachRun
    // Children: a close policy, a kind of cancel.
    case closePolicyIsOverlooked, cancelWaitsAlways
    // Resets: what has come since is lost or comes twice, request ids, the seed, children.
    case resetLosesSignals, resetDoublesSignals, resetForgetsRequests, resetKeepsSeed
    case resetEndsChildren, resetLeavesOldRun, resetLosesActivities, resetKeepsPause
    case resetForgetsExclusion, resetForgetsAnswers, resetAsksNobody, resetLosesWaiters
    case resetIsTwice, forkKeepsParent, admittedIsLost, copyIsShort
    // Batches: closed runs are met, and later ones; how far one has come is not written.
    case batchMeetsClosed, batchForgetsItsPlace, batchMeetsNewRuns
    // Failed attempts that do not stay when their activity has ended.
    case attemptsAreNotKept
    // Paused runs whose tasks go out all the same.
    case pausedRunsGoOn
    // Activities: paused ones that start, used up ones that are not held, a reset that a lease of
    // an earlier attempt survives, changed options that a start of the engine forgets.
    case pausedActivitiesGoOn, exhaustedIsNotHeld, resetNumbersRepeat, optionsAreForgotten
    // Activities without a workflow: ids that are those of workflows, lists of both, a start before
    // its time, a cancel that waits for nobody, a run that goes on after its activity, a task that
    // names a workflow, an end that is told without its attempt.
    case idsAreShared, kindsAreListedTogether, activityBeginsEarly, waitingActivityIsNotCancelled
    case activityLeavesItsRun, activityNamesAWorkflow, lastAttemptIsForgotten
    // What a replay is shown and asked of markers.
    case markersAreHidden, deprecatedIsRequired
    // I9: what the next run of a chain should have taken over, or should have been there.
    case chainLosesSignals, chainForgetsItsFirst
    // I10: what leaves before its commit.
    case gateIsOpen, attemptLeavesEarly
    // I11: two tasks of a run, two holders of a lease.
    case taskIsForgotten, leaseGoesToAll
    // Local activities: lost, moved away from, always attempt 1, begun without a trace, ended by
    // anybody.
    case localsAreForgotten, localsAreMoved, localAttemptsRepeat, localStartsAreNotWritten
    case anyoneEndsLocals
    // I12: a row, or a second event, tells of another end.
    case rowTellsAnotherEnd, endsTwice
    // I13: attempts beyond the policy, or before their time.
    case retriesForEver, retriesAtOnce, workflowsRetryForEver, workflowsRetryAtOnce
    // I14: removal of what is open, or kept; a removal of a part.
    case removesOpenRuns, removesEarly, removalLeavesHistory
    // I14: namespaces: whose retention it is, and for whom a change of it holds; what is not to be
    // deleted, or is still found, or is forgotten; what shows another one's runs.
    case retentionIsTheEngines, changeHoldsForNewOnes, usedIsDeleted, deletedIsFound
    case namespaceIsNotWritten, listsShowOthers
    // I15: what is due never comes.
    case timerNeverFires, attemptIsForgotten, placeIsForgotten
    // I16: limits that are not looked at.
    case signalsUnbounded, historyUnbounded, activitiesUnbounded, payloadsUnbounded
    case unreadUnbounded
    // I17: the order of a set reaches an effect.
    case leasesInHashOrder, sessionsInHashOrder
    // I18: what no other checker looks at.
    case closedIsUnknown, failureIsNotDescribed, intervalDefaultIsLong, youngestFirst
    // I18: what a query of a list means.
    case orBindsFirst, absentIsFalse, descendsNever, pagesOverlap
    // What runs say of themselves: changes, types, the next run, what the store is told of it.
    case memoIsReplaced, attributesStay, typesAreNotCompared, chainForgetsMemo
    case detailsAreNotWritten, namesAreNotWritten, attributesAreNotIndexed
    // I19: what an engine of the next format does to a file of an earlier one.
    case oldFileIsRefused, oldStateIsDamaged, oldActivitiesAreLost
    // I20: clocks that never change; two workflows at once; what is over comes; a time comes twice.
    case clocksStayTheSame, overlapIsIgnored, missedTimesAreTaken, progressIsNotWritten
    // I18: times at changes of the clocks, and each overlap policy.
    case skippedTimesAreLost, repeatedTimesComeTwice
    case bufferOneHoldsAll, bufferAllHoldsOne, cancelOtherWaits, terminateOtherCancels
    case allowAllWaits
    // I24: what has no place yet in Temporal's shape is given one; a firing of no timer. What a
    // client sends to be replayed is lost between its parts.
    case shapeHoldsNothing, firingNamesNoTimer, sentPartIsLost
    // I18: queues: who goes first, and at what rate.
    case priorityIsIgnored, priorityIsNotInherited, keysPayNothing, weightsAreIgnored
    case queueRateIsIgnored, keyRateIsIgnored
    // Permits: limits that are not looked at, or not for open runs; a permit that stays
    // with a closed run; the order of those that wait.
    case typeLimitIsIgnored, concurrencyKeyIsIgnored, openRunsAreNotCounted, permitIsNotFreed
    case permitIsNotWritten, waitingOrderIsIgnored, permitIsNotHandedOver
    /// None of it: the proof that a mutant which nobody sees is told.
    case changesNothing

    /// The one that is on in this process.
    nonisolated(unsafe) public static var chosen: Mutant?

    @inline(__always) public static func isOn(_ mutant: Mutant) -> Bool { chosen == mutant }
  }
#endif
