extension Disk {
    /// How partitions are called.
    public enum Names: String, Sendable, CaseIterable {
        /// `p1-fat16`.
        case kind
        /// `p1`; what has no tree, as by kind.
        case number
        /// The name that the table has for it, or its file system; without one, as by kind.
        case label
    }

    /// What each part is called; no two have the same name. Names that several would have are those
    /// by kind.
    public func names(_ style: Names = .kind) -> [[UInt8]] {
        let usual = parts.map { $0.name(.kind) }
        var names = parts.map { $0.name(style) }
        while true {
            let counts = names.reduce(into: [[UInt8]: Int]()) { $0[$1, default: 0] += 1 }
            // Those by kind all differ, so that each turn leaves fewer others.
            let doubled = names.indices.filter {
                counts[names[$0], default: 0] > 1 && names[$0] != usual[$0]
            }
            if doubled.isEmpty { return names }
            for index in doubled { names[index] = usual[index] }
        }
    }
}

extension Disk.Part {
    /// What it is called by itself: the number is the one that Linux gives the partition.
    func name(_ style: Disk.Names) -> [UInt8] {
        let number = "p\(partition?.number ?? 1)"
        let word = volume == nil ? "unknown.img" : kind?.word ?? "unknown.img"
        let usual = Array("\(number)-\(word)".utf8)
        switch style {
        case .kind: return usual
        case .number: return volume == nil ? usual : Array(number.utf8)
        case .label:
            let given = [partition?.name ?? [], label].first(where: Self.isName)
            return given ?? usual
        }
    }

    /// Whether a directory can have such an entry.
    private static func isName(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.count <= 255 && !bytes.contains(0)
            && !bytes.contains(UInt8(ascii: "/")) && bytes != Array(".".utf8)
            && bytes != Array("..".utf8)
    }
}
