import Format
import TestSupport

/// What the vendor's `dumpifs -v` printed of a golden case, line by line.
struct VendorListing {
    struct Entry {
        var offset: UInt64?
        var size: UInt64?
        var path: String
        var target: String?
        /// `gid`, `uid`, `mode`, `ino`, `mtime`; `dev` and `rdev` of devices.
        var fields: [String: String]
    }

    /// `startup_size` and the like, as printed; also `flags1`, and `image` and `startup`, the sums.
    var fields: [String: String] = [:]
    /// Where things start: `Startup-header`, `Image-header`, `Image-directory`.
    var offsets: [String: UInt64] = [:]
    var entries: [Entry] = []

    init(_ text: String) {
        for line in text.split(separator: "\n").dropFirst() {
            let isDetail = line.hasPrefix(String(repeating: " ", count: 23))
            let words = line.split(separator: " ").map(String.init)
            let pairs = Self.pairs(words)
            if line.hasPrefix("Checksums:") {
                fields.merge(pairs) { $1 }
            } else if isDetail, entries.isEmpty {
                fields.merge(
                    pairs.map { key, value in (key == "flags" ? "image flags" : key, value) }
                ) { $1 }
            } else if isDetail {
                entries[entries.count - 1].fields.merge(pairs) { $1 }
            } else {
                add(line, words, pairs)
            }
        }
    }

    private mutating func add(_ line: Substring, _ words: [String], _ pairs: [String: String]) {
        // Two columns of eight digits, two blanks, and a name that may hold blanks.
        let name = String(line.dropFirst(20))
        let offset = UInt64(words[0], radix: 16)
        if ["Startup-header", "Image-header", "Image-directory"].contains(words[2]) {
            offsets[words[2]] = offset
            fields.merge(pairs) { $1 }
        } else if !["*.boot", "startup.*"].contains(name) {
            entries.append(Self.entry(name, offset, UInt64(words[1], radix: 16), pairs))
        }
    }

    private static func entry(
        _ name: String, _ offset: UInt64?, _ size: UInt64?, _ pairs: [String: String]
    ) -> Entry {
        var path = name == "Root-dirent" ? "" : name
        var target: String?
        if let arrow = path.range(of: " -> ") {
            target = String(path[arrow.upperBound...])
            path = String(path[..<arrow.lowerBound])
        }
        if let numbers = path.range(of: " dev=") { path = String(path[..<numbers.lowerBound]) }
        return Entry(offset: offset, size: size, path: path, target: target, fields: pairs)
    }

    private static func pairs(_ words: [String]) -> [String: String] {
        let halves = words.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return Dictionary(
            halves.filter { $0.count == 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
    }
}
