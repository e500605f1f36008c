import Format
import Foundation
import TestSupport
import Testing

@testable import IFSFS

/// The directory of a stage: what is done with one that is found, and that nobody's edits are taken for
/// nothing.
struct StageTests {
    private let image: StagedImage
    private var place: String {
        String(decoding: ImageCommit.stagePath(of: image.path), as: UTF8.self)
    }

    init() throws {
        image = try StagedImage(ImageBuilder([.file("file", Array("contents".utf8))]).build().bytes)
    }

    /// The same image once more, as another mount has it.
    private func again() throws -> StagedFileSystem {
        let opened = try StagedImage.open(image.path)
        let stage = Stage(
            at: ImageCommit.stagePath(of: image.path), of: StageOrigin(of: image.path, 1).text)
        return StagedFileSystem(opened.volume, stage, .ifs(imageSize: 0))
    }

    private func make(
        _ name: String, _ bytes: String, _ fileSystem: StagedFileSystem
    ) throws {
        let made = try fileSystem.make(
            Array(name.utf8), in: .root, NewNode(.file, permissions: 0o644))
        try Array(bytes.utf8).withUnsafeBytes { try fileSystem.write($0, to: made.node, at: 0) }
    }

    private func contents(_ name: String, _ fileSystem: StagedFileSystem) throws -> String {
        String(
            decoding: try fileSystem.bytes(fileSystem.lookup(name, in: .root).node), as: UTF8.self)
    }

    @Test func theEditsOfAnotherMountAreNotTouched() throws {
        try make("new", "first", image.fileSystem)
        let other = try again()
        #expect(throws: FileSystemError.busy) { try make("other", "second", other) }
        #expect(throws: FileSystemError.busy) { try other.resume(image.path) }
        #expect(throws: FileSystemError.busy) { try other.stage.discardFound() }
        try make("more", "third", image.fileSystem)
        #expect(try contents("new", image.fileSystem) == "first")
        #expect(try image.commit.run() == .written)
    }

    /// A stage as a killed server leaves it: a copy, which nobody has locked.
    private func leave(_ change: (String) throws -> Void = { _ in }) throws -> StagedFileSystem {
        try make("new", "first", image.fileSystem)
        let copy = place + ".copy"
        try FileManager.default.copyItem(atPath: place, toPath: copy)
        image.fileSystem.stage.remove()
        try FileManager.default.moveItem(atPath: copy, toPath: place)
        try change(place)
        return try again()
    }

    private func hasEdits() -> Bool { FileManager.default.fileExists(atPath: place + "/edits") }

    @Test func whatAKilledServerLeftGoesOn() throws {
        let fileSystem = try leave()
        #expect(try fileSystem.resume(image.path))
        #expect(try contents("new", fileSystem) == "first")
    }

    /// A directory in the place of a file cannot be read.
    @Test(arguments: ["origin", "saved", "edits"])
    func editsThatCannotBeReadStay(name: String) throws {
        let fileSystem = try leave { place in
            if name != "saved" { try FileManager.default.removeItem(atPath: place + "/" + name) }
            mkdir(place + "/" + name, 0o700)
        }
        #expect(throws: FileSystemError.self) { try fileSystem.resume(image.path) }
        #expect(FileManager.default.fileExists(atPath: place + "/data"))
    }

    @Test func editsOfAnotherImageStay() throws {
        let fileSystem = try leave {
            try Data("of another".utf8).write(to: URL(fileURLWithPath: $0 + "/origin"))
        }
        #expect(throws: FileSystemError.replaced) { try fileSystem.resume(image.path) }
        #expect(hasEdits())
        try FileManager.default.removeItem(atPath: place + "/origin")
        #expect(throws: FileSystemError.replaced) { try again().resume(image.path) }
        #expect(hasEdits())
    }

    /// The log goes first when a stage is removed: what is left then are no edits.
    @Test func aStageWithoutALogIsNone() throws {
        let fileSystem = try leave { try FileManager.default.removeItem(atPath: $0 + "/edits") }
        #expect(try !fileSystem.resume(image.path))
        #expect(try image.names() == ["image.ifs"])
    }

    @Test func aTornRecordIsTheEndOfTheLog() throws {
        let fileSystem = try leave { place in
            let log = try FileHandle(forUpdating: URL(fileURLWithPath: place + "/edits"))
            try log.seekToEnd()
            try log.write(contentsOf: Data([40, 0, 0, 0, 1, 2, 3, 4, 5]))
            try log.close()
        }
        #expect(try fileSystem.resume(image.path))
        #expect(try contents("new", fileSystem) == "first")
        try make("more", "third", fileSystem)
    }

    /// Zeros where a record was: those behind it are of a tree that never was.
    @Test func aHoleInTheLogIsItsEnd() throws {
        var whole = 0
        let fileSystem = try leave { place in
            let log = URL(fileURLWithPath: place + "/edits")
            let bytes = try Data(contentsOf: log)
            whole = bytes.count
            let records = bytes.dropFirst(16)
            try (bytes + Data(count: 64) + records).write(to: log)
        }
        #expect(try fileSystem.resume(image.path))
        let log = try Fixtures.bytes(URL(fileURLWithPath: place + "/edits"))
        #expect(log.count == whole)
        try make("more", "third", fileSystem)
    }

    /// What a kill leaves of the making of a stage is none.
    @Test(arguments: [[], ["origin"], ["origin", "edits.new"]])
    func aStageThatWasNotMadeToItsEndIsNone(left: [String]) throws {
        let fileSystem = try leave { place in
            for name in ["origin", "edits", "data"] where !left.contains(name) {
                try FileManager.default.removeItem(atPath: place + "/" + name)
            }
            for name in left { try Data().write(to: URL(fileURLWithPath: place + "/" + name)) }
        }
        #expect(try !fileSystem.resume(image.path))
        #expect(try image.names() == ["image.ifs"])
    }

    @Test func contentsThatAreGoneAreNotTakenForNone() throws {
        try make("new", String(repeating: "first", count: 10_000), image.fileSystem)
        let before = try image.bytes()
        try FileManager.default.removeItem(atPath: place + "/data")
        #expect(throws: CommitError.self) { try image.commit.run() }
        #expect(try image.bytes() == before)
        #expect(hasEdits())
    }
}
