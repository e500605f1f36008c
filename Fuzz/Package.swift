// swift-tools-version: 6.2
import PackageDescription

/// As the package beside it; here a warning never stops the build.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// What is fuzzed.
let parts: [Target.Dependency] = [
    .product(name: "Format", package: "ifsfs"), .product(name: "Mkifs", package: "ifsfs"),
]

/// One fuzzer; its corpus is in `Corpus/` under the same name.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: parts + ["FuzzSupport"],
        // libFuzzer brings `main`; the file of a target without one would be taken for a script.
        swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(["-use-ld=lld"])])
}

let package = Package(
    name: "ifsfs-fuzz",
    dependencies: [.package(name: "ifsfs", path: "..")],
    targets: [
        .target(
            name: "FuzzSupport", dependencies: parts, path: "Support", swiftSettings: strict),
        fuzzer("FuzzHeader"),
        fuzzer("FuzzDirectory"),
        fuzzer("FuzzScript"),
        fuzzer("FuzzScanner"),
        fuzzer("FuzzUCL"),
        fuzzer("FuzzLZO"),
        fuzzer("FuzzZlib"),
        fuzzer("FuzzWrapper"),
        fuzzer("FuzzBuildfile"),
        fuzzer("FuzzDisk"),
        fuzzer("FuzzFAT"),
        fuzzer("FuzzQNX6"),
        fuzzer("FuzzQNX4"),
    ]
)
