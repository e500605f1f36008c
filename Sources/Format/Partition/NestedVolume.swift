/// A volume in which each file that holds an image file system has a directory beside it with what is
/// inside: `NAME.d`.
///
/// Nodes of an image have numbers of their own above bit 47: the image's place among those of the
/// volume, from 1, in 23 bits, and the node's number in the image in 24.
struct NestedVolume: Volume {
    private struct Nested: Sendable {
        let directory: NodeID
        let name: [UInt8]
        let volume: any Volume
    }

    private let base: any Volume
    private let nested: [Nested]
    /// Indexes in `nested` by directory.
    private let places: [NodeID: [Int]]

    /// More images than any volume has.
    private static let most = 4096
    private static let mark: UInt64 = 1 << 47
    private static let numberBits: UInt64 = 24
    private static let lastNumber: UInt64 = 1 << numberBits - 1
    /// Where the nested directories of a directory begin to count.
    private static let firstIndex = 1 << 48

    /// The volume with these images, whose paths are those of its files; the volume itself where there
    /// are none. All of them together keep as much of what was unpacked as `options` say.
    static func made(
        _ volume: any Volume, _ paths: [[UInt8]], _ options: IFS.Image.Options
    ) -> any Volume {
        var options = options
        options.cacheLimit /= max(1, paths.count)
        var taken: [NodeID: Set<[UInt8]>] = [:]
        var nested: [Nested] = []
        for path in paths.prefix(most) {
            do throws(FormatError) {
                guard let found = try Self.nested(path, in: volume, options, &taken) else {
                    continue
                }
                nested.append(found)
            } catch {
                // The file shows as a file, and checking it tells why.
            }
        }
        return nested.isEmpty ? volume : NestedVolume(volume, nested)
    }

    private init(_ base: any Volume, _ nested: [Nested]) {
        self.base = base
        self.nested = nested
        places = Dictionary(grouping: nested.indices) { nested[$0].directory }
    }

    private static func nested(
        _ path: [UInt8], in volume: any Volume, _ options: IFS.Image.Options,
        _ taken: inout [NodeID: Set<[UInt8]>]
    ) throws(FormatError) -> Nested? {
        var (directory, node) = (NodeID.root, NodeID.root)
        var name: [UInt8] = []
        for component in path.split(separator: UInt8(ascii: "/")) {
            (directory, name) = (node, Array(component))
            guard let next = try volume.lookup(name, in: directory) else { return nil }
            node = next
        }
        guard let file = try VolumeFileSource(volume, node) else { return nil }
        var scanner = IFS.Scanner(
            file, from: 0, reach: IFS.Scanner.usualReach, patience: IFS.Scanner.usualPatience,
            options)
        guard let image = try scanner.next() else { return nil }
        let tree = try IFS.ImageVolume(image)
        return Nested(
            directory: directory, name: try freeName(name, in: directory, of: volume, &taken),
            volume: PlacedVolume(tree, name: printable(path)))
    }

    /// `NAME.d`, with a number behind it where that name is taken.
    private static func freeName(
        _ name: [UInt8], in directory: NodeID, of volume: any Volume,
        _ taken: inout [NodeID: Set<[UInt8]>]
    ) throws(FormatError) -> [UInt8] {
        var number = 1
        while true {
            let wanted = name + Array((number == 1 ? ".d" : ".d\(number)").utf8)
            if try volume.lookup(wanted, in: directory) == nil,
                taken[directory, default: []].insert(wanted).inserted
            {
                return wanted
            }
            number += 1
        }
    }

    // MARK: Numbers

    private func inside(_ node: NodeID) -> (index: Int, node: NodeID)? {
        guard node.rawValue & Self.mark != 0 else { return nil }
        let index = Int(clamping: (node.rawValue & ~Self.mark) >> Self.numberBits)
        guard index > 0, index <= nested.count else { return nil }
        return (index &- 1, NodeID(rawValue: node.rawValue & Self.lastNumber))
    }

    private func outer(_ node: NodeID, _ index: Int) throws(FormatError) -> NodeID {
        guard node.rawValue <= Self.lastNumber else {
            throw .unsupported(
                Place("node number", 0), found: hex(node.rawValue),
                expected: "\(hex(Self.lastNumber)) at most")
        }
        return NodeID(
            rawValue: Self.mark | UInt64(index &+ 1) << Self.numberBits | node.rawValue)
    }

    // MARK: Volume

    /// The volume's own: the images lie in its files.
    var statistics: VolumeStatistics { base.statistics }

    func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        if let (index, inner) = inside(node) {
            guard var found = try nested[index].volume.attributes(of: inner) else { return nil }
            found.node = try outer(found.node, index)
            return found
        }
        guard var found = try base.attributes(of: node) else { return nil }
        found.linkCount &+= UInt32(clamping: places[node]?.count ?? 0)
        return found
    }

    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        if let (index, inner) = inside(directory) {
            guard let found = try nested[index].volume.lookup(name, in: inner) else { return nil }
            return try outer(found, index)
        }
        if let place = places[directory]?.first(where: { nested[$0].name == name }) {
            return try outer(.root, place)
        }
        return try base.lookup(name, in: directory)
    }

    func entries(
        of directory: NodeID, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError) {
        if let (place, inner) = inside(directory) {
            return try unsafe entries(of: inner, in: place, from: index, body)
        }
        var goesOn = true
        if index < Self.firstIndex {
            try unsafe base.entries(of: directory, from: index) { index, name, node in
                goesOn = unsafe body(index, name, node)
                return goesOn
            }
        }
        let places = places[directory] ?? []
        for number in max(
            0, index &- Self.firstIndex)..<max(0, index &- Self.firstIndex, places.count)
        where goesOn {
            let node = try outer(.root, places[number])
            goesOn = unsafe nested[places[number]].name.withUnsafeBufferPointer { name in
                unsafe body(Self.firstIndex &+ number, name, node)
            }
        }
    }

    private func entries(
        of directory: NodeID, in place: Int, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError) {
        var failure: FormatError?
        try unsafe nested[place].volume.entries(of: directory, from: index) { index, name, node in
            do throws(FormatError) {
                return unsafe body(index, name, try outer(node, place))
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
    }

    func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        guard let (index, inner) = inside(directory) else {
            return try base.parent(of: directory)
        }
        if inner == .root { return nested[index].directory }
        guard let found = try nested[index].volume.parent(of: inner) else { return nil }
        return try outer(found, index)
    }

    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        guard let (index, inner) = inside(node) else {
            return try unsafe base.read(node, into: buffer, at: offset)
        }
        return try unsafe nested[index].volume.read(inner, into: buffer, at: offset)
    }

    func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        guard let (index, inner) = inside(node) else { return try base.target(of: node) }
        return try nested[index].volume.target(of: inner)
    }

    func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        guard let (index, inner) = inside(node) else {
            return try base.extendedAttributeNames(of: node)
        }
        return try nested[index].volume.extendedAttributeNames(of: inner)
    }

    func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        guard let (index, inner) = inside(node) else {
            return try base.extendedAttribute(name, of: node)
        }
        return try nested[index].volume.extendedAttribute(name, of: inner)
    }

    func prepare(_ goesOn: () -> Bool) { base.prepare(goesOn) }
}
