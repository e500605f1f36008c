import Format
import TestSupport
import Testing

/// Offsets are those of `include/uapi/linux/qnx4_fs.h`, and for what that leaves out of the format's
/// description.
struct QNX4StructureTests {
    @Test func everyFieldOfAFilesRecordHasItsPlace() throws {
        var bytes = Array(0..<16) + [UInt8](repeating: 0, count: 48)
        for index in 0..<8 { bytes.set(UInt32(100 + index), at: 16 + 4 * index) }
        for index in 0..<5 { bytes.set(UInt16(200 + index), at: 48 + 2 * index) }
        bytes.set(UInt16(0o100644), at: 50)
        bytes.set(UInt32(300), at: 58)
        bytes[62] = 5
        bytes[63] = 0x53
        let record = try QNX4.InodeRecord(parsing: bytes.span.bytes, at: 0)
        #expect(record.name == Array(0..<16) && record.size == 100)
        #expect(record.first == QNX4.Extent(start: 101, count: 102) && record.extentBlock == 103)
        #expect(record.created == 104 && record.modified == 105)
        #expect(record.accessed == 106 && record.changed == 107)
        #expect(record.extentCount == 200 && record.kind == .file)
        #expect(record.user == 202 && record.group == 203 && record.linkCount == 204)
        #expect(record.spare == 300 && record.type == 5 && record.status == 0x53)
        var written = [UInt8](repeating: 0, count: 64)
        record.write(to: &written, at: 0)
        #expect(difference(written, bytes) == nil)
    }

    @Test func everyFieldOfALinkHasItsPlace() throws {
        var bytes = Array(0..<64) as [UInt8]
        bytes.set(UInt32(100), at: 48)
        bytes.set(UInt32(101), at: 53)
        let record = try QNX4.LinkRecord(parsing: bytes.span.bytes, at: 0)
        #expect(record.name == Array(0..<48))
        #expect(record.target == QNX4.RecordPlace(block: 100, index: 52))
        #expect(record.longName == 101 && record.spare == Array(57..<63) && record.status == 63)
        var written = [UInt8](repeating: 0, count: 64)
        record.write(to: &written, at: 0)
        #expect(difference(written, bytes) == nil)
    }

    @Test func theLastByteTellsWhatARecordIs() throws {
        for status in 0...255 as ClosedRange<UInt8> {
            var bytes = [UInt8](repeating: 0x61, count: 64)
            bytes[63] = status
            let found = try QNX4.DirectoryRecord(parsing: bytes.span.bytes, at: 0)
            switch found {
            case .link: #expect(status & 8 != 0 && found.shortName.count == 48)
            case .inode: #expect(status & 9 == 1 && found.shortName.count == 16)
            case .free: #expect(status & 9 == 0 && found.shortName == [])
            }
        }
    }

    @Test func extentBlocksAndLongNamesComeOutAsTheyWentIn() throws {
        let extents = (0..<60).map { ($0 * 10 + 1, $0 + 1) } as [(UInt32, UInt32)]
        let bytes = SmallQNX4.extents(extents, next: 77, previous: 66, first: (5, 6))
        let block = try QNX4.ExtentBlock(parsing: bytes.span.bytes, at: 0)
        #expect(block.next == 77 && block.previous == 66 && block.blockCount == 1830)
        #expect(
            block.extents.count == 60 && block.extents[59] == QNX4.Extent(start: 591, count: 60))
        #expect(block.first == QNX4.Extent(start: 5, count: 6))
        var written = [UInt8](repeating: 0, count: 512)
        block.write(to: &written, at: 0)
        #expect(difference(written, bytes) == nil)
        for count in [0, 61] as [UInt8] {
            var bytes = bytes
            bytes[8] = count
            #expect(
                throws: FormatError.corrupt(
                    Place("qnx4 extent block.xblk_num_xtnts", 8), found: "\(count)",
                    expected: "1 through 60")
            ) { try QNX4.ExtentBlock(parsing: bytes.span.bytes, at: 0) }
        }
        var name: [UInt8] = [1, 2, 0, 0, 7, 1] + [UInt8](repeating: 0x6e, count: 505)
        name.pad(to: 512)
        let long = try QNX4.LongNameBlock(parsing: name.span.bytes, at: 0)
        #expect(long.owner == QNX4.RecordPlace(block: 0x201, index: 7) && long.status == 1)
        #expect(long.name == [UInt8](repeating: 0x6e, count: 505))
        written = [UInt8](repeating: 0, count: 512)
        long.write(to: &written, at: 0)
        #expect(difference(written, name) == nil)
    }

    @Test func recordsCutAtEveryLengthAreTruncated() {
        let record = SmallQNX4.link("name", 1, 2)
        let block = SmallQNX4.extents([(1, 1)], first: (1, 1))
        for count in 0..<64 {
            let bytes = Array(record.prefix(count))
            for parse in [
                { _ = try QNX4.InodeRecord(parsing: bytes.span.bytes, at: 0) },
                { _ = try QNX4.LinkRecord(parsing: bytes.span.bytes, at: 0) },
                { _ = try QNX4.DirectoryRecord(parsing: bytes.span.bytes, at: 0) },
            ] as [() throws -> Void] {
                let error = #expect(throws: FormatError.self) { try parse() }
                guard case .truncated? = error else {
                    Issue.record("cut at \(count): \(String(describing: error))")
                    continue
                }
            }
        }
        for count in 0..<512 {
            let bytes = Array(block.prefix(count))
            #expect(throws: FormatError.self) {
                try QNX4.ExtentBlock(parsing: bytes.span.bytes, at: 0)
            }
            #expect(throws: FormatError.self) {
                try QNX4.LongNameBlock(parsing: bytes.span.bytes, at: 0)
            }
        }
    }

    @Test(.enabled(if: Fixtures.hasShared, "no ../shared/images"))
    func realRecordsComeOutAsTheyWere() throws {
        let bytes = try Fixtures.bytes(Fixtures.sharedImage("qnx4.img"))
        // Root block, root directory, .inodes.
        for block in [2] + Array(4...27) {
            for start in stride(from: (block - 1) * 512, to: block * 512, by: 64) {
                var written = [UInt8](repeating: 0, count: 64)
                switch try QNX4.DirectoryRecord(parsing: bytes.span.bytes, at: start) {
                case .inode(let record): record.write(to: &written, at: 0)
                case .link(let record): record.write(to: &written, at: 0)
                case .free: continue
                }
                #expect(difference(written, bytes[start..<(start + 64)]) == nil)
            }
        }
    }
}
