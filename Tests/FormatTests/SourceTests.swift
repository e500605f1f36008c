import Format
import Foundation
import TestSupport
import Testing

/// Byte sources, errors as text, and digests.
struct SourceTests {
    private static let bytes = SplitMix64.noise(1000)

    private static func sources() throws -> [any ByteSource] {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("source-\(UInt64.random(in: 0...UInt64.max))")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let around = [9, 9, 9] + bytes + [9, 9]
        return [
            MemorySource(bytes), try FileSource(taking: open(file.path, O_RDONLY)),
            WindowSource(MemorySource(around), from: 3, count: 1000),
            WindowSource(
                WindowSource(MemorySource(around), from: 1, count: 1002), from: 2, count: .max),
        ]
    }

    @Test func everySourceReadsAtAnyPlaceAndEndsWhereItEnds() throws {
        for source in try Self.sources() where !(source is WindowSource && source.byteCount == 1001)
        {
            #expect(source.byteCount == 1000)
            for (offset, count) in [(0, 1000), (0, 1), (1, 998), (999, 1), (500, 700), (0, 5000)] {
                let found = try source.prefix(count, at: UInt64(offset))
                #expect(found == Array(Self.bytes[offset..<min(1000, offset + count)]))
            }
            for offset in [1000, 1001, UInt64.max] {
                #expect(try source.prefix(10, at: offset) == [])
            }
            #expect(try source.prefix(0, at: 0) == [])
            #expect(try source.prefix(-1, at: 0) == [])
        }
    }

