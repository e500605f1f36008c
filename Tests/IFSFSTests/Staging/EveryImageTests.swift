import Format
import Foundation
import IFSFS
import TestSupport
import Testing

/// Every image at hand is changed as a mount changes it, and made anew: what the edit is not about is
/// as it was.
struct EveryImageTests {
    /// The images that are here; those of real systems are no part of the project.
    static let images = Fixtures.allImages

    /// The image alone, and with other bytes around it.
    private func copies(_ name: String) throws -> [[UInt8]] {
        let bytes = try Fixtures.image(name)
        return [bytes, SplitMix64.noise(1024, seed: 3) + bytes + SplitMix64.noise(999)]
    }

    @Test(arguments: images)
    func withoutEditsTheImageIsWrittenAsItWas(name: String) throws {
        for bytes in try copies(name) {
            let image = try StagedImage(bytes).another(target: "other.ifs")
            #expect(try image.commit.run(isLast: true) == .written)
            #expect(try difference(image.bytes("other.ifs"), bytes) == nil)
            #expect(try image.names() == ["image.ifs", "other.ifs"])
        }
    }

    /// What an edit does, and what undoes it.
    enum Undone: CaseIterable {
        case written, cut, made, renamed, removed, attributes

        func run(_ fileSystem: StagedFileSystem, _ file: Target?) throws {
            guard let file, self != .made else {
                try fileSystem.makeFile("new", [1, 2, 3])
                return try fileSystem.remove(Array("new".utf8), from: .root, isDirectory: false)
            }
            switch self {
            case .written:
                try fileSystem.put(file.bytes.map { ~$0 }, to: file.node)
                try fileSystem.put(file.bytes, to: file.node)
            case .cut:
                try fileSystem.resize(file.node, to: file.bytes.count / 2)
                try fileSystem.put(file.bytes, to: file.node)
            case .made: break
            case .renamed:
                try fileSystem.rename(
                    file.name, in: file.directory, to: [0x61], in: .root, .keep)
                try fileSystem.rename(
                    [0x61], in: .root, to: file.name, in: file.directory, .keep)
            case .removed:
                try fileSystem.remove(file.name, from: file.directory, isDirectory: false)
                let node = try fileSystem.makeFile(
                    file.name.text, in: file.directory, file.bytes)
                try fileSystem.set(file.attributes, of: node)
            case .attributes:
                var changed = file.attributes
                (changed.permissions, changed.user, changed.modified) = (0, 5, 6)
                for attributes in [changed, file.attributes] {
                    try fileSystem.set(attributes, of: file.node)
                }
            }
        }
    }

    @Test(arguments: images, Undone.allCases)
    func editsThatAreUndoneChangeNothing(name: String, undone: Undone) throws {
        for bytes in try copies(name) {
            let image = try StagedImage(bytes)
            guard ImageCommit.obstacle(try StagedImage.open(image.path).volume) == nil else {
                return
            }
            try undone.run(image.fileSystem, Target(image, bytes, last: false))
            #expect(try image.commit.run(isLast: true) == .unchanged)
            #expect(try difference(image.bytes(), bytes) == nil)
            #expect(try image.names() == ["image.ifs"])
        }
    }

    /// One edit, and the paths that it is about.
    enum Change: CaseIterable {
        case changed, grown, grownMuch, shrunk, emptied, deleted, added, renamed, moved, attributes
        case writtenAnew

        func run(_ fileSystem: StagedFileSystem, _ file: Target) throws -> Set<String> {
            switch self {
            case .changed: try fileSystem.put(file.bytes.map { ~$0 }, to: file.node)
            case .grown: try fileSystem.put([7], to: file.node, at: UInt64(file.bytes.count))
            case .grownMuch:
                try fileSystem.put(
                    SplitMix64.text(200_000), to: file.node, at: UInt64(file.bytes.count))
            case .shrunk: try fileSystem.resize(file.node, to: file.bytes.count - 1)
            case .emptied: try fileSystem.resize(file.node, to: 0)
            case .deleted:
                try fileSystem.remove(file.name, from: file.directory, isDirectory: false)
            case .added:
                let directory = try fileSystem.make(
                    Array("added".utf8), in: .root, NewNode(.directory, permissions: 0o755))
                try fileSystem.makeFile("new", in: directory.node, SplitMix64.text(5000))
                return ["added", "added/new"]
            case .renamed, .moved:
                let directory = self == .moved ? NodeID.root : file.directory
                try fileSystem.rename(
                    file.name, in: file.directory, to: Array("aa".utf8), in: directory, .keep)
                let end = file.path.lastIndex(of: "/") ?? file.path.startIndex
                let folder = self == .moved ? "" : file.path[..<end]
                return [file.path, folder.isEmpty ? "aa" : folder + "/aa"]
            case .attributes:
                var changed = file.attributes
                (changed.permissions, changed.user, changed.modified) = (0o4711, 5, 6)
                try fileSystem.set(changed, of: file.node)
            case .writtenAnew:
                try fileSystem.makeFile("temporary", in: file.directory, file.bytes + [9])
                try fileSystem.rename(
                    Array("temporary".utf8), in: file.directory, to: file.name, in: file.directory,
                    .replace)
            }
            return [file.path]
        }
    }

