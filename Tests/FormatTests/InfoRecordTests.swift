import Format
import TestSupport
import Testing

/// Layouts are those of `struct startup_info_*` in the vendor's `sys/startup.h`.
struct InfoRecordTests {
    private static func record(_ type: UInt16, _ body: [UInt8], _ order: ByteOrder) -> [UInt8] {
        [UInt8](type, isBigEndian: order == .big)
            + [UInt8](UInt16(body.count + 4), isBigEndian: order == .big) + body
    }

    private static func words(_ values: [UInt32], _ order: ByteOrder) -> [UInt8] {
        values.flatMap { [UInt8]($0, isBigEndian: order == .big) }
    }

    private static func halves(_ values: [UInt16], _ order: ByteOrder) -> [UInt8] {
        values.flatMap { [UInt8]($0, isBigEndian: order == .big) }
    }

    @Test(arguments: ByteOrder.allCases)
    func eachTypeHasItsFields(order: ByteOrder) {
        let bytes =
            Self.record(1, Self.words([0x8000_0000, 0x1000], order), order)
            + Self.record(1, Self.words([0x8000_0000, 0x1000, 2, 1], order), order)
            + Self.record(
                2, [0x80, 0] + Self.halves([16, 1024, 63], order) + Self.words([99], order), order)
            + Self.record(3, Self.words([0x6543_2100], order), order)
            + Self.record(4, [3, 1, 0, 0], order)
            + Self.record(0x8001, [1, 2, 3], order)
        let records = IFS.InfoRecord.records(
            in: bytes + [UInt8](repeating: 0, count: 192 - bytes.count), order)
        #expect(
            records == [
                .memory(address: 0x8000_0000, size: 0x1000),
                .memory(address: 0x2_8000_0000, size: 0x1_0000_1000),
                .disk(drive: 0x80, heads: 16, cylinders: 1024, sectors: 63, blocks: 99),
                .time(0x6543_2100),
                .box(type: 3, bus: 1),
                .other(type: 0x8001, payload: [1, 2, 3]),
            ])
    }

    @Test func zerosAreNoRecords() {
        #expect(IFS.InfoRecord.records(in: [UInt8](repeating: 0, count: 192), .little) == [])
        #expect(IFS.InfoRecord.records(in: [], .little) == [])
    }

    @Test func aSkipRecordIsPassedOver() {
        let bytes =
            Self.record(0, [1, 2, 3, 4], .little)
            + Self.record(3, Self.words([5], .little), .little)
        #expect(IFS.InfoRecord.records(in: bytes, .little) == [.time(5)])
    }

    @Test(arguments: [0, 1, 2, 3, 9, 200, 0xffff] as [UInt16])
    func aRecordTooShortOrTooLongEndsTheList(size: UInt16) {
        var bytes = Self.record(3, Self.words([5], .little), .little)
        bytes += Self.record(3, Self.words([6], .little), .little)
        bytes.set(size, at: 10)
        #expect(IFS.InfoRecord.records(in: bytes, .little) == [.time(5)])
    }

    @Test(arguments: [(1, 8), (1, 16), (2, 12), (3, 4), (4, 4)] as [(UInt16, Int)])
    func aRecordOfAnotherSizeThanItsTypesKeepsItsBytes(type: UInt16, size: Int) {
        let body = [UInt8](repeating: 7, count: size - 4)
        let records = IFS.InfoRecord.records(in: Self.record(type, body, .little), .little)
        #expect(records == [.other(type: type, payload: body)])
    }
}
