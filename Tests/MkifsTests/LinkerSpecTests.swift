import Format
import Foundation
import TestSupport
import Testing

@testable import Mkifs

/// Which files a `linker=` is for.
struct LinkerSpecTests {
    private func fault(_ text: String) -> String? {
        do {
            _ = try LinkerSpec(parsing: Array(text.utf8))
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A header with these fields, and program headers of these types.
    private func file(
        machine: UInt16, type: UInt16, segments: [UInt32] = []
    ) throws -> ELFFile {
        var bytes = [UInt8](repeating: 0, count: 52 + 32 * segments.count)
        func put(_ value: UInt32, _ count: Int, _ at: Int) {
            for index in 0..<count { bytes[at + index] = UInt8(value >> (8 * index) & 0xff) }
        }
        bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
        put(UInt32(type), 2, 16)
        put(UInt32(machine), 2, 18)
        put(segments.isEmpty ? 0 : 52, 4, 28)
        put(32, 2, 42)
        put(UInt32(segments.count), 2, 44)
        for (index, segment) in segments.enumerated() { put(segment, 4, 52 + 32 * index) }
        return try ELFFile(MemorySource(bytes))
    }

    @Test func aSpecIsThreeListsAndACommand() throws {
        let spec = try LinkerSpec(parsing: Array("(3, 6;2;0x4001)ldrel -s!* -p %i %o".utf8))
        #expect(spec.machines == [3, 6])
        #expect(spec.types == [2])
        #expect(spec.segments == [0x4001])
        #expect(text(spec.command) == "ldrel -s!* -p %i %o")
    }

    @Test func aCommandAloneIsForAnyRelocatableFile() throws {
        let line = "ntox86-ld -T/x86/lib/nto.link %(h!=0, -Ttext 0x%t%) -o%o %i"
        let spec = try LinkerSpec(parsing: Array(line.utf8))
        #expect(text(spec.command) == line)
        #expect(try spec.matches(file(machine: 40, type: 1)))
        #expect(try spec.matches(file(machine: 3, type: 1, segments: [1])))
        #expect(try !spec.matches(file(machine: 3, type: 2, segments: [1])))
    }

    @Test(
        arguments: [
            ("", "found '', expected a command"),
            ("(;;) ", "found '(;;) ', expected a command"),
            ("(3", "found '(3', expected ')' behind the machines, types and segments"),
            ("(3)ld", "found '(3)ld', expected '(machines;types;segments)' before the command"),
            ("(;;;)ld", "found '(;;;)ld', expected '(machines;types;segments)' before the command"),
            ("(arm;;)ld", "found 'arm', expected a number"),
            ("(1 2;;)ld", "found '1 2', expected a number"),
            ("(65536;;)ld", "found '65536', expected a number from 0 through 65535"),
            (
                "(;;0x100000000)ld",
                "found '0x100000000', expected a number from 0 through 4294967295"
            ),
        ])
    func otherTextIsNoSpec(_ text: String, _ expected: String) {
        #expect(fault(text) == expected)
    }

    @Test(
        arguments: [
            ("(;;)", 40, 1, [], true), ("(;;)", 40, 2, [], false),
            ("(40;;)", 40, 1, [], true), ("(3,40;;)", 40, 1, [], true), ("(3;;)", 40, 1, [], false),
            ("(;1,2;)", 40, 2, [], true), ("(;2;)", 40, 1, [], false),
            ("(;;0)", 40, 1, [], true), ("(;;1)", 40, 1, [], false),
            ("(;;0)", 40, 1, [1], false), ("(;;1)", 40, 1, [1], true),
            ("(3,6;2;0x4001)", 6, 2, [1, 0x4001], true), ("(3,6;2;0x4001)", 6, 2, [1], false),
            ("(3,6;2;0x4001)", 3, 1, [0x4001], false),
            ("(3,6;2;0x4001)", 62, 2, [0x4001], false),
        ] as [(String, UInt16, UInt16, [UInt32], Bool)])
    func machineTypeAndOneSegmentHaveToFit(
        _ lists: String, _ machine: UInt16, _ type: UInt16, _ segments: [UInt32], _ fits: Bool
    ) throws {
        let spec = try LinkerSpec(parsing: Array((lists + "ld").utf8))
        #expect(try spec.matches(file(machine: machine, type: type, segments: segments)) == fits)
    }

    /// Every `linker=` of the real buildfiles.
    @Test(.enabled(if: Fixtures.hasShared, "the shared buildfiles are absent"))
    func realSpecsAreSpecs() throws {
        let folder = try #require(Fixtures.shared).appendingPathComponent("buildfiles")
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Fixtures.bytes(folder.appendingPathComponent(name))
            for line in text(bytes).split(separator: "\n") {
                guard let start = line.range(of: "[linker=\""), let end = line.range(of: "\"]")
                else { continue }
                let spec = try LinkerSpec(
                    parsing: Array(line[start.upperBound..<end.lowerBound].utf8))
                _ = try CommandTemplate(parsing: spec.command)
                count += 1
            }
        }
        #expect(count == 2)
    }
}
