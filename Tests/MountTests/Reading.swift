import TestSupport

/// What a file holds when it is read as an image, by plain steps that share nothing with the tools:
/// the witness of what a mount of a damaged image may show, and of what must be an error.
///
/// Numbers are those of the format's description: `struct startup_header` in the vendor's
/// `sys/startup.h`, `struct image_header` and `union image_dirent` in `sys/image.h`.
struct Reading {
    /// One record of the directory.
    struct Record {
        /// Where it stands in the unpacked image.
        let place: Int
        let inode: UInt32
        let mode: UInt32
        let path: Word
        /// Where a file's data lies in the unpacked image, and how much there is of it.
        let data: (offset: Int, count: Int)
        /// A symbolic link's target.
        let target: [UInt8]

        var type: UInt32 { mode & 0xf000 }
    }

    /// Where the startup header stands in the file; nil for a bare image.
    let startup: Int?
    /// The fields of the startup header.
    private var header: ArraySlice<UInt8> = []
    /// Where the image file system, or its packed stream, starts in the file.
    let origin: Int
    /// Packed: 1 is zlib, 2 LZO, 3 UCL. As it is: 0.
    let code: UInt8
    /// The unpacked image as far as it can be had.
    private(set) var bytes: [UInt8] = []
    /// Parts of `bytes` that cannot be had, since their blocks do not unpack.
    private(set) var holes: [Range<Int>] = []
    /// Where the lengths of packed blocks stand in the file.
    private(set) var lengths: [Int] = []
    private(set) var records: [Record] = []
    /// Where the directory ends in the unpacked image.
    private(set) var directoryEnd = 0

    /// Every reading that a file allows; for a sound one, the first is right.
    static func all(of file: [UInt8]) -> [Reading] {
        let images = places(of: Array("imagefs".utf8), in: file)
        var found: [Reading] = []
        for isBigEndian in [false, true] {
            let mark = [UInt8](UInt32(0x00ff_7eeb), isBigEndian: isBigEndian)
            for start in places(of: mark, in: file) where start + 256 <= file.count {
                found += bootable(file, start, isBigEndian, images)
            }
        }
        for image in images {
            guard let isBigEndian = byteOrder(file, image) else { continue }
            let size = Int(file.integer(UInt32.self, at: image + 8, isBigEndian: isBigEndian))
            found.append(Reading(plain: file, image, size, startup: nil))
        }
        return found.filter { !$0.records.isEmpty }
    }

    /// Whether this much of a file's page can be had whole.
    func has(_ range: Range<Int>) -> Bool {
        range.upperBound <= bytes.count && !holes.contains { $0.overlaps(range) }
    }

    /// Whether headers and directory are those of another reading, at the same places. The header's
    /// end is not known before it was read, which takes as many bytes as it can have.
    func hasStructure(of other: Reading) -> Bool {
        let end = directoryEnd
        return startup == other.startup && header.elementsEqual(other.header)
            && origin == other.origin && end == other.directoryEnd
            && has(0..<max(end, min(other.bytes.count, Self.longestHeader)))
            && bytes[..<end] == other.bytes[..<end]
    }

    /// An image header with the longest mount point, of 1,024 bytes.
    private static let longestHeader = 88 + 1024

    // MARK: Finding

    private static func places(of mark: [UInt8], in file: [UInt8]) -> [Int] {
        guard file.count >= mark.count else { return [] }
        let head = mark[0]
        return (0...(file.count - mark.count)).filter {
            file[$0] == head && file[$0..<($0 + mark.count)].elementsEqual(mark)
        }
    }

    /// Whether the image whose header stands at `image` is big-endian; nil when it is cut off.
    private static func byteOrder(_ file: [UInt8], _ image: Int) -> Bool? {
        image + 92 <= file.count ? file[image + 7] & 1 != 0 : nil
    }

