import EngineCore
import Messages

/// What operators ask of batches.
extension OracleWalk {
  mutating func drawBatchRequest() -> BatchRequest {
    switch dice.int(0...9) {
    case 0..<5: return .start(drawBatch())
    case 5..<8:
      var describe = DescribeBatchRequest()
      describe.namespace = drawNamespace()
      describe.batchID = drawBatchID()
      return .describe(describe)
    case 8:
      var list = ListBatchesRequest()
      list.namespace = drawNamespace()
      return .list(list)
    default:
      var stop = StopBatchRequest()
      stop.namespace = drawNamespace()
      stop.batchID = drawBatchID()
      stop.reason = dice.pick(["", "by mistake"])
      stop.identity = drawIdentity()
      return .stop(stop)
    }
  }

  private mutating func drawBatchID() -> String {
    isWrong() ? dice.pick(["", OracleWalk.tooLong]) : dice.pick(["b1", "b2", "b3", "b4", "b5"])
  }

  private mutating func drawBatch() -> StartBatchRequest {
    var start = StartBatchRequest()
    start.namespace = drawNamespace()
    start.batchID = drawBatchID()
    start.query = drawFilter()
    if !isWrong() { start.operation = drawOperation() }
    start.ratePerSecond = isWrong() ? dice.pick([-1, 10_001]) : dice.pick([0, 0, 1, 1_000, 4_000])
    start.reason = dice.pick(["", "a better code"])
    start.identity = drawIdentity()
    return start
  }

  /// Without names of search attributes: one that is removed meanwhile ends the batch.
  private mutating func drawFilter() -> String {
    let runs = model.runs.suffix(20)
    let draw = SelectionDraw(
      ids: OracleWalk.ids, types: ["order", "ship", "it's"], queues: ["q", "dock"],
      runIDs: runs.map { "\($0.id)" } + ["0"],
      times: runs.flatMap { [$0.startTime.ms, $0.closeTime.ms] } + [engine.now.ms])
    var selection = ModelSelection()
    if dice.percent(60) { selection.filter = draw.filter(&dice) }
    let text = selection.text(&dice)
    model.selections[text] = selection
    return text
  }

  private mutating func drawOperation() -> BatchOperation {
    var operation = BatchOperation()
    switch dice.int(0...11) {
    case 0..<3:
      var signal = SignalWorkflowRequest()
      signal.signalName = isWrong() ? "" : dice.pick(["go", "stop"])
      signal.input = drawPayloads()
      if isWrong() { signal.requestID = "r1" }
      operation.operation = .signalWorkflow(signal)
    case 3..<5: operation.operation = .cancelWorkflow(CancelWorkflowRequest())
    case 5: operation.operation = .terminateWorkflow(TerminateWorkflowRequest())
    case 6: operation.operation = .deleteWorkflow(DeleteWorkflowRequest())
    case 7:
      var reset = ResetWorkflowRequest()
      reset.point = WorkflowPoint()
      reset.point?.kind = dice.pick([.firstWorkflowTask, .lastWorkflowTask])
      operation.operation = .resetWorkflow(reset)
    case 8: operation.operation = .pauseWorkflow(PauseWorkflowRequest())
    case 9: operation.operation = .unpauseWorkflow(UnpauseWorkflowRequest())
    case 10:
      var pause = PauseActivityRequest()
      pause.activities = ActivitySelection(.all(true))
      operation.operation = .pauseActivity(pause)
    default:
      var reset = ResetActivityRequest()
      reset.activities = ActivitySelection(.all(true))
      operation.operation = .resetActivity(reset)
    }
    return operation
  }
}
