import Format
import Foundation
import Mkifs
import TestSupport
import Testing

/// Programs as golden images hold them, made anew from the files that they were made of.
struct ELFLayoutTests {
    /// An entry of a golden case that no linker touched.
    struct Program: Sendable, CustomStringConvertible {
        var image: String
        var name = "daemon"
        var input = "daemon"
        var usesCode = true
        var usesData = false
        var kept = ["QNX_Phab", "QNX_info", "QNX_usage"]
        var isSplit = false

        var description: String { "\(image): \(name)" }
    }

    static let programs: [Program] =
        Fixtures.goldenCases.filter { $0.hasPrefix("boot-") }.map {
            Program(image: $0, isSplit: $0 == "boot-armle-rom")
        } + [
            Program(
                image: "boot-armle-rom", name: "tool", input: "tool", usesCode: false,
                isSplit: true),
            Program(
                image: "boot-armle-rom", name: "daemon2", usesData: true, isSplit: true),
            Program(
                image: "boot-x86-attrs", name: "cc", input: "tool", usesCode: false,
                usesData: true),
            Program(image: "boot-ppcbe-keep", name: "kept", usesData: true, kept: ["extra"]),
            Program(
                image: "boot-ppcbe-keep", name: "kept2", usesData: true,
                kept: ["QNX_usage", "extra"]),
        ]

    @Test(arguments: programs)
    func aProgramIsLaidOutAsTheVendorDoes(program: Program) throws {
        let image = try IFS.Image.only(in: Fixtures.goldenImage(program.image))
        let startup = try #require(image.startup)
        let entry = try #require(
            image.directory.entries.first {
                String(decoding: image.directory.path(of: $0), as: UTF8.self).split(separator: "/")
                    .last.map(String.init) == program.name
            })
        guard case .file(let offset, let size) = entry.kind else {
            throw CocoaError(.featureUnsupported)
        }
        let processor = program.image.split(separator: "-")[1]
        let url = Fixtures.folder.appendingPathComponent(
            "inputs/\(processor)/sbin/\(program.input)")
        let file = try ELFFile(MemorySource(Fixtures.bytes(url)))

        var rules = ELFLayout.Rules()
        rules.usesCodeInPlace = program.usesCode
        rules.usesDataInPlace = program.usesData
        rules.isSplit = program.isSplit
        rules.keptSections = program.kept.map { Array($0.utf8) }
        let physical = startup.imageAddress &+ startup.startupSize &+ offset
        let run = UInt64(physical &+ startup.physicalBias)

        let advance = try ELFLayout(file, rules, runAddress: 0, inAdvance: true)
        #expect(advance.size == UInt64(size))
        #expect(advance.isRunOnce == (entry.inode & IFS.Dirent.runOnceFlag != 0))
        let layout = try ELFLayout(file, rules, runAddress: run, inAdvance: false)
        let contents = try layout.contents(
            of: file, size: advance.size, physicalAddress: UInt64(physical))
        let found = try contents.bytes(contents.byteCount, at: 0, "program")
        #expect(difference(found, try image.data(of: entry)) == nil)
    }
}
