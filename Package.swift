// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6, strict memory safety. CI sets IFSFS_WERROR, so that a newer
/// compiler's new warning breaks our build and not a user's.
let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["IFSFS_WERROR"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// The one target that speaks C with the kernel's library; nearly every line of it is unsafe.
let glue: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "ifsfs",
    products: [
        .library(name: "Format", targets: ["Format"]),
        .library(name: "Mkifs", targets: ["Mkifs"]),
        .executable(name: "ifsfs", targets: ["MountTool"]),
        .executable(name: "ifs-tools", targets: ["ToolBox"]),
    ],
    dependencies: [
        // The command line of ifsctl, which has no vendor's shape to keep.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // The codecs that others wrote and keep better than we could: zlib, and LZO1X.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLZO", pkgConfig: "lzo2", providers: [.apt(["liblzo2-dev"])]),
        // MD5 and SHA-512: dpkg's own library, small and on every Debian machine.
        .systemLibrary(name: "CMD", pkgConfig: "libmd", providers: [.apt(["libmd-dev"])]),
        // What of Linux's own calls the C library's module for Swift leaves out.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CFuse", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        // The encoder whose bytes are the vendor's; our decoder is our own, and this one its judge.
        .systemLibrary(name: "CUCL", providers: [.apt(["libucl-dev"])]),

        .target(
            name: "Format", dependencies: ["CZlib", "CLZO", "CUCL", "CMD"], exclude: ["README.md"],
            swiftSettings: strict),
        .target(name: "Mkifs", dependencies: ["Format"], swiftSettings: strict),
        .target(name: "Control", dependencies: ["Format", "CLinux"], swiftSettings: strict),
        .target(name: "IFSFS", dependencies: ["Mkifs", "Format", "CLinux"], swiftSettings: strict),
        .target(
            name: "FuseServer", dependencies: ["CFuse", "IFSFS", "Format"], swiftSettings: glue),
        .target(
            name: "ToolSupport", dependencies: ["Control", "Format"], swiftSettings: strict),
        .target(
            name: "Dumpifs", dependencies: ["Mkifs", "Format", "ToolSupport"],
            swiftSettings: strict),
        .target(
            name: "Ifsctl",
            dependencies: [
                "IFSFS", "Control", "Format", "ToolSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "MountTool",
            dependencies: ["FuseServer", "IFSFS", "Control", "Format", "ToolSupport"],
            path: "Sources/Tools/MountTool", swiftSettings: strict),
        .target(
            name: "MkifsCommand", dependencies: ["Mkifs", "Format", "ToolSupport"],
            swiftSettings: strict),
        .executableTarget(
            name: "ToolBox",
            dependencies: ["Dumpifs", "Ifsctl", "MkifsCommand", "Format", "ToolSupport"],
            path: "Sources/Tools/ToolBox", swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["IFSFS", "Format", "CLZO", "CUCL", "CZlib"],
            path: "Tests/TestSupport", swiftSettings: glue),
        .testTarget(
            name: "FormatTests", dependencies: ["Format", "TestSupport"], swiftSettings: glue),
        .testTarget(
            name: "MkifsTests", dependencies: ["Mkifs", "Format", "TestSupport"],
            swiftSettings: glue),
        .testTarget(
            name: "DumpifsTests",
            dependencies: ["Dumpifs", "Format", "TestSupport", "ToolSupport"],
            swiftSettings: glue),
        .testTarget(
            name: "IFSFSTests", dependencies: ["IFSFS", "Mkifs", "Format", "TestSupport"],
            swiftSettings: glue),
        .testTarget(
            name: "ToolTests", dependencies: ["Mkifs", "Format", "TestSupport"],
            swiftSettings: glue),
        // What MountTests have the kernel change: a file system that needs no image.
        .executableTarget(
            name: "MemoryMount", dependencies: ["FuseServer", "IFSFS", "Format"],
            path: "Tests/MemoryMount", swiftSettings: glue),
        .testTarget(
            name: "MountTests",
            dependencies: [
                "IFSFS", "Format", "MemoryMount", "TestSupport", "CLZO", "CUCL", "CZlib",
            ],
            swiftSettings: glue),
    ]
)
