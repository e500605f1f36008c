/// Makes a tree of an image's entries: sorted by path, the last of equal paths, parents made up
/// where the image lists none.
struct TreeBuilder {
    private var nodes: [FileTree.Node] = []
    private var findings: [IFS.Finding] = []
    private let image: IFS.Image
    private let directory: IFS.Directory
    /// The nodes from the root to the last one.
    private var open: [Open] = []
    /// Where the path of the last entry that was placed stands.
    private var last = 0..<0
    /// The first node of each inode number and offset that occurs more than once.
    private var links: [UInt64: Int] = [:]
    private let repeated: RepeatedInodes

    private struct Open {
        /// Index in `nodes`.
        let node: Int
        /// How much of the path of the last entry leads to it, in bytes.
        let end: Int
    }

    /// The nodes in depth-first order, and what was odd.
    static func tree(
        of image: IFS.Image
    ) throws(FormatError) -> (nodes: [FileTree.Node], findings: [IFS.Finding]) {
        var builder = TreeBuilder(image)
        try builder.build()
        return (builder.nodes, builder.findings)
    }

    private init(_ image: IFS.Image) {
        self.image = image
        directory = image.directory
        repeated = RepeatedInodes(directory.entries)
    }

    private static let slash = UInt8(ascii: "/")
    /// How the vendor's kernel shows parents that the image does not list.
    private static let synthesizedMode = UInt16(NodeKind.directory.rawValue | 0o555)

    /// The longest path that the target's system takes, in bytes.
    private static let longestPath = 1023
    /// More names than any image has; bounds what made-up parents can cost.
    private static let mostNodes = 1 << 21

    private mutating func build() throws(FormatError) {
        let directory = directory
        let bytes = unsafe directory.bytes.span.bytes
        let order = sortedEntries(bytes)
        nodes.reserveCapacity(order.count &+ order.count / 8 &+ 1)
        for entry in order {
            place(Int(entry), bytes)
            guard nodes.count <= Self.mostNodes else {
                throw .unsupported(
                    Place("image directory", UInt64(image.header.directoryOffset)),
                    found: "more than \(Self.mostNodes) names",
                    expected: "that many at most")
            }
        }
        if nodes.isEmpty { nodes.append(synthesized(parent: 0, name: 0..<0)) }
        countLinks()
    }

    // MARK: Which entries

    /// Indexes of the entries to show, parents before what they hold; of equal paths the last.
    private mutating func sortedEntries(_ bytes: RawSpan) -> [UInt32] {
        let entries = directory.entries
        let end = min(UInt64(image.header.imageSize), image.contents.byteCount)
        var order: [UInt32] = []
        order.reserveCapacity(entries.count)
        for index in entries.indices {
            if let problem = Self.problem(of: entries[index], bytes, end: end) {
                note(entries[index], problem)
                if problem != .outside { continue }
            }
            order.append(UInt32(index))
        }
        // Nearly every image has them so: as stored, or, where large files come first, as numbered.
        if isAscending(order, bytes) { return order }
        order = numbered(order)
        if isAscending(order, bytes) { return order }
        order.sort { left, right in
            let result = compare(left, right, bytes)
            return result < 0 || (result == 0 && left < right)
        }
        return withoutDuplicates(order, bytes)
    }

    /// Whether no path comes before the one in front of it, or is the same.
    private func isAscending(_ order: [UInt32], _ bytes: RawSpan) -> Bool {
        order.indices.dropFirst()
            .allSatisfy { compare(order[$0 &- 1], order[$0], bytes) < 0 }
    }

    /// The entries in the order of their inode numbers, which is the one in which mkifs met the
    /// files; as they are where the numbers have large gaps.
    private func numbered(_ order: [UInt32]) -> [UInt32] {
        func number(_ index: UInt32) -> Int {
            Int(directory.entries[Int(index)].inode & IFS.Dirent.inodeMask)
        }
        var places = [UInt32](repeating: 0, count: 2 &* order.count &+ 1)
        for index in order {
            guard number(index) < places.count &- 1 else { return order }
            places[number(index) &+ 1] &+= 1
        }
        for number in places.indices.dropFirst() { places[number] &+= places[number &- 1] }
        var numbered = order
        for index in order {
            numbered[Int(places[number(index)])] = index
            places[number(index)] &+= 1
        }
        return numbered
    }

