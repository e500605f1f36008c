import Format
import Foundation
import TestSupport
import Testing

@testable import IFSFS

/// A directory that is changed through a mount, held against a dictionary and against what the host has.
struct DirectoryModelTests {
    static let operations = 2_000

    @Test(
        .enabled(if: geteuid() == 0, "only root gives files away"),
        arguments: 0..<10 as Range<UInt64>)
    func theHostHasTheDictionarysTree(seed: UInt64) throws {
        let directory = try StagedDirectory()
        var run = ModelRun(
            directory.fileSystem, TreeModel(), SplitMix64(seed: seed), linksHaveModes: false)
        for number in 0..<Self.operations {
            try run.step()
            if number % 500 == 0 { try run.compareAll(directory.fileSystem) }
        }
        try run.compareAll(directory.fileSystem)
        try compare(run.model, directory.path, withAttributes: true)
        #expect(try directory.fileSystem.keptAttributes().isEmpty)
    }

    /// What an ordinary user's directory cannot hold is there all the same, and after a crash.
    @Test(
        .enabled(if: geteuid() == 0, "rights are taken away from root"),
        arguments: 0..<10 as Range<UInt64>)
    func whatTheHostRefusesIsKept(seed: UInt64) throws {
        let directory = try StagedDirectory(asUser: true)
        try StagedDirectory.asUser {
            let model = try Self.changed(directory, seed)
            try compare(model, directory.path, withAttributes: false)
            try directory.reopen()
            let again = ModelRun(directory.fileSystem, model, SplitMix64(seed: seed))
            try again.compareAll(directory.fileSystem)
            #expect(try !directory.fileSystem.keptAttributes().isEmpty)
        }
    }

    /// What a user's directory is to be after many changes. By writing, the host takes setuid away from
    /// an ordinary user's file.
    private static func changed(
        _ directory: StagedDirectory, _ seed: UInt64
    ) throws -> TreeModel {
        var run = ModelRun(
            directory.fileSystem, TreeModel(), SplitMix64(seed: seed), bits: 0o1777,
            linksHaveModes: false)
        for _ in 0..<operations { try run.step() }
        try run.compareAll(directory.fileSystem)
        return run.model
    }

    private func compare(_ model: TreeModel, _ root: String, withAttributes: Bool) throws {
        let found = try FileManager.default.subpathsOfDirectory(atPath: root)
        #expect(found.sorted() == model.paths.filter { !$0.isEmpty })
        for path in model.paths where !path.isEmpty {
            let item = try #require(model[path])
            var status = stat()
            #expect(lstat(root + "/" + path, &status) == 0)
            if withAttributes {
                #expect(status.st_mode & 0o7777 == item.permissions, "\(path)")
                #expect(status.st_uid == item.user && status.st_gid == item.group, "\(path)")
                if let time = item.modified { #expect(Int64(status.st_mtim.tv_sec) == time) }
            }
            switch item.contents {
            case .file(let bytes):
                let same = try Fixtures.bytes(URL(fileURLWithPath: root + "/" + path)) == bytes
                #expect(status.st_mode & S_IFMT == S_IFREG && same, "\(path)")
            case .directory: #expect(status.st_mode & S_IFMT == S_IFDIR, "\(path)")
            case .fifo: #expect(status.st_mode & S_IFMT == S_IFIFO, "\(path)")
            case .link(let target):
                let text = try FileManager.default.destinationOfSymbolicLink(
                    atPath: root + "/" + path)
                #expect(Array(text.utf8) == target, "\(path)")
            }
        }
    }
}
