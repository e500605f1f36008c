/// A volume at its place in a file: errors say where in the whole something is, and in what. The root
/// may tell of the whole by the extended attribute `disk.info`.
struct PlacedVolume: Volume {
    private let volume: any Volume
    private let name: String
    private let start: UInt64
    private let information: [UInt8]

    private static let informationName = "disk.info"

    /// A volume that begins at byte `start`. Errors have `name` before them unless that is empty; an
    /// empty `information` is no attribute.
    init(
        _ volume: any Volume, name: String = "", start: UInt64 = 0, information: [UInt8] = []
    ) {
        self.volume = volume
        self.name = name
        self.start = start
        self.information = information
    }

    /// Runs `body`, and has its error say where.
    private func located<Result>(
        _ body: (any Volume) throws(FormatError) -> Result
    ) throws(FormatError) -> Result {
        do throws(FormatError) {
            return try body(volume)
        } catch {
            let moved = error.moved(by: start)
            throw name.isEmpty ? moved : moved.named("\(name): \(moved.place.field)")
        }
    }

    var statistics: VolumeStatistics { volume.statistics }

    func attributes(of node: NodeID) throws(FormatError) -> Attributes? {
        try located { volume throws(FormatError) in try volume.attributes(of: node) }
    }

    func lookup(_ name: [UInt8], in directory: NodeID) throws(FormatError) -> NodeID? {
        try located { volume throws(FormatError) in try volume.lookup(name, in: directory) }
    }

    func entries(
        of directory: NodeID, from index: Int,
        _ body: (_ index: Int, _ name: UnsafeBufferPointer<UInt8>, _ node: NodeID) -> Bool
    ) throws(FormatError) {
        try located { volume throws(FormatError) in
            try unsafe volume.entries(of: directory, from: index, body)
        }
    }

    func parent(of directory: NodeID) throws(FormatError) -> NodeID? {
        try located { volume throws(FormatError) in try volume.parent(of: directory) }
    }

    func read(
        _ node: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(FormatError) -> Int {
        try located { volume throws(FormatError) in
            try unsafe volume.read(node, into: buffer, at: offset)
        }
    }

    func target(of node: NodeID) throws(FormatError) -> [UInt8]? {
        try located { volume throws(FormatError) in try volume.target(of: node) }
    }

    func extendedAttributeNames(of node: NodeID) throws(FormatError) -> [String] {
        let own = try located { volume throws(FormatError) in
            try volume.extendedAttributeNames(of: node)
        }
        return node == .root && !information.isEmpty ? own + [Self.informationName] : own
    }

    func extendedAttribute(
        _ name: String, of node: NodeID
    ) throws(FormatError) -> [UInt8]? {
        if node == .root, name == Self.informationName, !information.isEmpty {
            return information
        }
        return try located { volume throws(FormatError) in
            try volume.extendedAttribute(name, of: node)
        }
    }

    func prepare(_ goesOn: () -> Bool) { volume.prepare(goesOn) }
}