    private mutating func withoutDuplicates(_ order: [UInt32], _ bytes: RawSpan) -> [UInt32] {
        var kept: [UInt32] = []
        for (place, index) in order.enumerated() {
            if place &+ 1 < order.count, compare(index, order[place &+ 1], bytes) == 0 {
                note(directory.entries[Int(index)], .duplicate)
            } else {
                kept.append(index)
            }
        }
        return kept
    }

    private func compare(_ left: UInt32, _ right: UInt32, _ bytes: RawSpan) -> Int {
        let entries = directory.entries
        return Self.compare(
            entries[Int(left)].path.range, entries[Int(right)].path.range, bytes)
    }

    /// Below 0 where path `a` comes before `b`, 0 where they are equal. A slash is the lowest byte,
    /// so that a directory's contents follow it at once.
    private static func compare(_ a: Range<Int>, _ b: Range<Int>, _ bytes: RawSpan) -> Int {
        let shared = shared(a, b, bytes)
        guard shared < a.count, shared < b.count else { return a.count &- b.count }
        let (x, y) = (bytes.byte(a.lowerBound &+ shared), bytes.byte(b.lowerBound &+ shared))
        return x == slash || (y != slash && x < y) ? -1 : 1
    }

    /// How many bytes two paths, which lie inside the directory, have in common at their starts.
    private static func shared(_ a: Range<Int>, _ b: Range<Int>, _ bytes: RawSpan) -> Int {
        let most = min(a.count, b.count)
        var count = 0
        while most &- count >= 8 {
            let difference =
                bytes.word(a.lowerBound &+ count) ^ bytes.word(b.lowerBound &+ count)
            if difference != 0 { return count &+ difference.trailingZeroBitCount / 8 }
            count &+= 8
        }
        while count < most,
            bytes.byte(a.lowerBound &+ count) == bytes.byte(b.lowerBound &+ count)
        {
            count &+= 1
        }
        return count
    }

    private static func problem(
        of entry: IFS.Dirent, _ bytes: RawSpan, end: UInt64
    ) -> IFS.Finding.Problem? {
        if entry.inode == 0 { return .void }
        if entry.kind == .unknown { return .unknownType }
        let path = entry.path.range
        if path.isEmpty { return entry.kind == .directory ? nil : .oddName }
        if path.count > longestPath { return .longPath }
        if !isPath(path, bytes) { return .oddName }
        if case .file(let offset, let size) = entry.kind, size > 0,
            UInt64(offset) &+ UInt64(size) > end
        {
            return .outside
        }
        return nil
    }

    /// Whether every component is a name: not empty, not `.` or `..`, and short enough for a host.
    private static func isPath(_ path: Range<Int>, _ bytes: RawSpan) -> Bool {
        var start = path.lowerBound
        while true {
            let end = bytes.first(slash, in: start..<path.upperBound) ?? path.upperBound
            let isDots = end &- start <= 2 && (start..<end).allSatisfy { bytes.byte($0) == 0x2e }
            if isDots || end &- start > 255 { return false }
            if end == path.upperBound { return true }
            start = end &+ 1
        }
    }

    // MARK: Where they go

    private mutating func place(_ index: Int, _ bytes: RawSpan) {
        let entry = directory.entries[index]
        let path = entry.path.range
        if nodes.isEmpty {
            let isRoot = path.isEmpty
            nodes.append(
                isRoot
                    ? node(entry, index, parent: 0, name: 0..<0)
                    : synthesized(parent: 0, name: 0..<0))
            open = [Open(node: 0, end: 0)]
            if isRoot { return }
        }
        closeDirectories(notLeadingTo: path, bytes)
        // What remains open leads to the path; the components between are parents not listed.
        var start = path.lowerBound &+ (open.last?.end ?? 0)
        if start > path.lowerBound { start &+= 1 }
        while let slash = bytes.first(Self.slash, in: start..<path.upperBound) {
            guard let parent = directoryAtTop(entry) else { return }
            push(
                synthesized(parent: parent, name: start..<slash),
                end: slash &- path.lowerBound, of: path)
            start = slash &+ 1
        }
        guard let parent = directoryAtTop(entry) else { return }
        push(
            node(entry, index, parent: parent, name: start..<path.upperBound), end: path.count,
            of: path)
    }

    /// Drops what is open and no directory above `path`.
    private mutating func closeDirectories(
        notLeadingTo path: Range<Int>, _ bytes: RawSpan
    ) {
        let shared = Self.shared(last, path, bytes)
        while let end = open.last?.end, open.count > 1 {
            let isAbove =
                end <= shared && end < path.count
                && bytes.byte(path.lowerBound &+ end) == Self.slash
            if isAbove { return }
            open.removeLast()
        }
    }

