import Format
import Foundation
import TestSupport

@testable import Mkifs

/// What tests of the linker find on the machine.
enum LinkingHost {
    /// The environment of the tests.
    static let environment: [[UInt8]] = ProcessInfo.processInfo.environment.map {
        Array("\($0.key)=\($0.value)".utf8)
    }

    /// The environment with another PATH.
    static func environment(path: String) -> [[UInt8]] {
        environment.filter { !$0.starts(with: "PATH=".utf8) } + [Array("PATH=\(path)".utf8)]
    }

    /// Every program of a name in PATH.
    static func programs(_ name: String) -> [String] {
        let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return folders.split(separator: ":").map { "\($0)/\(name)" }
            .filter { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Whether PATH has a program.
    static func has(_ name: String) -> Bool { !programs(name).isEmpty }

    /// The golden cases' stand-in for a linker.
    static let relocate: String? = {
        let file = Fixtures.shared?.appendingPathComponent("golden/inputs/bin/relocate")
        return file.flatMap { Fixtures.exists($0) ? $0.path : nil }
    }()

    /// A file as ELF.
    static func elf(_ path: [UInt8]) throws -> ELFFile {
        try ELFFile(MemorySource(Fixtures.bytes(URL(fileURLWithPath: text(path)))))
    }
}