    @Test func bytesThatAreNotThereAreTruncated() throws {
        for source in try Self.sources() {
            #expect(try source.bytes(1000, at: 0, "x").count == 1000)
            #expect(try source.bytes(0, at: 1000, "x") == [])
            #expect(throws: FormatError.truncated(Place("x", 1), needed: 1000, available: 999)) {
                try source.bytes(1000, at: 1, "x")
            }
            #expect(throws: FormatError.truncated(Place("x", 2000), needed: 1, available: 0)) {
                try source.bytes(1, at: 2000, "x")
            }
            #expect(
                throws: FormatError.truncated(
                    Place("x", .max), needed: .max, available: 0)
            ) { try source.bytes(.max, at: .max, "x") }
        }
    }

    @Test func aWindowEndsWhereItsWholeDoes() {
        let whole = MemorySource(Self.bytes)
        #expect(WindowSource(whole, from: 990, count: 50).byteCount == 10)
        #expect(WindowSource(whole, from: 2000, count: 50).byteCount == 0)
        #expect(WindowSource(whole, from: .max, count: .max).byteCount == 0)
        #expect(WindowSource(whole, from: 0, count: 0).byteCount == 0)
    }

    @Test func aFileThatShrinksEndsBeforeItsTime() throws {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("source-\(UInt64.random(in: 0...UInt64.max))")
        try Data(Self.bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let source = try FileSource(taking: open(file.path, O_RDONLY))
        #expect(truncate(file.path, 400) == 0)
        #expect(source.byteCount == 1000)
        #expect(try source.prefix(1000, at: 0).count == 400)
        #expect(throws: FormatError.truncated(Place("x", 300), needed: 200, available: 100)) {
            try source.bytes(200, at: 300, "x")
        }
    }

    @Test func holesOfAFileArePassedOver() throws {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("source-\(UInt64.random(in: 0...UInt64.max))")
        try Data([1]).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let descriptor = open(file.path, O_RDWR)
        let size: UInt64 = 3 << 40
        let data: UInt64 = 1 << 40
        #expect(pwrite(descriptor, [7], 1, off_t(data)) == 1)
        #expect(ftruncate(descriptor, off_t(size)) == 0)
        let source = try FileSource(taking: descriptor)
        let window = WindowSource(source, from: 1 << 30, count: 2 << 40)
        #expect(source.dataStart(from: 0) == 0)
        let found = source.dataStart(from: 1 << 30)
        #expect(found <= data && found > data - (1 << 20) && source.dataStart(from: data) == data)
        #expect(window.dataStart(from: 5) == found - (1 << 30))
        #expect(source.dataStart(from: data + (1 << 30)) == size)
        #expect(window.dataStart(from: data + (1 << 30)) == 2 << 40)
        for source in [source, window] as [any ByteSource] {
            #expect(source.dataStart(from: source.byteCount) == source.byteCount)
            #expect(source.dataStart(from: .max) == source.byteCount)
        }
        #expect(MemorySource(Self.bytes).dataStart(from: 17) == 17)
    }

    @Test func whatHasNoSizeIsUnsupported() throws {
        for (name, path) in [("a special file", "/dev/null"), ("a directory", "/")] {
            #expect(
                throws: FormatError.unsupported(
                    Place("file", 0), found: name, expected: "a regular file or a block device")
            ) { try FileSource(taking: open(path, O_RDONLY)) }
        }
    }

    @Test func aDescriptorThatIsRefusedIsClosedAllTheSame() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[1]) }
        #expect(throws: FormatError.self) { try FileSource(taking: ends[0]) }
        var status = pollfd(fd: ends[1], events: Int16(POLLOUT), revents: 0)
        poll(&status, 1, 0)
        #expect(status.revents & Int16(POLLERR) != 0, "nobody reads the pipe any more")
    }

    @Test func aDescriptorThatIsNoneIsAnIOError() {
        #expect(throws: FormatError.io(Place("file", 0), errno: EBADF)) {
            try FileSource(taking: -1)
        }
    }

    // MARK: Errors as text

    @Test func errorsAreOneLineThatSaysWhereWhatAndWhatInstead() {
        let place = Place("dirent.size", 0x2090)
        let lines: [(FormatError, String)] = [
            (.io(place, errno: EIO), "dirent.size at 0x2090: cannot read: Input/output error"),
            (
                .unsupported(place, found: "6", expected: "0 through 5"),
                "dirent.size at 0x2090: found 6, expected 0 through 5"
            ),
            (
                .truncated(place, needed: 28, available: 3),
                "dirent.size at 0x2090: found 3 bytes, expected 28"
            ),
            (
                .corrupt(place, found: "6", expected: "0 through 5"),
                "dirent.size at 0x2090: found 6, expected 0 through 5"
            ),
        ]
        for (error, line) in lines {
            #expect(error.description == line)
            #expect(error.place == place)
            // Where a read failed is told in the file's own coordinates from the start.
            let isRead = if case .io = error { true } else { false }
            #expect(
                error.moved(by: 0x10).place == (isRead ? place : Place("dirent.size", 0x20a0)))
        }
    }

    @Test func unprintableBytesAreShownAsDigits() {
        #expect(printable(Array("a b é".utf8)) == "a b é")
        #expect(printable([0x61, 0, 0x0a, 0x7f, 0xff, 0x20]) == "a\\x00\\x0a\\x7f\\xff ")
        #expect(printable(Array("\u{85}".utf8)) == "\\xc2\\x85")
        #expect(hex(255) == "0xff" && hexDigits([0, 0xab]) == "00ab")
    }

    // MARK: Digests

    /// Lengths around the ends of the algorithm's blocks, against the tests' own SHA-512.
    @Test(arguments: [0, 1, 55, 64, 111, 112, 113, 127, 128, 129, 239, 240, 1000])
    func sha512AgreesWithAnother(count: Int) {
        let bytes = Array(Self.bytes.prefix(count))
        var digest = Digest(.sha512)
        digest.update(Array(bytes.prefix(count / 3)))
        digest.update(Array(bytes.dropFirst(count / 3)))
        let found = digest.finish()
        #expect(found == SHA2.sha512(bytes))
    }

    /// The examples of RFC 1321 and FIPS 180-4.
    @Test func theStandardsExamplesComeOut() {
        var md5 = Digest(.md5)
        md5.update(Array("message digest".utf8))
        let found = hexDigits(md5.finish())
        #expect(found == "f96b697d7cb7938d525a2f31aaf161d0")
        #expect(
            hexDigits(SHA2.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hexDigits(SHA2.sha512(Array("abc".utf8))).hasPrefix("ddaf35a193617abacc417349ae204131"))
        let long = [UInt8](repeating: 0x61, count: 1_000_000)
        #expect(
            hexDigits(SHA2.sha256(long))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
