import Messages

extension Engine {
  /// StopBatch: no further run has its turn. One that has come to its end stays as it is.
  mutating func stopBatch(_ id: RequestID, _ request: StopBatchRequest) {
    if let status = first(
      textFault(request.reason, "reason"), idFault(request.identity, "identity"))
    {
      return refuse(id, status)
    }
    guard let job = batchJob(id, request.namespace, request.batchID) else { return }
    if job.isRunning {
      job.stop(request, at: now)
      deadlines.remove(.batchJob(job.number))
      batchJobs.touch(job)
    }
    reply(id, .batch(.stop(StopBatchResponse())), .engine)
  }

  /// The job that a request names; nil: it has been refused.
  mutating func batchJob(
    _ id: RequestID, _ namespace: String, _ batchID: String
  ) -> BatchJob? {
    if let status = first(
      batchID.isEmpty ? .missing("batch_id") : nil, idFault(batchID, "batch_id"),
      namespaceFault(namespace))
    {
      refuse(id, status)
      return nil
    }
    if let job = batchJobs.named(batchID, in: namespace.orDefault) { return job }
    refuse(
      id,
      .refusal(
        .notFound, .batchNotFound,
        "no batch '\(batchID)' in namespace '\(namespace.orDefault)'; the last"
          + " \(limits.batchJobsMax) are kept"))
    return nil
  }
}
