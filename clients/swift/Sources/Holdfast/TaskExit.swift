internal import CTaskExit

/// A way out of a task whose code does not end by itself.
///
/// Swift frees a task when its operation has returned, and nothing makes code return that catches
/// every error and goes on. An exit returns in its place: what the task has allocated since is
/// freed, and the function that marked the exit goes on as if the code had ended. No `defer` of
/// that code runs, and objects that only its frames held stay in memory.
///
/// It stands on the calling convention of Swift's async functions and on the runtime's own way to
/// free all that came after an allocation. It is not taken when the code has put something on the
/// task that its frames would have removed (`TaskHeads`).
final class TaskExit: @unchecked Sendable {
  typealias Place = UnsafeMutablePointer<task_exit>
  let place = Place.allocate(capacity: 1)
  private var heads: TaskHeads?

  init() { place.initialize(to: task_exit()) }

  deinit { place.deallocate() }

  /// Runs the body; returns when it has ended or when the exit was taken. Called once.
  @inline(never) func run(_ body: () async -> Void) async {
    await markTaskExit(place)
    task_exit_set(place)
    heads = TaskHeads.ofThisTask()
    await body()
    task_exit_clear(place)
  }

  /// True if the current task is the exit's own and nothing of its code would outlive its frames.
  var isOpen: Bool {
    task_exit_is_here(place) && heads != nil && heads == TaskHeads.ofThisTask()
  }

  /// Returns from `run` in the place of its body, never here. The exit must be open.
  static func take(_ place: Place) async { await takeTaskExit(place) }
}

@_silgen_name("task_exit_mark")
private func markTaskExit(_ exit: TaskExit.Place) async

@_silgen_name("task_exit_take")
private func takeTaskExit(_ exit: TaskExit.Place) async

/// The heads of the two lists that code may put things on: the task's status records (cancellation
/// handlers, task groups, child tasks) and its task-local values.
///
/// Where a task keeps them, its runtime does not tell; it is found out by looking which word
/// changes. If that is not exactly one word for each, there are no heads and no exit is open.
private struct TaskHeads: Equatable {
  private let records: UInt
  private let locals: UInt

  static func ofThisTask() -> TaskHeads? {
    guard let places else { return nil }
    return TaskHeads(
      records: task_exit_word(places.records), locals: task_exit_word(places.locals))
  }

  private static let places: (records: Int, locals: Int)? = {
    nonisolated(unsafe) var found: (records: Int, locals: Int)?
    let executor = RunExecutor()
    executor.driving {
      _ = Task(executorPreference: executor) { found = find() }
      _ = executor.drain()
    }
    return found
  }()

  @TaskLocal private static var probe = 0

  /// Within a task that has nothing else to do.
  private static func find() -> (records: Int, locals: Int)? {
    let before = words()
    func changed() -> Set<Int> {
      let now = words()
      return Set(now.indices.filter { now[$0] != before[$0] })
    }
    // An allocation moves words of its own, a large one more of them.
    var moved: Set<Int> = []
    for size in [16, 1 << 16] {
      let memory = task_exit_allocate(size)
      moved.formUnion(changed())
      task_exit_free(memory)
    }
    let handler = task_exit_add_handler()
    let records = changed().subtracting(moved)
    task_exit_remove_handler(handler)
    let locals = $probe.withValue(1) { changed().subtracting(moved) }
    guard records.count == 1, locals.count == 1, let record = records.first,
      let local = locals.first, record != local
    else { return nil }
    return (record, local)
  }

  private static func words() -> [UInt] {
    (0..<Int(TASK_EXIT_WORDS)).map { task_exit_word($0) }
  }
}
