import Format
import TestSupport
import Testing

/// An image as it was and as a commit has made it, held against each other byte by byte: only what an
/// edit is about may differ.
///
/// Offsets are those of `struct startup_header` and `struct image_header` in the vendor's headers.
struct RepackJudge {
    private let before: [UInt8]
    private let after: [UInt8]
    let old: IFS.Image
    let new: IFS.Image
    /// Paths that the edit is about, as they were and as they are, and directories above them that the
    /// image did not list and may have to now, since they are empty.
    private let touched: Set<String>

    init(_ before: [UInt8], _ after: [UInt8], touched: Set<String>) throws {
        self.before = before
        self.after = after
        let old = try #require(try IFS.Scanner.images(in: before).images.first)
        self.old = old
        let above = touched.flatMap { path in
            path.indices.filter { path[$0] == "/" }.map { String(path[..<$0]) }
        }
        self.touched = touched.union(above.filter { !old.paths.contains($0) })
        new = try #require(try IFS.Scanner.images(in: after).images.first)
    }

    /// Everything that holds for whatever edit.
    func judge() throws {
        judgeSoundness()
        try judgeUntouchedEntries()
        judgeOrder()
        judgeSurroundings()
        try judgePlainBytes()
        try judgeBlocks()
    }

    private func judgeSoundness() {
        #expect(new.checkSums().allSatisfy { $0.word != "bad" })
        let known = Set(old.check().map(\.description))
        #expect(new.check().map(\.description).filter { !known.contains($0) } == [])
        #expect(new.missingByteCount == 0)
    }

    // MARK: Entries

    private struct Seen: Equatable {
        let numbers: [UInt32]
        let bytes: [UInt8]
    }

    /// What of an entry has to stay; of a program that may move, without the addresses of its place.
    private func seen(_ entry: IFS.Dirent, of image: IFS.Image) throws -> Seen {
        var bytes: [UInt8] = Array(image.directory.target(of: entry))
        var numbers = [
            entry.inode, entry.mode, entry.user, entry.group, entry.modified,
            UInt32(entry.extendedAttributes),
        ]
        switch entry.kind {
        case .file: bytes = (try? image.data(of: entry)) ?? []  // Some lie outside the image.
        case .device(let device, let raw): numbers += [device, raw]
        case .symlink, .directory, .unknown: break
        }
        if entry.inode & 0x8000_0000 != 0 { bytes = bytes.withoutPhysicalAddresses }
        return Seen(numbers: numbers, bytes: bytes)
    }

    private func untouched(_ image: IFS.Image) -> [(path: String, entry: IFS.Dirent)] {
        zip(image.paths, image.directory.entries).filter { !touched.contains($0.0) }
            .map { ($0.0, $0.1) }
    }

    private func judgeUntouchedEntries() throws {
        let (one, other) = (untouched(old), untouched(new))
        guard old.isSorted else {
            try judge(one, other)
            return
        }
        try judge(one.sorted { $0.path < $1.path }, other.sorted { $0.path < $1.path })
    }

    private func judge(
        _ one: [(path: String, entry: IFS.Dirent)], _ other: [(path: String, entry: IFS.Dirent)]
    ) throws {
        #expect(other.map(\.path) == one.map(\.path))
        for (before, after) in zip(one, other) where before.path == after.path {
            let isSame = try seen(before.entry, of: old) == seen(after.entry, of: new)
            #expect(isSame, "\(before.path) is not what it was")
            if isFixed(before.entry) {
                #expect(after.entry.kind == before.entry.kind, "\(before.path)")
            }
        }
    }

    private func isFixed(_ entry: IFS.Dirent) -> Bool { entry.inode & 0x2000_0000 != 0 }

