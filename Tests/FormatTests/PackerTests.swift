import Format
import TestSupport
import Testing

/// The tests' own packer and builder, held against the vendor's mkifs.
struct PackerTests {
    /// What the vendor's mkifs packed, packed again, is the same stream.
    @Test(
        arguments: [
            ("boot-armle-lzo", .lzo()), ("boot-armle-ucl", .ucl()), ("boot-ppcbe-zlib", .zlib()),
            ("compress-default", .ucl()), ("compress-lzo", .lzo()), ("compress-ucl", .ucl()),
        ] as [(String, Packing)])
    func packingAnImageAgainGivesTheVendorsBytes(name: String, packing: Packing) throws {
        let file = try Fixtures.goldenImage(name)
        let image = try IFS.Image.only(in: file)
        let plain = try image.contents.bytes(image.contents.byteCount, at: 0, "image")
        let stream = Packer.stream(plain, packing)
        let stored = file[Int(image.storedOffset)...]
        #expect(difference(stream.bytes[...], stored.prefix(stream.bytes.count)) == nil)
        #expect(stored.count - stream.bytes.count - 4 < 4, "padding and trailer follow")
    }

    /// The data-only image with the vendor's entries, built again, is the same file.
    @Test(arguments: ["plain", "bigendian", "fifo", "mtime", "optional", "prefix", "scoping"])
    func buildingADataOnlyImageAgainGivesTheVendorsBytes(name: String) throws {
        let file = try Fixtures.goldenImage(name)
        let image = try IFS.Image.only(in: file)
        let builder = try ImageBuilder.bare(image.directory.entries.dropFirst().map(image.entry))
            .with {
                $0.isBigEndian = image.header.order == .big
                $0.scriptInode = image.header.scriptInode
                $0.root = try? image.entry(#require(image.directory.entries.first))
            }
        #expect(difference(builder.build().bytes, file) == nil)
    }
}

extension IFS.Image {
    /// An entry as the builder takes it.
    fileprivate func entry(_ entry: IFS.Dirent) throws -> ImageEntry {
        let body: ImageEntry.Body =
            switch entry.kind {
            case .file: .file(try data(of: entry))
            case .directory, .unknown: .directory
            case .symlink: .symlink(Array(directory.target(of: entry)))
            case .device(let dev, let rdev): .device(dev: dev, rdev: rdev)
            }
        return ImageEntry(path: Array(directory.path(of: entry)), body, mode: entry.mode).with {
            $0.user = entry.user
            $0.group = entry.group
            $0.modified = entry.modified
            $0.inode = entry.inode
            if case .file(let offset, _) = entry.kind { $0.offset = offset }
        }
    }
}
