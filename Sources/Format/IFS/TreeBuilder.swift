/// Makes a tree of an image's entries: sorted by path, the last of equal paths, parents made up
/// where the image lists none.
struct TreeBuilder {
    private var nodes: [FileTree.Node] = []
    private var findings: [IFS.Finding] = []
    private let image: IFS.Image
    private let directory: IFS.Directory
    /// The directories from the root to the last node, by index in `nodes`.
    private var open: [Int] = []
    /// For each of `open`, how much of the path of the last entry leads to it, in bytes.
    private var ends: [Int] = []
    /// Where the path of the last entry that was placed stands.
    private var last = 0..<0
    /// The first node of each inode number and offset that occurs more than once.
    private var links: [UInt64: Int] = [:]
    private let repeated: RepeatedInodes

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
        let bytes = directory.bytes.span
        let order = sortedEntries(bytes)
        nodes.reserveCapacity(order.count &+ order.count / 8 &+ 1)
        for entry in order {
            place(entry, bytes)
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
    private mutating func sortedEntries(_ bytes: Span<UInt8>) -> [Int] {
        let entries = directory.entries
        let end = min(UInt64(image.header.imageSize), image.contents.byteCount)
        var order: [Int] = []
        order.reserveCapacity(entries.count)
        for index in entries.indices {
            if let problem = Self.problem(of: entries[index], bytes, end: end) {
                note(entries[index], problem)
                if problem != .outside { continue }
            }
            order.append(index)
        }
        Self.sort(&order, entries, bytes)
        var kept = 0
        for place in order.indices {
            let path = entries[order[place]].path.range
            let next = place &+ 1 < order.count ? entries[order[place &+ 1]].path.range : nil
            if let next, path.count == next.count,
                Self.shared(path, next, bytes) == path.count
            {
                note(entries[order[place]], .duplicate)
            } else {
                order[kept] = order[place]
                kept &+= 1
            }
        }
        order.removeSubrange(kept...)
        return order
    }

    /// Sorts as if a slash were the lowest byte, so that a directory's contents follow it at once.
    private static func sort(
        _ order: inout [Int], _ entries: [IFS.Dirent], _ bytes: Span<UInt8>
    ) {
        func precedes(_ left: Int, _ right: Int) -> Bool {
            let (a, b) = (entries[left].path.range, entries[right].path.range)
            let shared = Self.shared(a, b, bytes)
            if shared < a.count, shared < b.count {
                let (x, y) = (bytes[a.lowerBound &+ shared], bytes[b.lowerBound &+ shared])
                return x == slash || (y != slash && x < y)
            }
            return a.count == b.count
                ? entries[left].recordOffset < entries[right].recordOffset : a.count < b.count
        }
        let isSorted = order.indices.dropFirst().allSatisfy {
            precedes(order[$0 &- 1], order[$0])
        }
        if !isSorted { order.sort(by: precedes) }
    }

    /// How many bytes two paths have in common at their starts.
    private static func shared(_ a: Range<Int>, _ b: Range<Int>, _ bytes: Span<UInt8>) -> Int {
        let most = min(a.count, b.count)
        var count = 0
        while count &+ 8 <= most {
            // Inside both paths, and these inside the directory.
            let (x, y) = unsafe (
                bytes.bytes.unsafeLoadUnaligned(
                    fromByteOffset: a.lowerBound &+ count, as: UInt64.self),
                bytes.bytes.unsafeLoadUnaligned(
                    fromByteOffset: b.lowerBound &+ count, as: UInt64.self)
            )
            if x != y { return count &+ (UInt64(littleEndian: x ^ y).trailingZeroBitCount >> 3) }
            count &+= 8
        }
        while count < most, bytes[a.lowerBound &+ count] == bytes[b.lowerBound &+ count] {
            count &+= 1
        }
        return count
    }

    private static func problem(
        of entry: IFS.Dirent, _ bytes: Span<UInt8>, end: UInt64
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
    private static func isPath(_ path: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        var start = path.lowerBound
        while true {
            let end = nextSlash(in: start..<path.upperBound, bytes) ?? path.upperBound
            let isDots = end &- start <= 2 && (start..<end).allSatisfy { bytes[$0] == 0x2e }
            if isDots || end &- start > 255 { return false }
            if end == path.upperBound { return true }
            start = end &+ 1
        }
    }

    private static func nextSlash(in range: Range<Int>, _ bytes: Span<UInt8>) -> Int? {
        var place = range.lowerBound
        while place < range.upperBound {
            if bytes[place] == slash { return place }
            place &+= 1
        }
        return nil
    }

    // MARK: Where they go

    private mutating func place(_ index: Int, _ bytes: Span<UInt8>) {
        let entry = directory.entries[index]
        let path = entry.path.range
        if nodes.isEmpty {
            let isRoot = path.isEmpty
            nodes.append(
                isRoot
                    ? node(entry, index, parent: 0, name: 0..<0)
                    : synthesized(parent: 0, name: 0..<0))
            open = [0]
            ends = [0]
            if isRoot { return }
        }
        closeDirectories(notLeadingTo: path, bytes)
        // What remains open leads to the path; the components between are parents not listed.
        var start = path.lowerBound &+ (ends.last ?? 0)
        if start > path.lowerBound { start &+= 1 }
        while let slash = Self.nextSlash(in: start..<path.upperBound, bytes) {
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
        notLeadingTo path: Range<Int>, _ bytes: Span<UInt8>
    ) {
        let shared = Self.shared(last, path, bytes)
        while let end = ends.last, open.count > 1 {
            let isAbove =
                end <= shared && end < path.count
                && bytes[path.lowerBound &+ end] == Self.slash
            if isAbove { return }
            open.removeLast()
            ends.removeLast()
        }
    }

    /// The innermost open node if it can hold entries; a finding about `entry` otherwise.
    private mutating func directoryAtTop(_ entry: IFS.Dirent) -> Int? {
        guard let top = open.last else { return nil }
        switch NodeKind(rawValue: UInt32(nodes[top].mode) & 0o170000) {
        case .directory: return top
        case .symlink: note(entry, .belowSymlink)
        default: note(entry, .belowFile)
        }
        return nil
    }

    private mutating func push(_ node: FileTree.Node, end: Int, of path: Range<Int>) {
        open.append(nodes.count)
        ends.append(end)
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
