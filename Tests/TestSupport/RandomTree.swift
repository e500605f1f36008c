/// Trees of entries by chance: lawful ones for measurements, odd ones for comparison with a model.
public enum RandomTree {
    /// `count` records, seven in ten of them files; names are few, so that paths meet. With `odd`,
    /// some break a rule: names that are none, entries below files and links, duplicates, voids.
    public static func entries(count: Int, seed: UInt64, odd: Bool = false) -> [ImageEntry] {
        var random = SplitMix64(seed: seed)
        var entries: [ImageEntry] = []
        var files: [Int] = []
        for index in 0..<count {
            var entry = entry(&random, files)
            if odd { spoil(&entry, &random) }
            entry.user = UInt32(random.next() % 3)
            entry.modified = UInt32(truncatingIfNeeded: random.next())
            if case .file = entry.body, entry.inode == nil, entry.offset == nil {
                files.append(index)
            }
            entries.append(entry)
        }
        return entries
    }

    private static func entry(_ random: inout SplitMix64, _ files: [Int]) -> ImageEntry {
        let path = path(&random)
        switch random.next() % 20 {
        case 0, 1: return .directory(path, permissions: UInt32(random.next() % 0o10000))
        case 2, 3: return .symlink(path, to: self.path(&random))
        case 4: return .device(path, type: [1, 2, 5, 6, 12][Int(random.next() % 5)], rdev: 0x407)
        case 5 where !files.isEmpty:
            let file = files[Int(random.next() % UInt64(files.count))]
            return ImageEntry(path: Array(path.utf8), .hardLink(file), mode: 0x81a4)
        default:
            let data = random.noise(Int(random.next() % 40))
            return .file(path, data, permissions: UInt32(random.next() % 0o10000))
        }
    }

    private static func path(_ random: inout SplitMix64) -> String {
        let names = ["a", "b", "bin", "lib", "a-b", "a.b", "A", "z", "libc.so.3", "é"]
        let depth = Int(random.next() % 5) + 1
        return (0..<depth).map { level in
            // Numbers low in the tree keep most paths apart.
            let name = names[Int(random.next() % UInt64(names.count))]
            return level < depth - 1 ? name : name + "\(random.next() % 60)"
        }.joined(separator: "/")
    }

    private static func spoil(_ entry: inout ImageEntry, _ random: inout SplitMix64) {
        switch random.next() % 40 {
        case 0: entry.path += Array("/".utf8)
        case 1: entry.path = Array("./".utf8) + entry.path
        case 2: entry.path += Array("/..".utf8)
        case 3: entry.path += Array("//x".utf8)
        case 4: entry.inode = 0
        case 5: entry.mode = entry.mode & 0xfff | 0x3000
        case 6: entry.path = []
        case 7...12:
            // A name high in the tree, for what is no directory.
            entry.path = Array(["a", "b/z", "lib/a-b", "z"][Int(random.next() % 4)].utf8)
        case 13: entry.path += Array("/below/it".utf8)
        default: break
        }
    }
}
