import Format
import TestSupport
import Testing

/// What is read and written again is what it was: structures of every golden image and of every
/// real one at hand.
struct RewritingTests {
    /// Names of golden cases, then those of real images.
    static let golden = Fixtures.goldenCases
    static let real = Fixtures.sharedImages()

    static func bytes(_ name: String) throws -> [UInt8] {
        golden.contains(name)
            ? try Fixtures.goldenImage(name) : try Fixtures.bytes(Fixtures.sharedImage(name))
    }

    @Test(arguments: golden + real)
    func headersComeOutAsTheyWere(name: String) throws {
        let bytes = try Self.bytes(name)
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
        let file = MemorySource(try Self.bytes(name))
        for image in try IFS.Scanner.images(in: file).images {
            let directory = image.directory
            for entry in directory.entries {
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

/// An image that is read, taken apart and written again is the same file, sums and packed streams
/// included.
struct ImageWriterTests {
    @Test(arguments: RewritingTests.golden + RewritingTests.real)
    func anImageComesOutAsItWas(name: String) throws {
        let bytes = try RewritingTests.bytes(name)
        let image = try IFS.Image.only(in: bytes)
        var sink = MemorySink()
        let count = try IFS.PlacedImage(image).write(to: &sink)
        #expect(count == UInt64(sink.bytes.count))
        // What lies behind the image is not its own.
        #expect(difference(sink.bytes, bytes[..<Int(image.end)]) == nil)
    }
}
