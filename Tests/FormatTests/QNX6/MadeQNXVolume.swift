import Format
import Foundation
import TestSupport
import Testing

/// A tree of files on the host, and the volumes that other tools make of it.
final class MadeQNXVolume: Sendable {
    /// Where tree and image lie.
    let folder: ScratchFolder
    var tree: String { folder.path + "/tree" }
    var image: String { folder.path + "/image" }

    init() throws {
        folder = try ScratchFolder()
    }

    /// Whether a program of `../shared/tools` is here.
    static func has(_ tool: String) -> Bool {
        Fixtures.shared.map { Fixtures.exists($0.appendingPathComponent("tools/\(tool)")) } ?? false
    }

    /// Runs a program of `../shared/tools`; gives its exit status and what it printed.
    @discardableResult
    static func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let shared = try #require(Fixtures.shared)
        let process = Process()
        process.executableURL = shared.appendingPathComponent("tools/\(tool)")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    /// Makes the image of the tree.
    func make(_ tool: String, _ options: [String] = []) throws {
        let result = try Self.run(tool, [tree, image] + options)
        #expect(result.status == 0, "\(result.text)")
    }

    /// The image as a source.
    func source() throws -> FileSource { try FileSource(taking: open(image, O_RDONLY)) }

    // MARK: The tree

    /// The tree that make-qnx6 makes to show everything.
    func fillWithDemo() throws {
        #expect(try Self.run("make-qnx6", ["--demo", tree]).status == 0)
    }

    /// Puts a file into the tree, with the directories above it.
    func write(_ path: String, _ bytes: [UInt8]) throws {
        let file = URL(fileURLWithPath: tree + "/" + path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    // MARK: Judging

    /// Holds every node of a volume against the tree, and the tree against the volume. Names of the
    /// volume's own are left out.
    func expectSame(_ volume: some Volume, besides own: Set<String> = []) throws {
        var found: Set<String> = []
        for (path, node) in try volume.walk() where !own.contains(path) {
            found.insert(path)
            try expectSame(volume, node, path)
        }
        var expected: Set<String> = []
        let all = FileManager.default.enumerator(atPath: tree)
        while let path = all?.nextObject() as? String { expected.insert(path) }
        #expect(found.symmetricDifference(expected) == [])
    }

    private func expectSame(_ volume: some Volume, _ node: NodeID, _ path: String) throws {
        let attributes = try #require(try volume.attributes(of: node))
        var status = stat()
        guard lstat(tree + "/" + path, &status) == 0 else { return }
        let mode = attributes.kind.rawValue | attributes.permissions
        #expect(mode == status.st_mode, "\(path)")
        #expect(attributes.user == status.st_uid && attributes.group == status.st_gid)
        #expect(attributes.modified == status.st_mtim.tv_sec, "\(path)")
        #expect(try volume.node(at: path) == node, "\(path)")
        if attributes.kind != .directory {
            #expect(UInt64(attributes.linkCount) == UInt64(status.st_nlink), "\(path)")
        }
        switch attributes.kind {
        case .file:
            #expect(attributes.byteCount == UInt64(status.st_size), "\(path)")
            let bytes = try Fixtures.bytes(URL(fileURLWithPath: tree + "/" + path))
            #expect(difference(try volume.contents(of: node), bytes) == nil, "\(path)")
        case .symlink:
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: tree + "/" + path)
            #expect(try volume.target(of: node) == Array(target.utf8), "\(path)")
        case .directory:
            #expect(
                try volume.parent(of: node).map { try volume.attributes(of: $0)?.kind }
                    == .directory)
        default: break
        }
    }
}

extension MadeQNXVolume {
    /// Reads everything there is to read, up to so many bytes of each file; errors are let be. Gives
    /// how many nodes there were.
    @discardableResult
    static func readEverything(_ volume: some Volume, limit: Int = 1 << 16) -> Int {
        var pending: [NodeID] = [.root]
        var count = 0
        _ = volume.statistics
        while let directory = pending.popLast(), count < 100_000 {
            let names = (try? volume.list(directory)) ?? []
            _ = try? volume.parent(of: directory)
            for (name, node) in names {
                count += 1
                _ = try? volume.lookup(name, in: directory)
                for name in (try? volume.extendedAttributeNames(of: node)) ?? [] {
                    _ = try? volume.extendedAttribute(name, of: node)
                }
                guard let found = try? volume.attributes(of: node) else { continue }
                _ = try? volume.target(of: node)
                if found.kind == .directory { pending.append(node) }
                guard found.kind == .file else { continue }
                let size = found.byteCount
                _ = try? volume.bytes(of: node, at: 0, count: Int(min(size, UInt64(limit))))
                _ = try? volume.bytes(of: node, at: size / 2, count: 600)
                _ = try? volume.bytes(of: node, at: max(1, size) - 1, count: 1)
            }
        }
        return count
    }

    /// Holds a volume against another reader's listing.
    static func expect(_ volume: some Volume, toBeAs listing: [ListedEntry]) throws {
        try #require(!listing.isEmpty)
        for listed in listing {
            let node = try #require(try volume.node(at: listed.path), "\(listed.path)")
            let found = try #require(try volume.attributes(of: node))
            #expect(found.kind.rawValue == listed.mode & 0o170000, "\(listed.path)")
            #expect(found.permissions == listed.mode & 0o7777, "\(listed.path)")
            #expect(found.user == listed.user && found.group == listed.group, "\(listed.path)")
            #expect(found.modified == listed.modified, "\(listed.path)")
            #expect(try volume.target(of: node) == listed.target.map { Array($0.utf8) })
            if found.kind == .file || found.kind == .symlink {
                #expect(found.byteCount == listed.byteCount, "\(listed.path)")
            }
            guard let sha256 = listed.sha256 else { continue }
            #expect(
                hexDigits(SHA2.sha256(try volume.contents(of: node))) == sha256, "\(listed.path)")
        }
        let paths = Set(listing.map(\.path))
        #expect(try volume.walk().map(\.path).filter { !paths.contains($0) } == [])
    }
}
