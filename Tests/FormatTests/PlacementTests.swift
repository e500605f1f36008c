import Format
import TestSupport
import Testing

/// Where entries go: as in images that the vendor's mkifs made.
struct PlacementTests {
    /// What the buildfile said and the image does not show: programs that need no page of their own.
    static let unaligned = [
        "boot-armle-rom": ["tool"], "boot-x86-attrs": ["cc"],
    ]
    /// The case whose files are aligned by attributes.
    static let cases = Fixtures.goldenCases.filter { $0 != "align" }
    static let real = ["x86-6.4-ucl.ifs", "x86-zlib.ifs"]

    @Test(arguments: cases + (Fixtures.hasShared ? real : []))
    func everyEntryGoesWhereTheVendorPutIt(name: String) throws {
        let image = try IFS.Image.only(in: Fixtures.image(name))
        let directory = image.directory
        let startup = image.startup
        let header = UInt64(startup?.prebootSize ?? 0) &+ UInt64(startup?.startupSize ?? 0)
        let base =
            startup.map {
                UInt64($0.imageAddress &+ $0.physicalBias &- UInt32($0.prebootSize))
            } ?? 0
        var placement = IFS.Placement(
            from: header &+ UInt64(image.header.directoryEnd), base: base)
        // Entries are numbered in the order of the buildfile.
        let entries = directory.entries.enumerated().dropFirst()
            .sorted {
                $0.element.inode & IFS.Dirent.inodeMask < $1.element.inode & IFS.Dirent.inodeMask
            }
        var others: [(entry: Int, size: UInt64)] = []
        for (index, entry) in entries {
            guard entry.inode & IFS.Dirent.processedFlag != 0 else {
                others.append((index, size(entry)))
                continue
            }
            let last =
                String(decoding: directory.path(of: entry), as: UTF8.self)
                .split(separator: "/").last.map(String.init) ?? ""
            let isFree =
                entry.mode & IFS.Dirent.ModeType.mask == IFS.Dirent.ModeType.symlink
                || Self.unaligned[name]?.contains(last) ?? false
            placement.append(
                index, at: placement.next(unit: isFree ? 1 : 4096), size: size(entry))
        }
        let places = placement.filled(with: others).places
        #expect(places.map(\.entry) == Array(1..<directory.entries.count))
        for place in places {
            guard case .file(let offset, _) = directory.entries[place.entry].kind else { continue }
            #expect(
                place.offset == header &+ UInt64(offset),
                "\(printable(directory.path(of: directory.entries[place.entry])))")
        }
    }

    private func size(_ entry: IFS.Dirent) -> UInt64 {
        if case .file(_, let size) = entry.kind { UInt64(size) } else { 0 }
    }

    /// A list that is searched from its front for each entry is what the rule means.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func itIsTheFirstGapThatHolds(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var placement = IFS.Placement(from: 100, base: 7)
        var spans: [(entry: Int, start: UInt64, end: UInt64)] = [(-1, 0, 100)]
        for entry in 0..<Int(random.next() % 20) {
            let offset = placement.next(unit: random.next() % 900)
            let size = random.next() % 500
            placement.append(entry, at: offset, size: size)
            spans.append((entry, offset, offset + size))
        }
        let others = (100..<160).map {
            (entry: $0, size: random.next() % 300 / 4 * (random.next() % 3))
        }
        for other in others.enumerated().sorted(by: {
            ($1.element.size, $0.offset) < ($0.element.size, $1.offset)
        }).map(\.element) {
            let index = spans.indices.first { index in
                index + 1 == spans.count || spans[index + 1].start - spans[index].end >= other.size
            }!
            let start = spans[index].end
            spans.insert((other.entry, start, start + other.size), at: index + 1)
        }
        let found = placement.filled(with: others)
        #expect(found.places.map(\.entry) == spans.dropFirst().map(\.entry))
        #expect(found.places.map(\.offset) == spans.dropFirst().map(\.start))
        #expect(found.end == spans.map(\.end).max())
    }
}