    @Test(arguments: images, Change.allCases)
    func oneEditChangesOnlyWhatItIsAbout(name: String, change: Change) throws {
        for (number, bytes) in try copies(name).enumerated() {
            for last in [false, true] where number == 0 || !last {
                let image = try StagedImage(bytes)
                let obstacle = ImageCommit.obstacle(try StagedImage.open(image.path).volume)
                guard obstacle == nil, let file = try Target(image, bytes, last: last) else {
                    return
                }
                let touched = try change.run(image.fileSystem, file)
                do throws(CommitError) {
                    #expect(try image.commit.run(isLast: true) == .written)
                } catch {
                    // A directory cannot grow into what works at its place only.
                    #expect(error.description.contains("works at its place only"))
                    #expect(try difference(image.bytes(), bytes) == nil)
                    continue
                }
                #expect(try image.names() == ["image.ifs"])
                let judge = try RepackJudge(bytes, image.bytes(), touched: touched)
                try judge.judge()
                try change.judge(judge, file)
            }
        }
    }

    @Test(.enabled(if: Fixtures.hasShared, "the images of real systems are not here"))
    func imagesOfRealSystemsAreAmongThem() {
        #expect(Fixtures.sharedImages().count > 5)
    }
}

/// A file of an image that can be changed like any other: no program, script or boot file, and with one
/// name alone.
struct Target {
    let path: String
    let node: NodeID
    let directory: NodeID
    let bytes: [UInt8]
    let attributes: Attributes
    var name: [UInt8] { Array(path.utf8.split(separator: UInt8(ascii: "/")).last ?? []) }

    /// The first or the last of an image; nil where it has none.
    init?(_ image: StagedImage, _ file: [UInt8], last: Bool) throws {
        let found = try #require(try IFS.Scanner.images(in: file).images.first)
        let entries = zip(found.paths, found.directory.entries).filter { path, entry in
            guard case .file(_, let size) = entry.kind, size > 0 else { return false }
            return entry.inode & 0xe000_0000 == 0 && entry.inode != found.header.scriptInode
                && found.paths.filter { $0 == path }.count == 1
        }
        for (path, entry) in last ? entries.reversed() : entries {
            guard let node = try? image.fileSystem.node(at: path),
                case let attributes = try image.fileSystem.attributes(of: node),
                attributes.linkCount == 1, attributes.kind == .file
            else { continue }
            self.path = path
            self.node = node
            self.attributes = attributes
            bytes = try found.data(of: entry)
            let end = path.lastIndex(of: "/") ?? path.startIndex
            directory = try image.fileSystem.node(at: String(path[..<end]))
            return
        }
        return nil
    }
}

extension WritableFileSystem {
    fileprivate func set(_ attributes: Attributes, of node: NodeID) throws {
        var change = AttributeChange()
        change.permissions = attributes.permissions
        change.user = attributes.user
        change.group = attributes.group
        change.modified = attributes.modified
        _ = try self.change(node, change)
    }
}

extension EveryImageTests.Change {
    /// What is to come of the edit itself.
    fileprivate func judge(_ judge: RepackJudge, _ file: Target) throws {
        func entry(_ image: IFS.Image, _ path: String) throws -> IFS.Dirent {
            let place = try #require(image.paths.lastIndex(of: path))
            return image.directory.entries[place]
        }
        let old = try entry(judge.old, file.path)
        switch self {
        case .deleted: #expect(!judge.new.paths.contains(file.path))
        case .added:
            let highest = judge.old.directory.entries.map { $0.inode & 0x1fff_ffff }.max() ?? 0
            let made = try entry(judge.new, "added/new")
            #expect([highest + 1, highest + 2].contains(made.inode & 0x1fff_ffff))
            #expect(try judge.new.data(of: made) == SplitMix64.text(5000))
        case .renamed, .moved:
            let path = try #require(judge.new.paths.first { $0.hasSuffix("aa") })
            let now = try entry(judge.new, path)
            #expect(now.inode == old.inode)
            #expect(difference(try judge.new.data(of: now), file.bytes) == nil)
            let hasGrown = judge.new.header.directoryEnd > judge.old.header.directoryEnd
            #expect(now.kind == old.kind || hasGrown)
        default:
            let now = try entry(judge.new, file.path)
            #expect(now.inode == old.inode)
            #expect(difference(try judge.new.data(of: now), contents(file)) == nil)
            #expect(now.mode & 0o7777 == (self == .attributes ? 0o4711 : now.mode & 0o7777))
        }
    }

    private func contents(_ file: Target) -> [UInt8] {
        switch self {
        case .changed: file.bytes.map { ~$0 }
        case .grown: file.bytes + [7]
        case .grownMuch: file.bytes + SplitMix64.text(200_000)
        case .shrunk: file.bytes.dropLast()
        case .emptied: []
        case .writtenAnew: file.bytes + [9]
        case .deleted, .added, .renamed, .moved, .attributes: file.bytes
        }
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
