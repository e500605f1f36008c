import Format
import IFSFS
import TestSupport
import Testing

/// What becomes of a volume's errors, and what the kernel is told.
struct ErrorTests {
    static let place = Place("image directory", 0x1234)
    static let faults: [FormatError] = [
        .io(place, errno: 5), .io(place, errno: 116),
        .unsupported(place, found: "a", expected: "b"),
        .truncated(place, needed: 10, available: 3), .corrupt(place, found: "a", expected: "b"),
    ]

    /// The numbers are those of Linux's `asm-generic/errno-base.h`.
    @Test(
        arguments: [
            (.notFound, 2), (.notDirectory, 20), (.isDirectory, 21), (.invalid, 22),
            (.readOnly, 30), (.replaced, 5), (.noAttribute, 61), (.exists, 17), (.notEmpty, 39),
            (.nameTooLong, 36), (.tooLarge, 27), (.noSpace, 28), (.unsupported, 95),
            (.outOfRange, 75), (.loop, 22), (.disk(28), 28), (.disk(122), 122), (.disk(5), 5),
            (.disk(13), 5),
        ] as [(FileSystemError, Int32)])
    func theKernelIsToldTheNumber(error: FileSystemError, number: Int32) {
        #expect(error.errno == number)
    }

    /// Whatever the medium's own number is, to a reader it means "not these bytes".
    @Test(arguments: faults)
    func anUnreadableVolumeIsAnInputOutputError(fault: FormatError) {
        #expect(FileSystemError.format(fault).errno == 5)
    }

    @Test(arguments: faults)
    func aVolumesErrorIsCarriedThroughEveryCall(fault: FormatError) throws {
        var volume = DictionaryVolume.sample()
        volume.failure = fault
        let fileSystem = VolumeFileSystem(volume)
        let carried = FileSystemError.format(fault)
        #expect(throws: carried) { try fileSystem.attributes(of: .root) }
        #expect(throws: carried) { try fileSystem.lookup("file", in: .root) }
        #expect(throws: carried) { try fileSystem.list(.root) }
        #expect(throws: carried) { try fileSystem.bytes(.root) }
        #expect(throws: carried) { try fileSystem.target(of: .root) }
        #expect(throws: carried) { try fileSystem.extendedAttribute("user.x.note", of: .root) }
        #expect(fileSystem.statistics == volume.statistics)
    }

    @Test func aListingIsGivenUpToTheEntryThatCannotBeTold() throws {
        var volume = DictionaryVolume.sample()
        volume.damaged = [try #require(DictionaryVolume.numbers["dir"])]
        let fileSystem = VolumeFileSystem(volume)
        var names: [String] = []
        #expect(throws: FileSystemError.format(DictionaryVolume.damage)) {
            try fileSystem.entries(of: .root, from: 0) { _, name, _ in
                names.append(String(decoding: name, as: UTF8.self))
                return true
            }
        }
        #expect(names == [".", "..", "file", "link"])
        // Who wants no more than those gets no error.
        #expect(try fileSystem.list(.root, most: 4).map(\.text) == names)
        // Behind the damage, the listing goes on.
        #expect(try fileSystem.list(.root, from: 5).map(\.text).prefix(2) == ["empty", "fifo"])
    }
}
