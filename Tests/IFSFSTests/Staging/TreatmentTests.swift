import Format
import Foundation
import TestSupport
import Testing

@testable import IFSFS

/// Extended attributes that say how a file's new contents are stored.
struct TreatmentTests {
    private let image: StagedImage
    private var fileSystem: StagedFileSystem { image.fileSystem }

    init() throws { image = try StagedImage(Fixtures.goldenImage("boot-armle")) }

    private func node(_ path: String) throws -> NodeID {
        var node = NodeID.root
        for name in path.split(separator: "/") {
            node = try fileSystem.lookup(Array(name.utf8), in: node).node
        }
        return node
    }

    private func set(
        _ name: String, _ value: String, of node: NodeID, _ rule: AttributeRule = .either
    ) throws(FileSystemError) {
        try fileSystem.setExtendedAttribute(name, Array(value.utf8), of: node, rule)
    }

    private func value(_ name: String, of node: NodeID) throws(FileSystemError) -> String {
        String(decoding: try fileSystem.extendedAttribute(name, of: node), as: UTF8.self)
    }

    private func new(_ name: String, _ bytes: [UInt8] = []) throws -> NodeID {
        let node = try fileSystem.make(
            Array(name.utf8), in: .root, NewNode(.file, permissions: 0o755)
        ).node
        try bytes.withUnsafeBytes { try fileSystem.write($0, to: node, at: 0) }
        return node
    }

    // MARK: Values

    @Test(arguments: [
        ("user.ifs.raw", ["1", "0", "+raw", "-raw"], ["", "2", "yes", "raw", "+page_align"]),
        ("user.ifs.page_align", ["1", "0", "+page_align", "-page_align"], ["", "4096", "+raw"]),
        ("user.ifs.code", ["uip", "copy", "code=uip", "code=copy"], ["", "1", "u", "data=uip"]),
        ("user.ifs.data", ["uip", "copy", "data=uip", "data=copy"], ["", "0", "code=uip"]),
    ])
    func valuesAreThoseOfABuildfile(name: String, good: [String], bad: [String]) throws {
        let file = try new("file")
        for value in bad {
            #expect(throws: FileSystemError.invalid) { try set(name, value, of: file) }
        }
        #expect(throws: FileSystemError.noAttribute) { try value(name, of: file) }
        for value in good {
            try set(name, value, of: file)
            #expect(try self.value(name, of: file) == value)
        }
        #expect(try fileSystem.extendedAttributeNames(of: file) == [name])
    }

    @Test func theManualPageNamesThemAll() throws {
        let items = try ManualPage("man/mount.ifs.8").items("Cm", in: "CHANGING AN IMAGE")
        let names = items.flatMap(\.words).filter { $0.hasPrefix("user.") }
        #expect(names.count == TreatmentName.allCases.count)
        #expect(Set(names) == Set(TreatmentName.allCases.map { "user." + $0.rawValue }))
    }

