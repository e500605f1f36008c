import Format
import TestSupport
import Testing

/// What is read and written again is what it was: structures of every golden image and of every
/// real one at hand.
struct RewritingTests {
    @Test(arguments: Fixtures.allImages)
    func headersComeOutAsTheyWere(name: String) throws {
        let bytes = try Fixtures.image(name)
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

    @Test(arguments: Fixtures.allImages)
    func recordsComeOutAsTheyWere(name: String) throws {
        let file = MemorySource(try Fixtures.image(name))
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
