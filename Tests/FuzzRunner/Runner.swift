import FuzzTargets
import Glibc

/// The target that the environment names.
private let target: FuzzTarget = {
  guard let name = getenv("HOLDFAST_FUZZ_TARGET"),
    let target = FuzzTarget(rawValue: String(cString: name))
  else {
    print("set HOLDFAST_FUZZ_TARGET to one of: \(FuzzTarget.allCases.map(\.rawValue))")
    exit(2)
  }
  return target
}()

/// What libFuzzer calls; it brings the main function itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  target.run(Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
