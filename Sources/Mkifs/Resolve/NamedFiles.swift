internal import Format

/// What of a directory of the host the lines of a buildfile have taken in already.
struct NamedFiles {
    private var paths: Set<[UInt8]> = []

    /// Nothing.
    init() {}

    /// The files among `found`, host paths in whatever spelling, that lie in the directory `root`; and
    /// paths of the image that are directories already.
    init(_ found: [[UInt8]], below root: HostStatus.Identity, directories: [[UInt8]]) {
        paths = Set(directories)
        // By the path of a directory: whether it is the root.
        var known: [[UInt8]: Bool] = [:]
        for path in found {
            for (folder, rest) in Self.splits(path) {
                let isRoot =
                    known[folder] ?? (HostStatus(folder, followsLinks: true)?.identity == root)
                known[folder] = isRoot
                if isRoot { paths.insert(rest) }
            }
        }
    }

    /// Whether the file of this path below the root was taken in.
    func contains(_ path: [UInt8]) -> Bool { paths.contains(path) }

    /// A path as each directory on its way and what comes behind that.
    private static func splits(_ path: [UInt8]) -> [(folder: [UInt8], rest: [UInt8])] {
        var splits: [(folder: [UInt8], rest: [UInt8])] = []
        if path.first != .slash { splits.append(([.dot], path)) }
        for index in path.indices where path[index] == .slash {
            splits.append((index == 0 ? [.slash] : Array(path[..<index]), Array(path[index...])))
        }
        return splits.compactMap { folder, rest in
            let parts = rest.split(separator: .slash).filter { $0 != [.dot] }
            guard !parts.isEmpty, !parts.contains([.dot, .dot]) else { return nil }
            return (folder, Array(parts.joined(separator: [.slash])))
        }
    }
}