    @Test func theRulesOfSetxattrHold() throws {
        let (file, name) = (try new("file"), "user.ifs.raw")
        #expect(throws: FileSystemError.noAttribute) { try set(name, "1", of: file, .onlyPresent) }
        #expect(throws: FileSystemError.noAttribute) {
            try fileSystem.removeExtendedAttribute(name, of: file)
        }
        try set(name, "1", of: file, .onlyNew)
        #expect(throws: FileSystemError.exists) { try set(name, "0", of: file, .onlyNew) }
        try set(name, "0", of: file, .onlyPresent)
        try fileSystem.removeExtendedAttribute(name, of: file)
        #expect(throws: FileSystemError.noAttribute) { try value(name, of: file) }
        #expect(try fileSystem.extendedAttributeNames(of: file) == [])
    }

    /// Nothing else is kept: not what the image tells itself, no other name, and none of a directory.
    @Test func allElseIsUnsupported() throws {
        let file = try node("proc/boot/daemon")
        #expect(try !value("user.ifs.offset", of: file).isEmpty)
        for name in ["user.ifs.offset", "user.ifs.none", "user.raw", "ifs.raw", "trusted.ifs.raw"] {
            #expect(throws: FileSystemError.unsupported) { try set(name, "1", of: file) }
            #expect(throws: FileSystemError.unsupported) {
                try fileSystem.removeExtendedAttribute(name, of: file)
            }
        }
        for path in ["", "proc/boot"] {
            let directory = try node(path)
            #expect(throws: FileSystemError.unsupported) {
                try set("user.ifs.raw", "1", of: directory)
            }
        }
        #expect(try fileSystem.extendedAttributeNames(of: file) == [])
        #expect(try image.commit.run() == .unchanged)
    }

    @Test func whatAKilledServerLeftHasThem() throws {
        let file = try new("file")
        try set("user.ifs.code", "copy", of: file)
        let path = ImageCommit.stagePath(of: image.path)
        let place = String(decoding: path, as: UTF8.self)
        try FileManager.default.copyItem(atPath: place, toPath: place + ".copy")
        fileSystem.stage.remove()
        try FileManager.default.moveItem(atPath: place + ".copy", toPath: place)
        let stage = Stage(at: path, of: StageOrigin(of: image.path, 1).text)
        let again = StagedFileSystem(
            try StagedImage.open(image.path).volume, stage, .ifs(imageSize: 0))
        #expect(try again.resume(image.path))
        #expect(try again.extendedAttributeNames(of: file) == ["user.ifs.code"])
    }

    // MARK: The image

    private func result() throws -> IFS.Image {
        #expect(try image.commit.run() == .written)
        let found = try StagedImage.open(image.path).volume.image
        #expect(found.check() == [])
        return found
    }

    private func entry(_ path: String, _ image: IFS.Image) throws -> IFS.Dirent {
        try #require(
            image.directory.entries.last {
                image.directory.path(of: $0).elementsEqual(path.utf8)
            })
    }

    private func input(_ name: String) throws -> [UInt8] {
        try Fixtures.bytes(Fixtures.folder.appendingPathComponent("inputs/armle/\(name)"))
    }

    @Test func aNewProgramIsStoredRaw() throws {
        let program = try input("lib/libdemo.so")
        let file = try new("raw", program)
        _ = try new("laidout", program)
        try set("user.ifs.raw", "1", of: file)
        let found = try result()
        let raw = try entry("raw", found)
        #expect(raw.inode & 0x8000_0000 == 0)
        #expect(try found.data(of: raw) == program)
        #expect(try entry("laidout", found).inode & 0x8000_0000 != 0)
    }

    /// What the loader copies has no address of its own.
    @Test func codeAndDataAreCopiedWhereThatIsAskedFor() throws {
        let program = try input("sbin/daemon")
        for (name, code, data) in [("a", "copy", "copy"), ("b", "uip", "uip")] {
            let file = try new(name, program)
            try set("user.ifs.code", code, of: file)
            try set("user.ifs.data", data, of: file)
        }
        let found = try result()
        for (name, isInPlace) in [("a", false), ("b", true)] {
            let header = try #require(ELF.Header(found.head(of: entry(name, found))))
            let loads = header.segments.filter { $0.type == 1 && $0.fileSize > 0 }
            #expect(!loads.isEmpty)
            #expect(loads.allSatisfy { ($0.physicalAddress != 0) == isInPlace }, "\(name)")
        }
    }

    @Test func aFileBeginsOnAPageWhereThatIsAskedFor() throws {
        for name in ["a", "b", "c"] {
            let file = try new(name, SplitMix64.noise(1001))
            if name != "a" { try set("user.ifs.page_align", "+page_align", of: file) }
        }
        let found = try result()
        let startup = try #require(found.startup)
        let address = UInt64(startup.imageAddress) + UInt64(startup.startupSize)
        for name in ["b", "c"] {
            guard case .file(let offset, _) = try entry(name, found).kind else { return }
            #expect((address + UInt64(offset)) % 4096 == 0)
        }
    }

    /// A program of the image is stored in another way, though nobody has written to it.
    @Test func contentsOfTheImageAreLaidOutAnew() throws {
        let path = "proc/boot/daemon"
        let before = try StagedImage.open(image.path).volume.image
        let old = try before.data(of: entry(path, before))
        #expect(try entry(path, before).inode & 0x8000_0000 != 0)
        let file = try node(path)
        let time = try fileSystem.attributes(of: file).modified
        try set("user.ifs.raw", "1", of: file)
        #expect(try fileSystem.attributes(of: file).modified == time)
        let found = try result()
        let raw = try entry(path, found)
        #expect(raw.inode & 0x8000_0000 == 0)
        #expect(try found.data(of: raw) == old)
        #expect(raw.modified == UInt32(time))
        // And it can be had back: what was raw is laid out where somebody says so.
        try set("user.ifs.raw", "0", of: file)
        #expect(try entry(path, result()).inode & 0x8000_0000 != 0)
    }

    @Test func anAttributeThatWasTakenBackChangesNothing() throws {
        let file = try node("proc/boot/daemon")
        let before = try image.bytes()
        try set("user.ifs.raw", "1", of: file)
        try fileSystem.removeExtendedAttribute("user.ifs.raw", of: file)
        #expect(try image.commit.run() == .unchanged)
        #expect(try image.bytes() == before)
    }
}