    /// The innermost open node if it can hold entries; a finding about `entry` otherwise.
    private mutating func directoryAtTop(_ entry: IFS.Dirent) -> Int? {
        guard let top = open.last?.node else { return nil }
        let kind = UInt32(nodes[top].mode) & 0o170000
        if kind == NodeKind.directory.rawValue { return top }
        note(entry, kind == NodeKind.symlink.rawValue ? .belowSymlink : .belowFile)
        return nil
    }

    private mutating func push(_ node: FileTree.Node, end: Int, of path: Range<Int>) {
        open.append(Open(node: nodes.count, end: end))
        nodes.append(node)
        last = path
    }

    private func synthesized(parent: Int, name: Range<Int>) -> FileTree.Node {
        FileTree.Node(
            parent: UInt32(parent), nameStart: UInt32(name.lowerBound), record: FileTree.noRecord,
            canonical: UInt32(nodes.count), nameCount: UInt16(name.count),
            mode: Self.synthesizedMode)
    }

    private mutating func node(
        _ entry: IFS.Dirent, _ index: Int, parent: Int, name: Range<Int>
    ) -> FileTree.Node {
        FileTree.Node(
            parent: UInt32(parent), nameStart: UInt32(name.lowerBound), record: UInt32(index),
            canonical: UInt32(firstLink(entry) ?? nodes.count), nameCount: UInt16(name.count),
            mode: Self.mode(entry))
    }

    /// The node placed before that shares inode number and bytes: a hard link.
    private mutating func firstLink(_ entry: IFS.Dirent) -> Int? {
        guard case .file(let offset, let size) = entry.kind, size > 0 else { return nil }
        guard repeated.contains(entry.inode) else { return nil }
        let key = UInt64(entry.inode) << 32 | UInt64(offset)
        guard let first = links[key] else {
            links[key] = nodes.count
            return nil
        }
        guard case .file(_, size) = directory.entries[Int(nodes[first].record)].kind else {
            return nil
        }
        return first
    }

    /// The POSIX mode; a named special, which POSIX does not know, shows as a file nobody can write.
    private static func mode(_ entry: IFS.Dirent) -> UInt16 {
        let type = entry.mode & IFS.Dirent.ModeType.mask
        if type == IFS.Dirent.ModeType.namedSpecial {
            return UInt16(NodeKind.file.rawValue | (entry.mode & 0o7555))
        }
        return UInt16(truncatingIfNeeded: entry.mode)
    }

    /// Directories count themselves, their `.` and their subdirectories; files their names.
    private mutating func countLinks() {
        for index in nodes.indices {
            let isDirectory = nodes[index].mode & 0o170000 == 0o040000
            if isDirectory {
                nodes[index].linkCount &+= 1
                if index > 0 { nodes[Int(nodes[index].parent)].linkCount &+= 1 }
            }
            let canonical = Int(nodes[index].canonical)
            if canonical != index { nodes[canonical].linkCount &+= 1 }
        }
    }

    private mutating func note(_ entry: IFS.Dirent, _ problem: IFS.Finding.Problem) {
        findings.append(
            IFS.Finding(
                path: Array(directory.path(of: entry)), problem: problem, entry: entry))
    }
}

/// The inode numbers that more than one entry has. Few do, so that hardly any entry has to be looked
/// up among the hard links.
private struct RepeatedInodes {
    private var once: [UInt64]
    private var twice: [UInt64]

    init(_ entries: [IFS.Dirent]) {
        // Inodes are numbered without gaps, but who knows: larger ones count as repeated.
        let wordCount = entries.count / 16 &+ 16
        once = Array(repeating: 0, count: wordCount)
        twice = once
        for entry in entries {
            guard let (word, bit) = place(entry.inode) else { continue }
            twice[word] |= once[word] & bit
            once[word] |= bit
        }
    }

    func contains(_ inode: UInt32) -> Bool {
        guard let (word, bit) = place(inode) else { return true }
        return twice[word] & bit != 0
    }

    private func place(_ inode: UInt32) -> (word: Int, bit: UInt64)? {
        let number = inode & IFS.Dirent.inodeMask
        let word = Int(number >> 6)
        return word < once.count ? (word, 1 << UInt64(number & 63)) : nil
    }
}
