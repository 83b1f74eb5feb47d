// swift-tools-version: 6.2
import PackageDescription

// The package graph is the proof of the floors: a target names only targets of floors below it.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

func floor(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(name)", exclude: [],
    swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude,
    swiftSettings: strict)
}

let package = Package(
  name: "holdfast",
  products: [
    .executable(name: "holdfast", targets: ["HoldfastCommand"]),
    .library(name: "Holdfast", targets: ["Holdfast"]),
    .library(name: "HoldfastTesting", targets: ["HoldfastTesting"]),
    // For scripts/fuzz, which links them with libFuzzer.
    .library(name: "FuzzTargets", type: .static, targets: ["FuzzTargets"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // For the generator and the tests only.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
  ],
  targets: [
    .systemLibrary(name: "CUV", path: "Sources/CUV", pkgConfig: "libuv"),
    .systemLibrary(name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3"),
    // The C client: for the SDKs, the command line and the examples, never for the engine.
    .target(
      name: "CHoldfast", path: "clients/c", sources: ["src", "generated"],
      publicHeadersPath: "include",
      cSettings: [
        .define("_GNU_SOURCE"), .headerSearchPath("src"), .headerSearchPath("generated"),
      ],
      linkerSettings: [.linkedLibrary("protobuf-c")]),
    // toml++ behind a C interface, for the configuration file.
    .target(name: "CTOML", path: "Sources/CTOML"),
    floor("Basics"),
    floor("Messages", ["Basics"]),
    .executableTarget(
      name: "protoc-gen-holdfast",
      dependencies: [
        .product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      path: "Sources/protoc-gen-holdfast", swiftSettings: strict),
    .target(
      name: "EngineCore", dependencies: ["Basics", "Messages"], path: "Sources/EngineCore",
      exclude: ["Glossary.md"], swiftSettings: strict),
    floor("Wire", ["Basics", "Messages", "EngineCore"]),
    floor("UVLoop", ["CUV"]),
    // SQLite's log, written with one call for each commit.
    .target(name: "CLogGather", dependencies: ["CSQLite"], path: "Sources/CLogGather"),
    floor("SQLiteStore", ["CLogGather", "CSQLite", "Basics", "Messages", "EngineCore"]),
    floor("Shell", ["Basics", "Messages", "EngineCore", "Wire"]),
    floor("Sidecar", ["Basics", "EngineCore", "Shell", "UVLoop", "SQLiteStore"]),
    // Histories in Temporal's shape, and what that shape is.
    floor("TemporalShape", ["Basics", "Messages"]),
    // The simulator's disk: files in memory that lose unsynced writes at a crash.
    .target(name: "CSimDisk", dependencies: ["CSQLite"], path: "Sources/CSimDisk"),
    floor(
      "SimKit",
      [
        "Basics", "CSimDisk", "EngineCore", "Messages", "Shell", "SQLiteStore", "TemporalShape",
        "Wire",
      ]),
    .executableTarget(
      name: "holdfast-sim",
      dependencies: [
        "SimKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/holdfast-sim", swiftSettings: strict),
    // Real engines and workers as child processes: for the benchmark, the demo and the tests.
    floor("Harness", ["CHoldfast", "Messages"]),
    // Called otherwise than its product, because the SDK's module is Holdfast and file systems may
    // not tell the two apart.
    .executableTarget(
      name: "HoldfastCommand",
      dependencies: [
        "Basics", "CHoldfast", "CTOML", "CUV", "EngineCore", "Messages", "Shell", "Sidecar",
        "SQLiteStore",
        "UVLoop",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/holdfast", swiftSettings: strict),
    .target(name: "CTaskExit", path: "clients/swift/Sources/CTaskExit"),
    .target(
      name: "Holdfast", dependencies: ["CHoldfast", "CTaskExit", "Basics", "Messages"],
      path: "clients/swift/Sources/Holdfast", swiftSettings: strict),
    // Engines for the tests of those who use the SDK.
    .target(
      name: "HoldfastTesting", dependencies: ["Harness", "Holdfast"],
      path: "clients/swift/Sources/HoldfastTesting", swiftSettings: strict),
    .executableTarget(
      name: "holdfast-bench",
      dependencies: [
        "Basics", "EngineCore", "Harness", "Holdfast", "Messages", "SQLiteStore", "Shell", "Wire",
      ],
      path: "Sources/holdfast-bench", swiftSettings: strict),
    .target(
      name: "OrderSaga", dependencies: ["Holdfast"], path: "examples/order-saga/workflow",
      swiftSettings: strict),
    .executableTarget(
      name: "order-worker", dependencies: ["Holdfast", "OrderSaga"],
      path: "examples/order-saga/worker", swiftSettings: strict),
    .executableTarget(
      name: "order-demo", dependencies: ["Harness", "Holdfast", "OrderSaga"],
      path: "examples/order-saga/demo", swiftSettings: strict),

    tests("BasicsTests", ["Basics"]),
    // protobuf-c's verdict on bytes, by the C client's generated code.
    .target(
      name: "CProtoOracle", dependencies: ["CHoldfast"], path: "Tests/CProtoOracle",
      cSettings: [.headerSearchPath("../../clients/c/generated")],
      linkerSettings: [.linkedLibrary("protobuf-c")]),
    tests(
      "MessagesTests",
      [
        "Basics", "Harness", "Messages", "CProtoOracle", "protoc-gen-holdfast",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    tests("EngineCoreTests", ["Basics", "Messages", "EngineCore"], exclude: ["Traces"]),
    tests("SQLiteStoreTests", ["Basics", "CSimDisk", "EngineCore", "Messages", "SQLiteStore"]),
    tests("WireTests", ["Basics", "EngineCore", "Messages", "Wire"]),
    tests("ShellTests", ["Basics", "EngineCore", "Messages", "Shell", "Wire"]),
    // What is fed with bytes that nobody has checked: by the tests with the corpus, by
    // scripts/fuzz with what libFuzzer thinks of.
    .target(
      name: "FuzzTargets", dependencies: ["Basics", "EngineCore", "Messages", "Shell", "Wire"],
      path: "Tests/FuzzTargets", swiftSettings: strict),
    tests("FuzzTests", ["Basics", "EngineCore", "FuzzTargets", "Messages"], exclude: ["Corpus"]),
    tests(
      "SimTests", ["Basics", "EngineCore", "Messages", "Shell", "SimKit", "TemporalShape"],
      exclude: ["Files"]),
    tests("UVLoopTests", ["CUV", "UVLoop"]),
    tests("SidecarTests", ["Basics", "EngineCore", "Sidecar", "SQLiteStore"]),
    // It reads the binary that the command's target makes.
    tests("TidyTests", ["HoldfastCommand", "Messages", "Wire"]),
    .executableTarget(
      name: "test-worker", dependencies: ["Holdfast"], path: "Tests/TestWorker",
      swiftSettings: strict),
    .testTarget(
      name: "HoldfastTests", dependencies: ["Basics", "Holdfast", "Messages"],
      path: "clients/swift/Tests/HoldfastTests", swiftSettings: strict),
    tests(
      "EndToEndTests",
      [
        "CHoldfast", "Harness", "Holdfast", "HoldfastCommand", "HoldfastTesting", "Messages",
        "SimKit", "holdfast-bench", "test-worker",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
