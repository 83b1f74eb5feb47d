import Messages

extension Engine {
  /// DescribeBatch: how far a batch has come, and what has failed.
  mutating func describeBatch(_ id: RequestID, _ request: DescribeBatchRequest) {
    guard let job = batchJob(id, request.namespace, request.batchID) else { return }
    var response = DescribeBatchResponse()
    response.info = job.info
    response.operation = job.request.operation
    response.failures = job.progress.failures
    reply(id, .batch(.describe(response)), .engine)
  }
}
