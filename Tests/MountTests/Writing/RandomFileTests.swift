import Foundation
import TestSupport
import Testing

/// Random operations on one file of a mounted image, each held against a copy in memory: through
/// several descriptors, maps and holes, and in the end through the image that was made of it.
@Suite(.needsFuse, .timeLimit(.minutes(20)))
struct RandomFileTests {
    static let operations = 10_000

    /// Even seeds change a file that the image has, odd ones a new file.
    @Test(arguments: LongRun.seeds(10, of: 100))
    func whatIsReadIsWhatWasWritten(seed: UInt64) throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        // Of more than 1 MiB, only pieces come to the stage.
        let first = SplitMix64.text(seed % 10 == 4 ? 3 << 20 : 100_000, seed: seed)
        let builder = ImageBuilder([.file("file", first), .file("other", "other")])
        let image = try scratch.image(builder.with { $0.packing = seed % 4 < 2 ? .none : .lzo() })
        let mount = try scratch.mount(image, "rw", deadline: 300)
        let name: Word = seed % 2 == 0 ? "file" : "new"
        var file = try RandomFile(mount / name, seed % 2 == 0 ? first : [], seed)
        for _ in 0..<Self.operations { try file.step() }
        try file.compareAll()
        let last = file.shadow
        file.close()
        let finished = try run([Machine.tool("umount.ifs"), mount.path])
        #expect(finished.description == "status 0")
        try mount.wait()
        let again = try scratch.mount(image, "ro", at: "again")
        #expect(try difference(Calls.contents(again / name), last) == nil)
        #expect(try Calls.contents(again / "other") == Array("other".utf8))
        #expect(try run([Machine.tool("ifsctl"), "check", image]).status == 0)
    }
}

/// A file and what it has to hold.
private struct RandomFile {
    private(set) var shadow: [UInt8]
    private let path: Word
    private let noise: [UInt8]
    private var random: SplitMix64
    /// Two ordinary descriptors, one that appends, and one around the kernel's cache.
    private var files: [Int32] = []
    private let page: UnsafeMutableRawPointer

    private let largest: Int
    private static let largestPiece = 60_000

    init(_ path: Word, _ bytes: [UInt8], _ seed: UInt64) throws {
        self.path = path
        shadow = bytes
        largest = max(256 << 10, bytes.count + (256 << 10))
        random = SplitMix64(seed: seed)
        noise = SplitMix64.noise(Self.largestPiece + 5000, seed: seed)
        page = .allocate(byteCount: 1 << 17, alignment: 4096)
        try open()
    }

    private mutating func open() throws {
        for flags in [0, 0, O_APPEND, Linux.direct] {
            let file = path.withCString {
                Glibc.open($0, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0o644)
            }
            guard file >= 0 else { throw SystemError(code: errno) }
            files.append(file)
        }
    }

    mutating func close() {
        for file in files { Glibc.close(file) }
        files = []
    }

