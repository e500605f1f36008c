import Format
import TestSupport
import Testing

/// What is read and written again is what it was: structures of every golden image and of every
/// real one at hand.
struct RewritingTests {
    /// Names of golden cases, then those of real images.
    static let golden = Fixtures.goldenCases
    static let real = Fixtures.sharedImages()

    private func bytes(_ name: String) throws -> [UInt8] {
        Self.golden.contains(name)
            ? try Fixtures.goldenImage(name) : try Fixtures.bytes(Fixtures.sharedImage(name))
    }

    @Test(arguments: golden + real)
    func headersComeOutAsTheyWere(name: String) throws {
        let bytes = try bytes(name)
        for image in try IFS.Scanner.images(in: MemorySource(bytes)).images {
            let start = Int(image.headerOffset)
            if let startup = image.startup {
                #expect(difference(startup.bytes, bytes[start..<(start + 256)]) == nil)
            }
            let count = UInt64(image.header.directoryOffset)
            let header = try image.contents.bytes(count, at: 0, "image header")
            #expect(difference(image.header.bytes, header) == nil)
        }
    }

    @Test(arguments: golden + real)
    func recordsComeOutAsTheyWere(name: String) throws {
        let file = MemorySource(try bytes(name))
        for image in try IFS.Scanner.images(in: file).images {
            let directory = image.directory
            for entry in directory.entries.dropFirst() {
                let record = try #require(IFS.DirectoryRecord(entry, in: directory))
                let start = Int(entry.recordOffset)
                let stored = directory.bytes[start..<(start + Int(entry.recordSize))]
                #expect(
                    difference(record.bytes(image.header.order), stored) == nil,
                    "\(printable(directory.path(of: entry)))")
            }
        }
    }
}
