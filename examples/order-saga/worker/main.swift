import Glibc
import Holdfast
import OrderSaga

// order-worker SOCKET: runs the order workflow until it is told to end.
guard CommandLine.arguments.count == 2 else {
  print("usage: order-worker SOCKET")
  exit(2)
}
var worker = Worker(taskQueue: "orders", socket: CommandLine.arguments[1])
worker.register(OrderWorkflow.self)
try worker.run()