    private mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }

    /// A range within the file; short ones are as frequent as long ones.
    private mutating func range(within count: Int) -> Range<Int> {
        let start = number(count)
        let most = min(count - start, [16, 5000, Self.largestPiece][number(3)])
        return start..<(start + number(most + 1))
    }

    private mutating func piece(_ count: Int) -> ArraySlice<UInt8> {
        let start = number(noise.count - count)
        return noise[start..<(start + count)]
    }

    // MARK: Steps

    mutating func step() throws {
        switch number(24) {
        case 0...4: try read(files[number(2)])
        case 5...8: try write()
        case 9, 10: try append()
        case 11, 12: try truncate()
        case 13...15: try map(isWritten: false)
        case 16...18: try map(isWritten: true)
        case 19: try allocate()
        case 20: try punch()
        case 21: try readDirectly()
        case 22: try writeDirectly()
        default: try rest()
        }
    }

    private func check(_ result: Int, _ expected: Int, _ what: String) throws {
        if result < 0 { throw SystemError(code: errno) }
        guard result == expected else { throw Failure("\(what): \(result), expected \(expected)") }
    }

    private func expectEqual(
        _ bytes: UnsafeRawPointer, _ range: Range<Int>, _ what: String
    ) throws {
        let isSame = shadow.withUnsafeBytes { buffer in
            range.isEmpty || memcmp(bytes, buffer.baseAddress! + range.lowerBound, range.count) == 0
        }
        guard !isSame else { return }
        let found = Array(UnsafeRawBufferPointer(start: bytes, count: range.count))
        throw Failure("\(what) at \(range): \(difference(found[...], shadow[range]) ?? "")")
    }

    private mutating func put(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        let end = offset + bytes.count
        if shadow.count < end {
            shadow += [UInt8](repeating: 0, count: end - shadow.count)
        }
        shadow.replaceSubrange(offset..<end, with: bytes)
    }

    private mutating func read(_ file: Int32) throws {
        let range = range(within: shadow.count + 100)
        let known = range.clamped(to: 0..<shadow.count)
        let count = pread(file, page, range.count, off_t(range.lowerBound))
        try check(count, range.lowerBound < shadow.count ? known.count : 0, "read")
        if count > 0 { try expectEqual(page, known, "read") }
    }

    private mutating func write() throws {
        let range = range(within: min(largest, shadow.count + 9000))
        let bytes = piece(range.count)
        let file = files[number(2)]
        let count = bytes.withUnsafeBytes {
            pwrite(file, $0.baseAddress, $0.count, off_t(range.lowerBound))
        }
        try check(count, range.count, "write")
        if count > 0 { put(bytes, at: range.lowerBound) }
    }

    private mutating func append() throws {
        let bytes = piece(number(3000))
        guard shadow.count + bytes.count <= largest else { return }
        let count = bytes.withUnsafeBytes { Glibc.write(files[2], $0.baseAddress, $0.count) }
        try check(count, bytes.count, "append")
        put(bytes, at: shadow.count)
    }

    private mutating func truncate() throws {
        let count = number(2) == 0 ? number(largest) : number(shadow.count + 1)
        try check(Int(ftruncate(files[number(2)], off_t(count))), 0, "truncate")
        resize(to: count)
    }

    private mutating func resize(to count: Int) {
        if count < shadow.count { shadow.removeLast(shadow.count - count) }
        shadow += [UInt8](repeating: 0, count: count - shadow.count)
    }

    private mutating func map(isWritten: Bool) throws {
        let range = range(within: shadow.count)
        guard !range.isEmpty else { return }
        let start = range.lowerBound & ~4095
        let count = range.upperBound - start
        let map = mmap(
            nil, count, PROT_READ | (isWritten ? PROT_WRITE : 0), MAP_SHARED, files[number(2)],
            off_t(start))
        guard let map, map != MAP_FAILED else { throw SystemError(code: errno) }
        try expectEqual(map + (range.lowerBound - start), range, "map")
        if isWritten {
            let bytes = piece(range.count)
            _ = bytes.withUnsafeBytes {
                memcpy(map + (range.lowerBound - start), $0.baseAddress!, $0.count)
            }
            put(bytes, at: range.lowerBound)
            if number(2) == 0 { try check(Int(msync(map, count, Int32(MS_SYNC))), 0, "msync") }
        }
        munmap(map, count)
    }

    private mutating func allocate() throws {
        let range = range(within: min(largest, shadow.count + 9000))
        guard !range.isEmpty else { return }
        let mode = [0, Linux.keepSize, Linux.zeroRange, Linux.zeroRange | Linux.keepSize][number(4)]
        try allocate(mode, range)
        if mode & Linux.zeroRange != 0 { clear(range) }
        if mode & Linux.keepSize == 0, range.upperBound > shadow.count {
            resize(to: range.upperBound)
        }
    }

    private mutating func punch() throws {
        let range = range(within: shadow.count + 100)
        guard !range.isEmpty else { return }
        try allocate(Linux.punchHole | Linux.keepSize, range)
        clear(range)
    }

    /// A file system that has no such thing says so.
    private mutating func allocate(_ mode: Int32, _ range: Range<Int>) throws {
        let status = fallocate(
            files[number(2)], mode, off_t(range.lowerBound), off_t(range.count))
        try check(Int(status), 0, "fallocate \(mode)")
    }

    private mutating func clear(_ range: Range<Int>) {
        let known = range.clamped(to: 0..<shadow.count)
        shadow.replaceSubrange(known, with: repeatElement(0, count: known.count))
    }

    private mutating func readDirectly() throws {
        let start = number(shadow.count + 1) & ~4095
        let count = 4096 * (number(8) + 1)
        let known = (start..<(start + count)).clamped(to: 0..<shadow.count)
        let done = pread(files[3], page, count, off_t(start))
        try check(done, start < shadow.count ? known.count : 0, "direct read")
        if done > 0 { try expectEqual(page, known, "direct read") }
    }

    private mutating func writeDirectly() throws {
        let start = number(min(largest - 32768, shadow.count + 1)) & ~4095
        let bytes = piece(4096 * (number(8) + 1))
        bytes.withUnsafeBytes { page.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        try check(pwrite(files[3], page, bytes.count, off_t(start)), bytes.count, "direct write")
        put(bytes, at: start)
    }

    private mutating func rest() throws {
        switch number(8) {
        case 0:
            close()
            try open()
        case 1: try check(Int(fsync(files[0])), 0, "fsync")
        case 2: try compareAll()
        default:
            var status = stat()
            try check(Int(fstat(files[number(4)], &status)), 0, "fstat")
            try check(Int(status.st_size), shadow.count, "size")
        }
    }

    func compareAll() throws {
        if let fault = difference(try Calls.contents(path), shadow) { throw Failure(fault) }
    }
}