    private static func bootable(
        _ file: [UInt8], _ start: Int, _ isBigEndian: Bool, _ images: [Int]
    ) -> [Reading] {
        func word(_ offset: Int) -> Int {
            Int(file.integer(UInt32.self, at: start + offset, isBigEndian: isBigEndian))
        }
        let area = start + word(32)
        let size = word(44)
        let code = file[start + 6] >> 2 & 7
        guard area < file.count, code <= 3 else { return [] }
        if code == 0 {
            return images.filter { $0 >= area }
                .map { Reading(plain: file, $0, size, startup: start) }
        }
        let end = min(file.count, start + word(36))
        guard area < end else { return [] }
        return [Reading(packed: file, area..<end, code, size, startup: start)]
    }

    // MARK: Unpacking

    private init(plain file: [UInt8], _ image: Int, _ size: Int, startup: Int?) {
        (self.startup, origin, code) = (startup, image, 0)
        header = startup.map { file[$0..<($0 + 64)] } ?? []
        bytes = Array(file[image..<min(file.count, image + size)])
        readDirectory()
    }

    private init(
        packed file: [UInt8], _ stream: Range<Int>, _ code: UInt8, _ size: Int, startup: Int
    ) {
        (self.startup, origin, self.code) = (startup, stream.lowerBound, code)
        header = file[startup..<(startup + 64)]
        if code == 1 {
            bytes = Unpacker.inflated(file[stream], limit: size)
        } else {
            unpackBlocks(file[stream], size)
        }
        readDirectory()
    }

    /// A block does not tell how long it unpacks. If there are as many as the size needs and the
    /// last one gives just the rest, all others are of 64 KiB; else the first fault hides the rest.
    private mutating func unpackBlocks(_ stream: ArraySlice<UInt8>, _ size: Int) {
        let unit = Unpacker.blockSize
        var blocks: [[UInt8]?] = []
        var place = stream.startIndex
        while place + 2 <= stream.endIndex {
            let count = Int(stream[place]) << 8 | Int(stream[place + 1])
            if count == 0 { break }
            lengths.append(place)
            let end = place + 2 + count
            blocks.append(
                end <= stream.endIndex ? Unpacker.block(stream[(place + 2)..<end], code) : nil)
            place = end
        }
        let rest = size - (blocks.count - 1) * unit
        let isUniform = (1...unit).contains(rest) && blocks.last??.count == rest
        for (index, block) in blocks.enumerated() {
            if !isUniform, block == nil || block == [] { break }
            bytes += block ?? []
            guard isUniform, index < blocks.count - 1, bytes.count < (index + 1) * unit else {
                continue
            }
            holes.append(bytes.count..<((index + 1) * unit))
            bytes += [UInt8](repeating: 0, count: (index + 1) * unit - bytes.count)
        }
        bytes.removeLast(max(0, bytes.count - size))
    }

    // MARK: The directory

    private mutating func readDirectory() {
        guard let isBigEndian = Self.byteOrder(bytes, 0) else { return }
        func half(_ place: Int) -> Int {
            Int(bytes.integer(UInt16.self, at: place, isBigEndian: isBigEndian))
        }
        func word(_ place: Int) -> UInt32 {
            bytes.integer(UInt32.self, at: place, isBigEndian: isBigEndian)
        }
        directoryEnd = Int(word(12))
        let end = min(directoryEnd, bytes.count)
        var place = Int(word(16))
        while place + 2 <= end {
            let size = half(place)
            guard size >= 24, place + size <= end else { break }
            let record = bytes[place..<(place + size)]
            let mode = word(place + 8)
            let type = mode & 0xf000
            let head = type == 0xa000 ? 28 : type == 0x4000 ? 24 : 32
            if let path = Self.text(record.dropFirst(head)) {
                let target = type == 0xa000 ? record.dropFirst(28 + half(place + 24)) : []
                records.append(
                    Record(
                        place: place, inode: word(place + 4), mode: mode, path: path,
                        data: type == 0x8000
                            ? (Int(word(place + 24)), Int(word(place + 28))) : (0, 0),
                        target: Self.text(target)?.bytes ?? []))
            }
            place += size
        }
    }

    /// The bytes before the first NUL.
    private static func text(_ bytes: ArraySlice<UInt8>) -> Word? {
        bytes.firstIndex(of: 0).map { Word(Array(bytes[..<$0])) }
    }
}
