import Foundation
import TestSupport
import Testing

/// Programs of the host that judge what we read.
enum HostTool {
    /// What a program printed and how it ended.
    struct Outcome {
        let status: Int32
        let output: String
    }

    private static let folders =
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        + ["/usr/sbin", "/sbin"]

    /// Where a program is; nil where it is not.
    static func path(_ name: String) -> String? {
        folders.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
    }

    /// Whether dosfstools and mtools are here.
    static let hasFATTools =
        path("mkfs.fat") != nil && path("fsck.fat") != nil
        && path("mcopy") != nil

    /// The kernel as a reader; nil without the shared tool or its machine.
    static let kernelReader: String? = {
        guard path("qemu-system-x86_64") != nil else { return nil }
        return Fixtures.shared.map { $0.appendingPathComponent("tools/kernel-read").path }
            .flatMap { access($0, X_OK) == 0 ? $0 : nil }
    }()

    /// Runs a program to its end. Its clock is UTC, its characters UTF-8.
    @discardableResult
    static func run(_ words: String...) throws -> Outcome { try run(words) }

    /// As above.
    @discardableResult
    static func run(_ words: [String]) throws -> Outcome {
        let folder = try ScratchFolder()
        let file = folder.path + "/output"
        try Data().write(to: URL(fileURLWithPath: file))
        let output = try #require(FileHandle(forWritingAtPath: file))
        let process = Process()
        let program = try #require(path(words[0]) ?? (words[0].contains("/") ? words[0] : nil))
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TZ": "UTC", "LC_ALL": "C.UTF-8", "MTOOLSRC": "/dev/null"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        let text = try String(decoding: Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
        return Outcome(status: process.terminationStatus, output: text)
    }

    /// Runs a program that must end well.
    static func mustRun(_ words: String...) throws {
        let outcome = try run(words)
        try #require(outcome.status == 0, "\(words): \(outcome.output)")
    }
}
