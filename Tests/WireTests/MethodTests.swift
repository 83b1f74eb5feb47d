import EngineCore
import Messages
import Testing

@testable import Wire

@Suite("Methods") struct MethodTests {
  /// What a method's request is decoded as: the request's own case.
  private func kind(_ method: Method, _ bytes: [UInt8] = []) throws -> String {
    switch try Call(method, bytes) {
    case .engine(.schedule(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "list": "listSchedules"
      case "matchingTimes": "listScheduleMatchingTimes"
      case let verb: verb + "Schedule"
      }
    case .engine(.attribute(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "list": "listSearchAttributes"
      case let verb: verb + "SearchAttribute"
      }
    case .engine(.workflowType(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "setLimits": "setWorkflowTypeLimits"
      case "list": "listWorkflowTypes"
      case let verb: verb + "WorkflowType"
      }
    case .engine(.batch(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "list": "listBatches"
      case let verb: verb + "Batch"
      }
    case .engine(.namespace(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "list": "listNamespaces"
      case let verb: verb + "Namespace"
      }
    case .engine(.activityRun(let request)):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "result": "getActivityResult"
      case "list": "listActivities"
      case "count": "countActivities"
      case "cancel": "requestCancelActivity"
      case let verb: verb + "Activity"
      }
    case .time(let request):
      switch Mirror(reflecting: request).children.first?.label ?? "" {
      case "sleep": "sleep"
      case let verb: verb + "Time"
      }
    case .engine(let request): Mirror(reflecting: request).children.first?.label ?? ""
    case .health: "health"
    case .describe: "describe"
    case .drain: "drain"
    case .backup: "backup"
    case .work: "work"
    case .replay: "replay"
    }
  }

  @Test(arguments: Method.allCases)
  func everyMethodHasTheRequestOfItsName(_ method: Method) throws {
    let name = try #require(method.rawValue.split(separator: "/").last)
    #expect(try kind(method) == name.prefix(1).lowercased() + name.dropFirst())
  }

  @Test(arguments: Method.allCases.filter { !$0.isClientStreaming })
  func aRequestThatCannotBeReadIsRefused(_ method: Method) {
    // The length of a field that is cut short.
    #expect(throws: DecodeError.self) { try Call(method, [0x0A, 0x05, 0x61]) }
  }

  @Test func onlyStreamsOfWorkersTakeManyMessages() {
    #expect(Method.allCases.filter(\.isClientStreaming) == [.workerWork, .workerReplay])
    #expect(
      Method.allCases.filter(\.isServerStreaming) == [
        .activityListActivities, .operatorBackup, .workerWork, .workerReplay, .workflowGetHistory,
        .workflowListWorkflows,
      ])
  }

  @Test func aPathThatIsNotExactlyAMethodsIsNone() {
    for path in [
      "", "/holdfast.v1.WorkflowService/StartWorkflow", "holdfast.v1.WorkflowService/startWorkflow",
      "holdfast.v1.WorkflowService/StartWorkflow ", "holdfast.v1.WorkflowService",
      "holdfast.v2.WorkflowService/StartWorkflow",
    ] {
      #expect(Method(rawValue: path) == nil)
    }
  }
}
