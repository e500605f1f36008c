/// Goes through the files of a volume, each directory before those in it.
struct FileWalk {
    /// A file that was met.
    struct File {
        let directory: NodeID
        let path: [UInt8]
        let attributes: Attributes
    }

    /// More directories than any volume has; bounds what one can cost whose directories lead to one
    /// another.
    private static let mostDirectories = 1 << 20
    private static let longestPath = 4096

    private let volume: any Volume
    private var waiting: [(node: NodeID, path: [UInt8])] = [(.root, [])]
    private var seen: Set<NodeID> = [.root]

    init(_ volume: any Volume) { self.volume = volume }

    /// The files whose names `isWanted`, in the order of the directories. What cannot be read is passed
    /// over: the volume's check tells of it.
    static func files(
        of volume: any Volume, where isWanted: ([UInt8]) -> Bool
    ) -> [File] {
        var walk = FileWalk(volume)
        var files: [File] = []
        while let directory = walk.waiting.popLast() {
            walk.visit(directory.node, directory.path, isWanted, &files)
        }
        return files
    }

    private mutating func visit(
        _ directory: NodeID, _ path: [UInt8], _ isWanted: ([UInt8]) -> Bool,
        _ files: inout [File]
    ) {
        var found: [(name: [UInt8], node: NodeID)] = []
        do throws(FormatError) {
            try unsafe volume.entries(of: directory, from: 0) { _, name, node in
                unsafe found.append((Array(name), node))
                return true
            }
        } catch {
            // What was listed before the damage is there all the same.
        }
        var below: [(node: NodeID, path: [UInt8])] = []
        for (name, node) in found {
            let path = path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
            guard path.count <= Self.longestPath, let attributes = attributes(of: node) else {
                continue
            }
            if attributes.kind == .file, isWanted(name) {
                files.append(File(directory: directory, path: path, attributes: attributes))
            } else if attributes.kind == .directory, seen.count < Self.mostDirectories,
                seen.insert(attributes.node).inserted
            {
                below.append((attributes.node, path))
            }
        }
        waiting += below.reversed()
    }

    private func attributes(of node: NodeID) -> Attributes? {
        do throws(FormatError) {
            return try volume.attributes(of: node)
        } catch {
            return nil
        }
    }
}
