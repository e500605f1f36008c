import Format
import Foundation
import TestSupport
import Testing

/// Images of real systems and of the vendor's tools, against their listings. Skipped where
/// `../shared/images` and `$IFSFS_SHARED/images` are absent: they belong to others.
@Suite(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
struct SharedImageTests {
    private static func open(_ name: String) throws -> IFS.Image {
        let file = try Fixtures.sharedImage(name)
        return try IFS.Image.only(in: FileSource(taking: Foundation.open(file.path, O_RDONLY)))
    }

    @Test func thereAreSome() { #expect(!Fixtures.sharedImages().isEmpty) }

    @Test(arguments: Fixtures.sharedImages())
    func everySumIsGood(name: String) throws {
        let checks = try Self.open(name).checkSums()
        #expect(!checks.contains { $0.word == "bad" } && checks.contains { $0.word == "good" })
    }

    @Test(arguments: Fixtures.sharedImages())
    func everyEntryIsThatOfTheListing(name: String) throws {
        let volume = try IFS.ImageVolume(Self.open(name))
        let listing = try Fixtures.sharedListing(name)
        try #require(!listing.isEmpty)
        let last = Dictionary(listing.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        for listed in last.values {
            if Self.isBelowLink(listed.path, last) {
                #expect(try volume.node(at: listed.path) == nil, "the link \(listed.path) is below")
                continue
            }
            let node = try #require(try volume.node(at: listed.path), "\(listed.path)")
            let found = try #require(volume.attributes(of: node))
            #expect(found.kind.rawValue == listed.mode & 0o170000, "\(listed.path)")
            #expect(found.permissions == listed.mode & 0o7777, "\(listed.path)")
            #expect(found.user == listed.user && found.group == listed.group)
            #expect(found.modified == listed.modified)
            #expect(volume.target(of: node) == listed.target.map { Array($0.utf8) })
            if found.kind == .file || found.kind == .symlink {
                #expect(found.byteCount == listed.byteCount)
            }
            guard let sha256 = listed.sha256 else { continue }
            #expect(
                hexDigits(SHA2.sha256(try volume.contents(of: node))) == sha256, "\(listed.path)")
        }
        for (path, node) in try volume.walk() where last[path] == nil {
            #expect(volume.entry(of: node) == nil, "\(path) is not listed")
        }
    }

    /// Whether a path leads through a symbolic link of the same image, which wins then.
    private static func isBelowLink(_ path: String, _ listing: [String: ListedEntry]) -> Bool {
        let names = path.split(separator: "/")
        return names.indices.contains { count in
            listing[names.prefix(count).joined(separator: "/")]?.target != nil
        }
    }

    /// A listing's first line: what another reader found in the headers.
    private struct Summary: Decodable {
        var startupAt: UInt64?
        var preboot: UInt16?
        var method: String?
        var flags1: String?
        var startupSize: UInt32?
        var storedSize: UInt32?
        var imagefsSize: UInt32?
        var endian: String
        var imageFlags: String
        var imageSize: UInt32
        var mount: String
        var script: UInt32
        var boot: [String]
        var entries: Int
    }

    @Test(arguments: Fixtures.sharedImages())
    func theHeadersAreThoseOfTheListing(name: String) throws {
        let image = try Self.open(name)
        let text = try Fixtures.bytes(Fixtures.sharedImage(name + ".txt"))
        let line = try #require(text.split(separator: 10).first)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let summary = try decoder.decode(Summary.self, from: Data(line.dropFirst(2)))
        #expect(image.header.order.rawValue == summary.endian)
        #expect(hex(image.header.flags) == summary.imageFlags)
        #expect(image.header.imageSize == summary.imageSize)
        #expect(String(decoding: image.header.mountpoint, as: UTF8.self) == summary.mount)
        #expect(image.header.scriptInode == summary.script)
        #expect(image.header.bootInodes.filter { $0 != 0 }.map { hex($0) } == summary.boot)
        #expect(image.directory.entries.count == summary.entries)
        #expect((image.startup == nil) == (summary.startupAt == nil))
        guard let startup = image.startup else { return }
        #expect(image.headerOffset == summary.startupAt)
        #expect(startup.prebootSize == summary.preboot)
        #expect(startup.compression.name == summary.method)
        #expect(hex(startup.flags1) == summary.flags1)
        #expect(startup.startupSize == summary.startupSize)
        #expect(startup.storedSize == summary.storedSize)
        #expect(startup.imagefsSize == summary.imagefsSize)
    }

    @Test(arguments: Fixtures.sharedImages())
    func theirScriptsDecodeToTheEnd(name: String) throws {
        let image = try Self.open(name)
        guard image.header.scriptInode != 0 else { return }
        let script = IFS.Script(try image.scriptData())
        #expect(!script.commands.isEmpty && script.broken == nil)
        for case .unknown(let type, _) in script.commands { Issue.record("type \(type)") }
    }

    /// A file system in a partition of a disk holds an image; scanning the whole disk finds it.
    @Test func anImageInsideADiskIsFoundByScanning() throws {
        let listing = try Fixtures.bytes(Fixtures.sharedImage("disk-mbr.img.txt"))
        let line = try #require(
            String(decoding: listing, as: UTF8.self).split(separator: "\n")
                .first { $0.contains("\tQNX-IFS\t") })
        let fields = line.split(separator: "\t").map(String.init)
        let size = try #require(UInt64(fields[1]))
        let file = try Fixtures.sharedImage("disk-mbr.img")
        let disk = try FileSource(taking: Foundation.open(file.path, O_RDONLY))
        let images = try IFS.Scanner.images(in: disk).images
        let sums = try images.filter { $0.startup != nil }.map { image in
            hexDigits(SHA2.sha256(try disk.bytes(size, at: image.start, "image")))
        }
        #expect(sums.contains(fields[3]))
    }
}
