import Messages

extension Engine {
  /// ListBatches: all of a namespace, the newest first.
  mutating func listBatches(_ id: RequestID, _ request: ListBatchesRequest) {
    if let status = namespaceFault(request.namespace) { return refuse(id, status) }
    var response = ListBatchesResponse()
    for job in batchJobs.all where job.namespace == request.namespace.orDefault {
      var info = job.info
      info.query = info.query.cut(to: limits.shownTextBytesMax)
      info.reason = info.reason.cut(to: limits.shownTextBytesMax)
      info.stopReason = info.stopReason.cut(to: limits.shownTextBytesMax)
      response.batches.append(info)
    }
    reply(id, .batch(.list(response)), .engine)
  }
}