    private func judgeOrder() {
        #expect(new.header.flags == old.header.flags)
        if old.isSorted { #expect(new.isSorted) }
    }

    // MARK: Bytes

    /// What lies before the image and behind it, and the startup area but for sizes and sums.
    private func judgeSurroundings() {
        let isInELF = before.starts(with: [0x7f, 0x45, 0x4c, 0x46])
        #expect(new.headerOffset == old.headerOffset && new.storedOffset == old.storedOffset)
        let head = Int(old.headerOffset)
        if !isInELF { #expect(difference(after[..<head], before[..<head]) == nil) }
        #expect(difference(after[endOf(new)...], before[endOf(old)...]) == nil)
        guard let startup = old.startup else { return }
        var (one, other) = (
            before[head..<Int(old.storedOffset)], after[head..<Int(old.storedOffset)]
        )
        // ram_size, stored_size, imagefs_size, and the sum or sums at the end of the area.
        var free = [28..<32, 36..<40, 44..<48]
        let end = Int(startup.startupSize)
        free.append((end - startup.trailerSize)..<end)
        for place in free.joined() where head + place < one.endIndex {
            (one[head + place], other[head + place]) = (0, 0)
        }
        #expect(difference(other, one) == nil)
    }

    private func endOf(_ image: IFS.Image) -> Int {
        let plain = Int(image.storedOffset) + Int(image.header.imageSize)
        return image.compression == .none ? plain : Int(image.end)
    }

    private func plain(_ image: IFS.Image) throws -> [UInt8] {
        try image.contents.bytes(UInt64(image.header.imageSize), at: 0, "image")
    }

    /// The image file system: its sizes, the directory, the data of what was touched, and of what had
    /// to make room for a directory that grew.
    private func judgePlainBytes() throws {
        var (one, other) = (try plain(old), try plain(new))
        let common = min(one.count, other.count) - old.header.trailerSize
        one.removeLast(one.count - common)
        other.removeLast(other.count - common)
        var free = [8..<16]
        let directory = Int(old.header.directoryOffset)
        let end = Int(max(old.header.directoryEnd, new.header.directoryEnd))
        free.append(directory..<end)
        for image in [old, new] { free += extents(image) { touched.contains($0) } }
        free += moved(grownTo: UInt32(end))
        for range in free {
            for place in range.clamped(to: 0..<common) { (one[place], other[place]) = (0, 0) }
        }
        #expect(difference(other, one) == nil)
    }

    private func extents(_ image: IFS.Image, _ isMeant: (String) -> Bool) -> [Range<Int>] {
        zip(image.paths, image.directory.entries).compactMap { path, entry in
            guard isMeant(path), case .file(let offset, let size) = entry.kind else { return nil }
            return Int(offset)..<(Int(offset) + Int(size))
        }
    }

    /// Where untouched files were and are that have moved. Only a directory that grows may move any.
    private func moved(grownTo end: UInt32) -> [Range<Int>] {
        let now = Dictionary(untouched(new).map { ($0.path, $0.entry) }) { $1 }
        var ranges: [Range<Int>] = []
        for (path, entry) in untouched(old) {
            guard case .file(let offset, let size) = entry.kind,
                case .file(let newOffset, _)? = now[path]?.kind, offset != newOffset, size > 0
            else { continue }
            #expect(offset < end, "\(path) has moved from \(offset) to \(newOffset)")
            for start in [offset, newOffset] {
                ranges.append(Int(start)..<(Int(start) + Int(size)))
            }
        }
        return ranges
    }

    /// Blocks of an LZO or UCL image that unpack to the same bytes are packed to the same: a chain of
    /// lengths of two bytes, most significant first, and what they count.
    private func judgeBlocks() throws {
        guard [.lzo, .ucl].contains(old.compression), new.compression == old.compression else {
            #expect(new.compression == old.compression)
            return
        }
        let (one, other) = (chain(before, old), chain(after, new))
        let isEven = one.count == (Int(old.header.imageSize) + 0xffff) >> 16
        guard isEven, other.count == (Int(new.header.imageSize) + 0xffff) >> 16 else { return }
        let (plainOne, plainOther) = (try plain(old), try plain(new))
        for index in 0..<min(one.count, other.count) {
            let start = index << 16
            let (end, newEnd) = (
                min(start + 0x10000, plainOne.count), min(start + 0x10000, plainOther.count)
            )
            guard plainOne[start..<end] == plainOther[start..<newEnd] else { continue }
            #expect(one[index] == other[index], "block \(index) was packed anew")
        }
    }

    private func chain(_ bytes: [UInt8], _ image: IFS.Image) -> [ArraySlice<UInt8>] {
        var blocks: [ArraySlice<UInt8>] = []
        var place = Int(image.storedOffset)
        while place + 2 <= bytes.count {
            let count = Int(bytes[place]) << 8 | Int(bytes[place + 1])
            guard count > 0, place + 2 + count <= bytes.count else { break }
            blocks.append(bytes[(place + 2)..<(place + 2 + count)])
            place += 2 + count
        }
        return blocks
    }
}

extension IFS.Image {
    /// Whether the directory says that it is sorted, and is, behind the root and bootstrap files.
    fileprivate var isSorted: Bool {
        guard header.flags & 0x08 != 0 else { return false }
        let paths = directory.entries.dropFirst().filter { $0.inode & 0x2000_0000 == 0 }
            .map { Array(directory.path(of: $0)) }
        return zip(paths, paths.dropFirst()).allSatisfy { !$1.lexicographicallyPrecedes($0) }
    }
}

extension [UInt8] {
    /// An ELF file with `p_paddr` zero in all program headers.
    fileprivate var withoutPhysicalAddresses: [UInt8] {
        guard count > 64, starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return self }
        let (isWide, isBig) = (self[4] == 2, self[5] == 2)
        let table =
            isWide
            ? Int(integer(UInt64.self, at: 32, isBigEndian: isBig))
            : Int(integer(UInt32.self, at: 28, isBigEndian: isBig))
        let step = Int(integer(UInt16.self, at: isWide ? 54 : 42, isBigEndian: isBig))
        let rows = Int(integer(UInt16.self, at: isWide ? 56 : 44, isBigEndian: isBig))
        var bytes = self
        for row in 0..<rows {
            bytes.set(
                [UInt8](repeating: 0, count: isWide ? 8 : 4),
                at: table + row * step + (isWide ? 24 : 12))
        }
        return bytes
    }
}
