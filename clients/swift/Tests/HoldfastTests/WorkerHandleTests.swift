import CHoldfast
import Testing

@testable import Holdfast

/// Code of an activity may go on after its worker has ended.
@Suite("Worker handles") struct WorkerHandleTests {
  @Test func whatAnActivitySaysAfterItsWorkersEndGoesNowhere() throws {
    var options = holdfast_worker_options()
    options.struct_size = UInt32(MemoryLayout<holdfast_worker_options>.size)
    var worker: OpaquePointer?
    let status = "q".withView { queue in
      "/nowhere.sock".withView { socket in
        options.task_queue = queue
        options.socket_path = socket
        return holdfast_worker_create(&options, &worker, nil)
      }
    }
    #expect(status == HOLDFAST_OK)
    let handle = WorkerHandle(try #require(worker))
    #expect(handle.use { _ in 7 } == 7)
    let attempt = AttemptState(worker: handle, token: [1, 2, 3])
    handle.free()
    #expect(handle.use { _ in 7 } == nil)
    attempt.complete([])
    attempt.fail(ApplicationError("late"))
    attempt.cancelled()
    attempt.goesElsewhere()
    #expect(throws: CancellationError.self) { try attempt.heartbeat([]) }
  }
}
