/// Makes a tree of an image's entries: sorted by path, the last of equal paths, parents made up
/// where the image lists none.
struct TreeBuilder {
    private(set) var nodes: [FileTree.Node] = []
    private(set) var findings: [IFS.Finding] = []

    private let image: IFS.Image
    private let directory: IFS.Directory
    /// The directories from the root to the last node, by index in `nodes`.
    private var open: [Int] = []
    /// For each of `open`, where its path ends in the path of the last entry.
    private var ends: [Int] = []
    /// The path of the last entry that was placed.
    private var last: ArraySlice<UInt8> = []
    private var links: [UInt64: Int] = [:]

    init(_ image: IFS.Image) {
        self.image = image
        directory = image.directory
    }

    private static let slash = UInt8(ascii: "/")
    /// How the vendor's kernel shows parents that the image does not list.
    private static let synthesizedMode = UInt16(NodeKind.directory.rawValue | 0o555)

    /// The longest path that the target's system takes, in bytes.
    private static let longestPath = 1023
    /// More names than any image has; bounds what made-up parents can cost.
    private static let mostNodes = 1 << 21

    mutating func build() throws(FormatError) {
        let order = sortedEntries()
        links.reserveCapacity(order.count)
        for entry in order {
            place(entry)
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
    private mutating func sortedEntries() -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(directory.entries.count)
        for (index, entry) in directory.entries.enumerated() {
            if let problem = problem(of: entry) {
                note(entry, problem)
                if problem != .outside { continue }
            }
            order.append(index)
        }
        sort(&order)
        return order.indices.compactMap { place in
            let index = order[place]
            guard place &+ 1 < order.count, path(index) == path(order[place &+ 1]) else {
                return index
            }
            note(directory.entries[index], .duplicate)
            return nil
        }
    }

    /// Sorts as if a slash were the lowest byte, so that a directory's contents follow it at once.
    private func sort(_ order: inout [Int]) {
        func precedes(_ left: Int, _ right: Int) -> Bool {
            let (left, right) = (directory.entries[left], directory.entries[right])
            return unsafe directory.bytes.withUnsafeBufferPointer { bytes in
                let (a, b) = (left.path.range, right.path.range)
                let shared = min(a.count, b.count)
                for step in 0..<shared {
                    let x = unsafe bytes[a.lowerBound &+ step]
                    let y = unsafe bytes[b.lowerBound &+ step]
                    if x != y { return x == Self.slash || (y != Self.slash && x < y) }
                }
                return a.count == b.count
                    ? left.recordOffset < right.recordOffset : a.count < b.count
            }
        }
        let isSorted = zip(order, order.dropFirst()).allSatisfy { precedes($0, $1) }
        if !isSorted { order.sort(by: precedes) }
    }

    private func problem(of entry: IFS.Dirent) -> IFS.Finding.Problem? {
        if entry.inode == 0 { return .void }
        if entry.kind == .unknown { return .unknownType }
        let path = directory.path(of: entry)
        if path.isEmpty { return entry.kind == .directory ? nil : .oddName }
        if path.count > Self.longestPath { return .longPath }
        if !isPath(path) { return .oddName }
        if case .file(let offset, let size) = entry.kind, size > 0,
            UInt64(offset) &+ UInt64(size)
                > min(UInt64(image.header.imageSize), image.contents.byteCount)
        {
            return .outside
        }
        return nil
    }

    /// Whether every component is a name: not empty, not `.` or `..`, and short enough for a host.
    private func isPath(_ path: ArraySlice<UInt8>) -> Bool {
        var start = path.startIndex
        while true {
            let end = path[start...].firstIndex(of: Self.slash) ?? path.endIndex
            let isDots = end &- start <= 2 && path[start..<end].allSatisfy { $0 == 0x2e }
            if isDots || end &- start > 255 { return false }
            if end == path.endIndex { return true }
            start = end &+ 1
        }
    }

    // MARK: Where they go

    private mutating func place(_ index: Int) {
        let entry = directory.entries[index]
        let path = path(index)
        if nodes.isEmpty {
            let root = path.isEmpty ? index : nil
            nodes.append(
                root.map { node($0, parent: 0, name: 0..<0) }
                    ?? synthesized(parent: 0, name: 0..<0))
            open = [0]
            ends = [0]
            if root != nil { return }
        }
        closeDirectories(notLeadingTo: path)
        // What remains open leads to the path; the components between are parents not listed.
        var start = path.startIndex &+ (ends.last ?? 0)
        if start > path.startIndex { start &+= 1 }
        while let slash = path[start...].firstIndex(of: Self.slash) {
            guard let parent = directoryAtTop(entry) else { return }
            push(
                synthesized(parent: parent, name: start..<slash),
                end: slash &- path.startIndex, of: path)
            start = slash &+ 1
        }
        guard let parent = directoryAtTop(entry) else { return }
        push(
            node(index, parent: parent, name: start..<path.endIndex), end: path.count, of: path)
    }

    /// Drops what is open and no directory above `path`.
    private mutating func closeDirectories(notLeadingTo path: ArraySlice<UInt8>) {
        let shared = zip(last, path).prefix { $0 == $1 }.count
        while let end = ends.last, open.count > 1 {
            let isAbove =
                end <= shared && end < path.count && path[path.startIndex &+ end] == Self.slash
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

    private mutating func push(_ node: FileTree.Node, end: Int, of path: ArraySlice<UInt8>) {
        open.append(nodes.count)
        ends.append(end)
        nodes.append(node)
        last = path
    }

    private func synthesized(parent: Int, name: Range<Int>) -> FileTree.Node {
        FileTree.Node(
            parent: UInt32(parent), nameStart: UInt32(name.lowerBound),
            nameCount: UInt16(name.count), mode: Self.synthesizedMode, user: 0, group: 0,
            modified: modifiedOfImage, byteCount: 0, record: FileTree.noRecord,
            canonical: UInt32(nodes.count), linkCount: 1, rawDevice: 0)
    }

    /// The root's time, which is when the image was built; 0 without one.
    private var modifiedOfImage: Int64 {
        nodes.first.map(\.modified) ?? 0
    }

    private mutating func node(_ index: Int, parent: Int, name: Range<Int>) -> FileTree.Node {
        let entry = directory.entries[index]
        var canonical = nodes.count
        var byteCount: UInt64 = 0
        var rawDevice: UInt32 = 0
        switch entry.kind {
        case .file(let offset, let size):
            byteCount = UInt64(size)
            canonical = firstLink(entry, offset, size) ?? canonical
        case .symlink(let target, _): byteCount = UInt64(target.range.count)
        case .device(_, let raw): rawDevice = raw
        case .directory, .unknown: break
        }
        return FileTree.Node(
            parent: UInt32(parent), nameStart: UInt32(name.lowerBound),
            nameCount: UInt16(name.count), mode: Self.mode(entry), user: entry.user,
            group: entry.group, modified: Int64(entry.modified), byteCount: byteCount,
            record: UInt32(index), canonical: UInt32(canonical), linkCount: 1,
            rawDevice: rawDevice)
    }

    /// The node placed before that shares inode number and bytes: a hard link.
    private mutating func firstLink(_ entry: IFS.Dirent, _ offset: UInt32, _ size: UInt32) -> Int? {
        guard size > 0 else { return nil }
        let key = UInt64(entry.inode) << 32 | UInt64(offset)
        guard let first = links[key] else {
            links[key] = nodes.count
            return nil
        }
        return nodes[first].byteCount == UInt64(size) ? first : nil
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

    private func path(_ index: Int) -> ArraySlice<UInt8> {
        directory.path(of: directory.entries[index])
    }

    private mutating func note(_ entry: IFS.Dirent, _ problem: IFS.Finding.Problem) {
        findings.append(
            IFS.Finding(path: Array(directory.path(of: entry)), problem: problem))
    }
}
